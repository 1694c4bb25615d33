# hyoka: one command each. Everything lands in .venv and .hyoka under this folder.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
HOST   ?= 127.0.0.1
PORT   ?= 8000
INDEX  ?= .hyoka/index
# The sheets that come with hyoka; `make run CORPUS=path/to/your/files` for your own.
CORPUS ?= corpus/samples/files
# What the tests need beyond the product; the continuous run adds the optional parts.
EXTRAS ?= dev
# What the bundle carries beyond the base, with commas (ocr, postgres, milvus, ray).
CARRIED ?= ocr,postgres
# A copy of the advisories for `make audit` without a network: ZIP or folder of osv.dev's JSON.
ADVISORIES ?=

.PHONY: run index setup test baseline check format bundle audit clean help

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

# Indexed again when the sheets or the code that reads them are newer than the index, or it does not open.
run: $(VENV)/.installed ## install, index the bundled sheets if needed, serve at http://127.0.0.1:8000
	@if [ "$$(cat "$(INDEX).source" 2>/dev/null)" != "$(CORPUS)" ] || \
	  [ -n "$$(find "$(CORPUS)" -newer "$(INDEX).source" -print -quit)" ] || \
	  [ -n "$$(find corpus index -name '*.py' -newer "$(INDEX).source" -print -quit)" ] || \
	  ! $(BIN)/hyoka sheets --json --index-dir "$(INDEX)" >/dev/null 2>&1; then $(MAKE) --no-print-directory index; fi
	@$(BIN)/hyoka serve --host "$(HOST)" --port "$(PORT)" --index-dir "$(INDEX)"

index: $(VENV)/.installed ## index CORPUS again
	@$(BIN)/hyoka index "$(CORPUS)" --index-dir "$(INDEX)"
	@printf '%s' "$(CORPUS)" > "$(INDEX).source"

setup: $(VENV)/.developed.$(EXTRAS) ## the environment for development

test: $(VENV)/.developed.$(EXTRAS) ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile

baseline: $(VENV)/.developed.$(EXTRAS) ## measure the curated questions and write evals/baseline.json anew
	$(BIN)/python -m evals.baseline --refresh

check: $(VENV)/.developed.$(EXTRAS) ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.developed.$(EXTRAS) ## bring the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bundle: $(VENV)/.developed.$(EXTRAS) ## dist/hyoka-….tar.gz: everything that a machine without a network needs (docs/offline.md)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(CARRIED)]'
	$(BIN)/python -m bundle.make --extras '$(CARRIED)'

audit: $(VENV)/.developed.$(EXTRAS) ## known vulnerabilities of what hyoka needs, or plainly that it could not be found out
	@$(BIN)/python -m bundle.audit $(if $(ADVISORIES),--advisories '$(ADVISORIES)')

clean: ## remove the environment and the index
	rm -rf $(VENV) .hyoka build *.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

# One resolve with torch pinned; installed again only when pyproject.toml has changed.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.developed.$(EXTRAS): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS)]'
	@touch $@ $(VENV)/.installed

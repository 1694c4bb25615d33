"""The files of deploy/: what systemd, nginx and a container builder make of them, and that nothing in them is out of date."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest
from running import ROOT

from assistant.settings import Settings

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service")) + sorted((DEPLOY / "systemd").glob("*.timer"))


class Unit(RawConfigParser):
    """A unit file, whose keys may come several times."""

    def __init__(self, file: Path) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",), interpolation=None)
        self.optionxform = str  # type: ignore[assignment,method-assign]
        self.read_string(file.read_text("utf-8"))
        self.text = file.read_text("utf-8")

    def all(self, key: str) -> list[str]:
        return re.findall(rf"^{key}=(.*)$", self.text, re.M)


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_units_can_be_read_and_their_settings_exist(file):
    unit = Unit(file)
    known = {f"HYOKA_{name.upper()}" for name in Settings.model_fields}
    named = {one for line in unit.all("Environment") for one in re.findall(r"(HYOKA_\w+)=", line)}
    assert named <= known and unit.get("Unit", "Description").startswith("hyoka: ")
    if file.suffix == ".timer":
        assert file.with_suffix(".service") in UNITS and unit.get("Timer", "Persistent") == "true"
        return
    # What no unit of ours may lack.
    for key, value in {
        "NoNewPrivileges": "yes", "ProtectSystem": "strict", "PrivateTmp": "yes", "ProtectHome": "yes",
        "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "IPAddressDeny": "any", "IPAddressAllow": "localhost",
        "CapabilityBoundingSet": "", "User": "hyoka", "StateDirectory": "hyoka",
    }.items():  # fmt: skip
        assert unit.get("Service", key) == value, key


def test_the_settings_file_of_the_units_names_settings_that_exist():
    text = (DEPLOY / "systemd" / "hyoka.env").read_text("utf-8")
    for name, value in re.findall(r"^(HYOKA_\w+)=(.*)$", text, re.M):
        assert name.removeprefix("HYOKA_").lower() in Settings.model_fields and value


def test_the_time_to_stop_is_longer_than_what_the_server_takes_for_it():
    from assistant.serving import _LAST_SECONDS

    longest = Settings.model_fields["stop_seconds"].default + _LAST_SECONDS
    unit = Unit(DEPLOY / "systemd" / "hyoka.service")
    assert int(unit.get("Service", "TimeoutStopSec")) > longest
    container = (DEPLOY / "container" / "Containerfile").read_text("utf-8")
    assert int(re.search(r"--stop-timeout=(\d+)", container)[1]) > longest


def test_systemd_finds_nothing_wrong(tmp_path):
    if shutil.which("systemd-analyze") is None:
        # The other tests read the files; a machine without systemd has no judge of them.
        assert UNITS
        return
    for file in UNITS:
        # It looks whether the programs are there.
        (tmp_path / file.name).write_text(
            file.read_text("utf-8").replace("/opt/hyoka/current/bin/hyoka", "/bin/true"), "utf-8"
        )
    told = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())], capture_output=True, text=True, timeout=60
    )
    wrong = [line for line in told.stderr.splitlines() if "hyoka" in line]
    assert told.returncode == 0 and wrong == [], told.stderr


def test_the_container_starts_without_rights_and_knows_how_to_tell_its_health():
    text = (DEPLOY / "container" / "Containerfile").read_text("utf-8")
    orders = re.findall(r"^(FROM|USER|HEALTHCHECK|ENTRYPOINT|CMD|VOLUME|STOPSIGNAL|COPY)\b(.*)", text, re.M)
    last = text[text.rindex("\nFROM ") :]
    assert "USER 10001:10001" in last and "HEALTHCHECK" in last and last.index("USER") < last.index("ENTRYPOINT")
    assert ("STOPSIGNAL", " SIGTERM") in orders and ("VOLUME", " /data") in orders
    named = set(re.findall(r"(HYOKA_\w+)=", text))
    assert named <= {f"HYOKA_{name.upper()}" for name in Settings.model_fields}
    assert not re.search(r"ADD http|curl |wget ", text)
    ignored = (DEPLOY / "container" / "Containerfile.dockerignore").read_text("utf-8").split()
    assert {".git", ".venv", ".hyoka"} <= set(ignored)  # no index and no history into an image


# ---- the runbook ----------------------------------------------------------------------------------------------------

RUNBOOK = (ROOT / "docs" / "runbook.ja.md").read_text("utf-8")
OPERATION = (ROOT / "docs" / "operation.md").read_text("utf-8")


def test_every_message_that_the_runbook_explains_is_one_of_ours():
    code = "\n".join(
        file.read_text("utf-8")
        for layer in ("corpus", "index", "assistant", "ui")
        for file in (ROOT / layer).rglob("*.py")
    )
    rows = RUNBOOK.partition("\n## メッセージと次の手順\n")[2].partition("\n## ")[0]
    messages = [
        message for row in re.findall(r"^\| (「.*?」) \|", rows, re.M) for message in re.findall("「(.*?)」", row)
    ]
    assert len(messages) > 20
    assert [message for message in messages if message not in code] == []


def test_every_unit_file_metric_and_setting_of_the_documents_exists():
    units = {file.name for file in UNITS}
    metrics = (ROOT / "assistant" / "metrics.py").read_text("utf-8")
    for text in (RUNBOOK, OPERATION):
        named = set(re.findall(r"\bhyoka(?:-[a-z]+)?\.(?:service|timer)\b", text))
        assert named and named <= units
        for name in re.findall(r"`(deploy/[\w./-]+)`", text):
            assert (ROOT / name).exists(), name
        for name in re.findall(r"`?(hyoka_[a-z_]+)", text):
            assert f'"{name.removesuffix("_total")}"' in metrics, name
    for key in re.findall(r"`([A-Z][A-Za-z]+)=?`", RUNBOOK):
        assert key in ("CHANGELOG",) or any(f"{key}=" in file.read_text("utf-8") for file in UNITS), key


def test_the_table_of_contents_of_the_runbook_is_its_headings():
    named = re.findall(r"^- \[(.*?)\]\(#", RUNBOOK, re.M)
    assert named == re.findall(r"^## (.*)$", RUNBOOK, re.M)

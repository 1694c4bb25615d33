"""How well passages are found, on open sets and on question files: ``python -m evals.retrieval ../shared/data``."""

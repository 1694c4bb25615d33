"""``python -m evals.layouts``."""

from evals.layouts.measure import main

main()

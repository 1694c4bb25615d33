"""Curated questions in, figures out (:mod:`evals.run`)."""

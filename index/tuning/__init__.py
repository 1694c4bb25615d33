"""Adapting the ranker to an index's own sheets: questions made from them, weights fitted to them, and where they are kept."""

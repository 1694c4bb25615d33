"""Sections and facts become a snapshot folder that answers searches (:mod:`index.snapshot`)."""

"""Sentences about the bundled sheets, faithful and altered, to measure the check of written summaries with."""

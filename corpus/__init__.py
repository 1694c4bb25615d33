"""Documents become sheets, sections, facts and events (values in :mod:`corpus.documents`)."""

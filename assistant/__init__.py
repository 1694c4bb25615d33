"""Questions become typed queries, and evidence becomes cited answers (:mod:`assistant.session`)."""

"""Whether a sentence that somebody else wrote is borne out by the passages it cites."""

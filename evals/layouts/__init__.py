"""Known programmes laid out in random forms, to measure how well forms nobody described are read."""

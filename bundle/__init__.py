"""What a city hall gets in its hand: the archive that installs without a network, and what proves what is in it.

A folder beside the product, not in it: nothing here is part of the wheel, and nothing of the product imports it.
"""

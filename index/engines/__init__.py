"""Engines that stand in for the files of a snapshot in the first stage of a search (:mod:`index.firststage`)."""

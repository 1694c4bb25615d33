"""Measurements of speed and memory; each prints JSON and stores nothing by itself."""

"""Sheets we wrote ourselves, of municipalities that do not exist: content as TOML, layouts as code, files as generated."""

"""Form families as data: one TOML a family, and ``fields.toml`` with the canonical fields and their printed labels."""

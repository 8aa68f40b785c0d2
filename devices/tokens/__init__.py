"""Certificate tokens. Never knows cards, cameras or scanners."""

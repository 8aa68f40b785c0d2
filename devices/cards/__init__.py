"""Identity-card readers and cards. Never knows cameras, tokens or scanners."""

"""Hardware and what it saw. Never knows Qt, a record, or the province."""

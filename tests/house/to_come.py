"""Rooms that the plan names and that are still to be built. Only ever gets shorter; nothing outside of tests/house reads it."""

MODULES: frozenset[str] = frozenset()
FILES: frozenset[str] = frozenset()

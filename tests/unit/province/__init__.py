"""Tests of the reference province itself, with a client built by hand from the formats."""

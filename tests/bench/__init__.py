"""Measurements: ratios within one run, beside what the machine can do at all. Never a test: no clock decides whether they pass."""

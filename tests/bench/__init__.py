"""Measurements. Never pass or fail by the clock."""

"""Checking credit record sheets: a window and its parts. Never judges: it shows a state and posts events."""

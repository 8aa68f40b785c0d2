"""Cameras. Never knows cards, tokens or scanners."""

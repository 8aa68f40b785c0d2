"""Pieces of screen that all three faces share. Never knows a flow, a device or the store."""

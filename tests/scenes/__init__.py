"""Whole faces, offscreen."""

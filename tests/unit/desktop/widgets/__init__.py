"""Tests of the shared widgets, offscreen."""

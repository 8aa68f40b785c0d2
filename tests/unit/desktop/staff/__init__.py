"""Tests of the staff desk's window and pages, offscreen."""

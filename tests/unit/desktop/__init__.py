"""Tests of the application's rooms, offscreen."""

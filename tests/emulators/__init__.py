"""Devices and services of the tests that enter through the same door as the real ones."""

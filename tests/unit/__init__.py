"""Tests of single rooms; mirrors the folders of the product."""

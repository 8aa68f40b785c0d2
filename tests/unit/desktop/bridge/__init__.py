"""Tests of lanes and stages."""

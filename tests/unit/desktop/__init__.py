"""Unit tests of the desktop's rooms that know no Qt."""

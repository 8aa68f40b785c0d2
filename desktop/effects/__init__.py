"""Carries out what the flows order: the handlers that app.py hands to the stages. Never decides what happens next: that is the flows' table."""

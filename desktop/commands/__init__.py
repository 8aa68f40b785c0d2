"""Commands for a terminal, without Qt. Never opens a window."""

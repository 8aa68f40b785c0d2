"""The self-service terminal: a window and its pages. Never knows devices, store or province: it shows a state and posts events."""

"""The desk of the hall's staff: one window and its pages. Never reaches a device or the store; it shows views and posts events."""

"""What can be seen in a picture. Never opens a device; judges no code it reads."""

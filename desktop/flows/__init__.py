"""What happens next, as pure tables without Qt. Never does anything itself."""

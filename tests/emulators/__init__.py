"""Stand-ins for hardware at its lowest edge. Never part of the product."""

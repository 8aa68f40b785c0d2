"""The reference province: a whole platform on loopback, written from ``resources/province`` alone. Never imports a room of the product."""

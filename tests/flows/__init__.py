"""Tables of the flows as tests, and random walks over them."""

"""Practice devices and authorities for tests and the practice hall. Never part of the product."""

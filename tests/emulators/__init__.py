"""What stands in for hardware in tests and in the practice hall. Never shipped with the product."""

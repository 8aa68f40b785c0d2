"""kill -9, power cuts, full disks: what the store says it kept must be there after them."""

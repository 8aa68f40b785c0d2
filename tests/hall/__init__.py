"""The practice hall: emulated devices, a keyring and a province around the real application. Never part of the product."""

"""Driver for certificate tokens with a PKCS#11 library. Never loads the library here: ``cryptoki.py`` does, in a child."""

from __future__ import annotations

from devices.tokens.hosted import HostedDriver, HostedToken, Patience

__all__ = ["Patience", "Pkcs11Driver", "Pkcs11Token"]

Pkcs11Token = HostedToken


class Pkcs11Driver(HostedDriver):
    """Tokens of one PKCS#11 library."""

    room = "devices.tokens.cryptoki"

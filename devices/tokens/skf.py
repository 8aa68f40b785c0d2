"""Driver for certificate tokens with an SKF library (GM/T 0016). Never loads the library here: ``skf_token.py`` does, in a child."""

from __future__ import annotations

from devices.tokens.hosted import HostedDriver, HostedToken, Patience

__all__ = ["Patience", "SkfDriver", "SkfToken"]

SkfToken = HostedToken


class SkfDriver(HostedDriver):
    """Tokens of one SKF library. Their PIN is always typed here: the interface knows no PIN pad."""

    room = "devices.tokens.skf_token"

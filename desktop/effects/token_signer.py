"""A logged-in token as the Signer that sync.signing asks for. Never asks for a PIN and never logs in by itself."""

from __future__ import annotations

from collections.abc import Sequence

from devices.tokens.contract import Mechanism, Token, TokenCertificate

__all__ = ["TokenSigner"]


class TokenSigner:
    """Signs with one certificate of an open, logged-in token; ``chain`` = intermediate certificates (DER) to put beside it."""

    def __init__(self, token: Token, certificate: TokenCertificate, chain: Sequence[bytes] = ()) -> None:
        self._token, self._key_id = token, certificate.key_id
        self.certificate = certificate.der
        self.chain = tuple(chain)

    def sign(self, mechanism: Mechanism, digest: bytes) -> bytes:
        """Raises TokenTrouble and its kinds."""
        return self._token.sign(self._key_id, mechanism, digest)

"""The ASN.1 of detached signatures in its profiles: CAdES-BES for RSA and EC, GM/T 0010 or CMS for SM2 (FORMATS section 3). Never verifies a signature and
never trusts one.

The only file that builds (with ``der.py``) or takes apart SignedData. asn1crypto's objects carry no types: hence the loosened type rules below. Object
identifiers are compared dotted, since asn1crypto does not know those of SM2.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from asn1crypto import cms, core, tsp

from sync.certificates import BROKEN, Mechanism, parsed_certificate
from sync.der import NULL, explicit, implicit_set, integer, octets, oid, sequence, set_of, utc_time
from sync.errors import SignatureInvalid
from sync.sm2 import sm3

__all__ = ["CADES_BES", "GM_P7_PLAIN", "PROFILES", "Opened", "Profile", "Sm2Profile", "container", "open_container", "signed_attributes"]

Sm2Profile = Literal["gm-p7-plain", "gm-p7-attrs", "cms-sm2"]

DATA, SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
GM_DATA, GM_SIGNED_DATA = "1.2.156.10197.6.1.4.2.1", "1.2.156.10197.6.1.4.2.2"
SHA256, SM3 = "2.16.840.1.101.3.4.2.1", "1.2.156.10197.1.401"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
RSA, RSA_SHA256, ECDSA_SHA256 = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2"
SM2_SIGN, SM2_SM3 = "1.2.156.10197.1.301.1", "1.2.156.10197.1.501"
HASHES: dict[str, Callable[[bytes], bytes]] = {SHA256: lambda content: hashlib.sha256(content).digest(), SM3: sm3}
LONGEST = 256 * 1024
"""Bytes beyond which nothing is a signature of ours; a few certificates need 10 KiB."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One form of SignedData. ``algorithms`` maps the signature algorithms that are read to mechanisms; ``writes`` are those that are written.

    ``null``: AlgorithmIdentifiers are written with NULL parameters. Without ``attributes`` the content itself is signed, and no time with it.
    """

    name: str
    signed_data: str
    data: str
    digest: str
    algorithms: dict[str, Mechanism]
    writes: dict[Mechanism, str]
    attributes: bool = True
    null: bool = False


CADES_BES = Profile(
    "cades-bes", SIGNED_DATA, DATA, SHA256, {RSA: "rsa-pkcs1-sha256", RSA_SHA256: "rsa-pkcs1-sha256", ECDSA_SHA256: "ecdsa-sha256"},
    {"rsa-pkcs1-sha256": RSA, "ecdsa-sha256": ECDSA_SHA256},
)  # fmt: skip
GM_P7_PLAIN = Profile("gm-p7-plain", GM_SIGNED_DATA, GM_DATA, SM3, {SM2_SIGN: "sm2-sm3"}, {"sm2-sm3": SM2_SIGN}, attributes=False, null=True)
GM_P7_ATTRS = Profile("gm-p7-attrs", GM_SIGNED_DATA, GM_DATA, SM3, {SM2_SIGN: "sm2-sm3"}, {"sm2-sm3": SM2_SIGN}, null=True)
CMS_SM2 = Profile("cms-sm2", SIGNED_DATA, DATA, SM3, {SM2_SM3: "sm2-sm3", SM2_SIGN: "sm2-sm3"}, {"sm2-sm3": SM2_SM3})
PROFILES: dict[str, Profile] = {one.name: one for one in (CADES_BES, GM_P7_PLAIN, GM_P7_ATTRS, CMS_SM2)}
"""Every form that is read. What is written for RSA and EC is ``cades-bes``; for SM2 it is a setting."""


class _Outer(core.Sequence):
    """ContentInfo of a SignedData under whatever content type: asn1crypto's own knows the one of RFC 5652 only."""

    _fields = [("content_type", core.ObjectIdentifier), ("content", cms.SignedData, {"explicit": 0})]


@dataclass(frozen=True, slots=True)
class Opened:
    """A container taken apart: its form is right and it speaks of the given content; ``signature`` over ``signed`` is not yet verified.

    ``signed`` are the signed attributes, or the content where the profile has none; then ``signed_at`` is None.
    """

    profile: str
    certificate: bytes
    others: tuple[bytes, ...]
    signed: bytes
    signature: bytes
    mechanism: Mechanism
    signed_at: datetime | None


def signed_attributes(profile: Profile, content: bytes, certificate: bytes, claimed_at: datetime) -> bytes:
    """DER of the SET that is signed: content-type, message-digest, signing-time (whole seconds), signing-certificate-v2 (RFC 5652, RFC 5035)."""
    hashing = HASHES[profile.digest]
    # SHA-256 is the default of ESSCertIDv2, and a default is not written in DER
    reference = (octets(hashing(certificate)),) if profile.digest == SHA256 else (sequence(oid(profile.digest)), octets(hashing(certificate)))
    said = {
        CONTENT_TYPE: oid(profile.data), MESSAGE_DIGEST: octets(hashing(content)), SIGNING_TIME: utc_time(claimed_at),
        SIGNING_CERTIFICATE: sequence(sequence(sequence(*reference))),
    }  # fmt: skip
    return set_of(sequence(oid(kind), set_of((value,))) for kind, value in said.items())


def container(profile: Profile, attributes: bytes, signature: bytes, certificate: bytes, chain: Sequence[bytes], mechanism: Mechanism) -> bytes:
    """DER of the detached SignedData; ``attributes`` is empty for a profile without. Of ``chain`` only what leads upward goes in, without the root.

    Raises what asn1crypto raises for a certificate that is none.
    """
    signer = parsed_certificate(certificate)
    hashing = sequence(oid(profile.digest), NULL) if profile.null else sequence(oid(profile.digest))
    signing = oid(profile.writes[mechanism])
    info = sequence(
        integer(1),
        sequence(signer.issuer.dump(), integer(signer.serial_number)),
        hashing,
        b"\xa0" + attributes[1:] if profile.attributes else b"",  # the SET under its implicit tag
        sequence(signing, NULL) if profile.null or mechanism == "rsa-pkcs1-sha256" else sequence(signing),
        octets(signature),
    )
    certificates = (certificate, *(one.dump() for one in _upward(signer, chain)))
    signed = sequence(integer(1), set_of((hashing,)), sequence(oid(profile.data)), implicit_set(0, certificates), set_of((info,)))
    return sequence(oid(profile.signed_data), explicit(0, signed))


def open_container(content: bytes, untrusted_p7s: bytes) -> Opened:
    """Take a container apart and hold it against the content. Raises ``SignatureInvalid(why=...)``; the words are those of ``SignatureReport.why``."""
    try:
        return _open(content, untrusted_p7s)
    except SignatureInvalid:
        raise
    except BROKEN as error:
        raise SignatureInvalid(f"container: {type(error).__name__}", why="format") from None


def _open(content: bytes, untrusted_p7s: bytes) -> Opened:
    _must(len(untrusted_p7s) <= LONGEST and untrusted_p7s[1:2] != b"\x80", "format")  # indefinite length is not DER
    outer = _Outer.load(untrusted_p7s, strict=True)
    data = outer["content"]
    profiles = [one for one in PROFILES.values() if one.signed_data == outer["content_type"].dotted]
    _must(bool(profiles), "format")
    _must(data["encap_content_info"]["content_type"].dotted == profiles[0].data, "format")
    _must(isinstance(data["encap_content_info"]["content"], core.Void), "attached")
    _must(len(data["signer_infos"]) == 1, "signers")
    signer = data["signer_infos"][0]
    certificates = [choice.chosen for choice in data["certificates"] if choice.name == "certificate"]
    _must(signer["sid"].name == "issuer_and_serial_number", "format")
    issuer, serial = signer["sid"].chosen["issuer"].dump(), signer["sid"].chosen["serial_number"].native
    mine = [one for one in certificates if one.issuer.dump() == issuer and one.serial_number == serial]
    _must(len(mine) == 1, "no-certificate")
    certificate = mine[0].dump()
    profile, mechanism = _profile(profiles, signer)
    signed, signed_at = content, None
    if profile.attributes:
        signed = b"\x31" + signer["signed_attrs"].dump()[1:]  # the bytes as they came, a SET again instead of its implicit tag
        signed_at = _check_attributes(profile, signer["signed_attrs"], content, certificate)
    else:
        _must(content[:1] != b"\x31", "attributes")  # a SET: bytes that were signed as attributes never pass as a content
    return Opened(
        profile=profile.name,
        certificate=certificate,
        others=tuple(one.dump() for one in certificates if one is not mine[0]),
        signed=signed,
        signature=signer["signature"].native,
        mechanism=mechanism,
        signed_at=signed_at,
    )


def _profile(profiles: Sequence[Profile], signer: Any) -> tuple[Profile, Mechanism]:
    """The profile whose algorithms these are, with attributes or without."""
    algorithm, hashing = signer["signature_algorithm"]["algorithm"].dotted, signer["digest_algorithm"]["algorithm"].dotted
    fitting = [one for one in profiles if algorithm in one.algorithms and hashing == one.digest]
    _must(bool(fitting), "algorithm")
    has_attributes = not isinstance(signer["signed_attrs"], core.Void)
    chosen = [one for one in fitting if one.attributes == has_attributes]
    _must(len(chosen) == 1, "attributes")
    return chosen[0], chosen[0].algorithms[algorithm]


def _check_attributes(profile: Profile, attributes: Any, content: bytes, certificate: bytes) -> datetime:
    """Hold the four attributes of CAdES-BES against content and certificate; gives the signing-time. Others may stand beside them, each once."""
    said: dict[str, Any] = {}
    for attribute in attributes:
        kind = attribute["type"].native
        _must(kind not in said and len(attribute["values"]) == 1, "attributes")
        said[kind] = attribute["values"][0]
    _must({"content_type", "message_digest", "signing_time", "signing_certificate_v2"} <= said.keys(), "attributes")
    _must(said["content_type"].dotted == profile.data, "attributes")
    _must(said["message_digest"].native == HASHES[profile.digest](content), "content")
    _must(isinstance(said["signing_certificate_v2"], tsp.SigningCertificateV2), "attributes")  # read as such since tsp is imported
    reference = said["signing_certificate_v2"]["certs"][0]
    hashing = HASHES.get(reference["hash_algorithm"]["algorithm"].dotted)
    if hashing is None:
        raise SignatureInvalid("signing-certificate-v2 with an unknown hash", why="algorithm")
    _must(reference["cert_hash"].native == hashing(certificate), "signing-certificate")
    return said["signing_time"].native.astimezone(UTC)


def _must(right: bool, why: str) -> None:
    if not right:
        raise SignatureInvalid(why, why=why)


def _upward(signer: Any, chain: Sequence[bytes]) -> list[Any]:
    """The certificates of ``chain`` between the signer and its root, nearest first."""
    known = [parsed_certificate(der) for der in chain]
    path: list[Any] = []
    lower = signer
    while len(path) < len(known):
        above = [one for one in known if _issued(one, lower) and one.self_issued is False and one not in path]
        if not above:
            break
        lower = above[0]
        path.append(lower)
    return path


def _issued(above: Any, lower: Any) -> bool:
    """Whether names, and key identifiers where both have one, say that one certificate issued the other."""
    told, known = lower.authority_key_identifier, above.key_identifier
    return above.subject == lower.issuer and (told is None or known is None or told == known)

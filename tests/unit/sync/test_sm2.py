"""SM2 verification: the standard's own vector, openssl as witness in both directions, both engines alike. Never a private key in the product."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from sync import libcrypto, sm2
from sync.errors import FormatTrouble
from tests.emulators.sm2_ca import Sm2Key

MESSAGE = "名 record".encode()
ENGINES = {"arithmetic": sm2.verify_by_arithmetic, "chosen": sm2.verify}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Sm2Key:
    return Sm2Key.make(tmp_path_factory.mktemp("sm2") / "one.key")


def test_vector_of_the_standard() -> None:
    """GB/T 32918.5-2017, annex A.2; the digest of GB/T 32905-2016, annex A.1."""
    assert sm2.sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm2.digest_of(sm2.KNOWN_POINT, b"message digest") == sm2.KNOWN_DIGEST
    for verify in ENGINES.values():
        assert verify(sm2.KNOWN_POINT, sm2.KNOWN_DIGEST, sm2.KNOWN_SIGNATURE)
        for at in (0, 31):
            wrong = bytearray(sm2.KNOWN_DIGEST)
            wrong[at] ^= 1
            assert not verify(sm2.KNOWN_POINT, bytes(wrong), sm2.KNOWN_SIGNATURE)


def test_the_library_of_this_python_serves() -> None:
    """Where this fails the product still works, slower; on the machines that we build on it must not."""
    assert libcrypto.load() is not None and sm2.engine_name() == "libcrypto"


@pytest.mark.parametrize("ident", ["1234567812345678", "", "hall@example"])
def test_what_openssl_signs_verifies_under_its_id_alone(key: Sm2Key, ident: str) -> None:
    if ident == "":  # openssl takes no empty distid on its command line: the digest is made here
        signature = key.sign_digest(sm2.digest_of(sm2.point_of(key.spki), MESSAGE, b""))
    else:
        signature = key.sign_message(MESSAGE, ident)
    assert sm2.verify_message(key.spki, MESSAGE, signature, ident.encode())
    assert sm2.verify_by_arithmetic(sm2.point_of(key.spki), sm2.digest_of(sm2.point_of(key.spki), MESSAGE, ident.encode()), signature)
    assert not sm2.verify_message(key.spki, MESSAGE, signature, b"another")
    assert not sm2.verify_message(key.spki, MESSAGE + b" ", signature, ident.encode())


def test_openssl_accepts_a_signature_over_our_digest(key: Sm2Key, tmp_path: Path) -> None:
    """Z and e are ours, the check is openssl's own with its own Z."""
    (tmp_path / "sig").write_bytes(key.sign_digest(sm2.digest_of(sm2.point_of(key.spki), MESSAGE)))
    (tmp_path / "message").write_bytes(MESSAGE)
    assert witness(tmp_path, key) == 0
    (tmp_path / "message").write_bytes(MESSAGE + b"!")
    assert witness(tmp_path, key) != 0


def witness(folder: Path, key: Sm2Key, ident: str = "1234567812345678") -> int:
    command = ["openssl", "pkeyutl", "-verify", "-inkey", str(key.path), "-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{ident}"]
    return subprocess.run([*command, "-in", str(folder / "message"), "-sigfile", str(folder / "sig")], capture_output=True, check=False).returncode


def test_both_engines_agree_on_spoilt_signatures(key: Sm2Key) -> None:
    """Every flipped bit of r and s, and numbers at the edges of the group."""
    point = sm2.point_of(key.spki)
    digest = sm2.digest_of(point, MESSAGE)
    good = key.sign_digest(digest)
    dice = random.Random(1)
    spoilt = [bytes([*good[:at], good[at] ^ (1 << dice.randrange(8)), *good[at + 1 :]]) for at in range(0, len(good), 5)]
    spoilt += [der(r, s) for r in (0, 1, sm2.N - 1, sm2.N, sm2.P) for s in (0, 1, sm2.N - 1, sm2.N)]
    spoilt += [b"", b"\x30\x00", good + b"\0", good[:-1], good[:1] + b"\x81" + good[1:], der(1, 2, 3), der(-5, 7)]
    for signature in spoilt:
        assert not sm2.verify(point, digest, signature), signature.hex()
        assert not sm2.verify_by_arithmetic(point, digest, signature), signature.hex()
    assert sm2.verify(point, digest, good) and sm2.verify_by_arithmetic(point, digest, good)


def der(*numbers: int) -> bytes:
    parts = b""
    for number in numbers:
        content = number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
        parts += bytes([2, len(content)]) + content
    return bytes([0x30, len(parts)]) + parts


def test_keys_that_are_none(key: Sm2Key) -> None:
    spki = key.spki
    point = sm2.point_of(spki)
    off = bytes([*point[:-1], point[-1] ^ 1])
    broken = [b"", spki[:-1], spki + b"\0", sm2.SPKI_HEAD + off, sm2.SPKI_HEAD + b"\x04" + bytes(64), sm2.SPKI_HEAD + b"\x02" + point[1:33]]
    broken.append(sm2.SPKI_HEAD + b"\x04" + sm2.P.to_bytes(32, "big") + point[33:])
    for one in broken:
        with pytest.raises(FormatTrouble):
            sm2.point_of(one)
        assert not sm2.verify_message(one, MESSAGE, key.sign_message(MESSAGE) if one == spki else sm2.KNOWN_SIGNATURE)


def test_arithmetic_handles_the_corners_of_the_group() -> None:
    """Doubling inside an addition, opposite points, infinity: what a signature hits once in 2^256."""
    g = sm2._Point(sm2.GX, sm2.GY, 1)
    minus = sm2._Point(sm2.GX, sm2.P - sm2.GY, 1)
    assert sm2._add(g, minus).z == 0
    assert affine(sm2._add(g, g)) == affine(sm2._double(g))
    assert sm2._add(sm2._INFINITY, g) == g and sm2._add(g, sm2._INFINITY) == g
    assert sm2._twofold(sm2.N - 1, 1, g).z == 0, "-G + G"
    assert affine(sm2._twofold(sm2.N - 1, 2, g)) == (sm2.GX, sm2.GY)
    assert affine(sm2._twofold(5, 7, g)) == affine(sm2._twofold(12, 0, g))


def affine(point: sm2._Point) -> tuple[int, int]:
    inverse = pow(point.z, -1, sm2.P)
    return point.x * inverse**2 % sm2.P, point.y * inverse**3 % sm2.P

"""One TLS way to the province and the names of its troubles. Never trusts the machine's own roots, proxies or netrc, never follows a redirect.

Certificates of roots are handed to OpenSSL from memory. OpenSSL takes a client key from a file only: it is written encrypted under a random
password that lives in memory, into a file of mode 0600, and unlinked as soon as OpenSSL has read it.
"""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import re
import secrets
import ssl
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_der_private_key

from sync.canon import parse_json
from sync.errors import (
    ClockWrong,
    FormatTrouble,
    ProvinceBusy,
    ProvinceRefused,
    ProvinceTrouble,
    ProvinceUnreachable,
    ProxyTrouble,
    ReaderRefused,
    SignatureLate,
    StationCloned,
    StationExpired,
    StationReplaced,
    StationRevoked,
    StationUnknown,
    TlsTrouble,
)
from sync.line import End, PlainRefused, PrivateRoots, ProxySilent

__all__ = ["Answer", "DeviceIdentity", "Limits", "Wire", "open_session", "tls_context"]

LATER = frozenset({408, 409, 423, 425, 460})
"""4xx answers that may change by themselves: time-out, conflict of the moment, locked, too early, damaged on the way (tus)."""

FINAL_CONFLICTS = frozenset({"record.other", "journal.fork"})
"""Codes of 409 that no waiting mends: another content under the same record id, another journal than the one told before."""

REFUSALS: Mapping[str, type[ProvinceRefused]] = {
    "station.certificate": StationUnknown, "station.cloned": StationCloned, "station.expired": StationExpired, "station.replaced": StationReplaced,
    "station.revoked": StationRevoked, "signature.late": SignatureLate,
}
"""Codes that refuse the station itself, or a record for a reason that a person here can mend."""

_SLOW_PART = 1_048_576
"""Bytes of the largest body that a slow line is given (``sync.upload.PART``); larger ones go out only where smaller ones were quick."""

_NOT_YET_VALID, _EXPIRED = 9, 10
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED: with a private root nearly always this machine's clock."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect (or for the next piece that is sent), between two pieces of an answer, and for the whole request; bytes of the largest answer;
    bytes a second of the slowest line, for which a body gets its time on top: it may lie in this machine's own buffers long after it was "sent".
    """

    connect_s: float = 10.0
    read_s: float = 30.0
    whole_s: float = 120.0
    most_bytes: int = 16 * 1024 * 1024
    slowest: float = 8192.0


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """The station's own certificate and key (DER; the key is PKCS#8)."""

    certificate: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)
    private_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; nothing in it has been verified."""

    status: int
    headers: Mapping[str, str]
    untrusted_content: bytes = field(repr=False)


def tls_context(roots: Iterable[bytes], identity: DeviceIdentity | None = None, folder: Path | None = None) -> ssl.SSLContext:
    """A client context that trusts ``roots`` (DER) and nothing else; ``folder`` is where the encrypted key stands for a moment (None: the system's).

    Raises FormatTrouble where a root or the identity is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        for root in roots:
            context.load_verify_locations(cadata=root)
        if identity is not None:
            _load_identity(context, identity, folder)
    except (ssl.SSLError, ValueError) as error:
        raise FormatTrouble("certificates for TLS cannot be used", what="tls") from error
    return context


def _load_identity(context: ssl.SSLContext, identity: DeviceIdentity, folder: Path | None) -> None:
    password = secrets.token_hex(32)
    key = load_der_private_key(identity.private_key, None)
    pem = b"".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in (identity.certificate, *identity.chain))
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
    handle, name = tempfile.mkstemp(prefix="tls-", suffix=".pem", dir=folder)  # mode 0600 by mkstemp
    try:
        with open(handle, "wb") as file:
            file.write(pem)
        context.load_cert_chain(name, password=password)
    finally:
        os.unlink(name)


class _Session(requests.Session):
    """Looks at no redirect: requests would read the whole answer for it, however large, and take its address apart, whatever that is."""

    def get_redirect_target(self, resp: Any) -> None:
        return None


def open_session(context: ssl.SSLContext, proxies: Mapping[str, str] | None = None) -> requests.Session:
    """A session over ``context``. ``proxies`` as requests wants them, e.g. ``{"https": "http://10.0.0.1:3128"}``; the environment is not asked."""
    session = _Session()
    session.trust_env = False
    session.proxies = dict(proxies or {})
    session.headers.update({"User-Agent": "hall-intake", "Accept": "application/json", "Accept-Encoding": "identity"})
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", PrivateRoots(context))
    session.mount("http://", PlainRefused())
    return session


class Wire:
    """Requests and answers over one session, to be used by one thread at a time."""

    def __init__(self, url: str, session: requests.Session, limits: Limits | None = None) -> None:
        """``url``: https://host[:port][/path] of the province."""
        if not url.startswith("https://"):
            raise FormatTrouble("the province's address is not https", what="url")
        self._url = url.rstrip("/")
        self._session = session
        self._limits = limits or Limits()
        adapter = session.get_adapter(self._url)
        self._end = adapter.end if isinstance(adapter, PrivateRoots) else End()

    def close(self) -> None:
        """Closes the connection."""
        self._session.close()

    def hang_up(self) -> None:
        """The next question goes out on a new line."""
        self._session.close()

    def cut(self) -> None:
        """From any thread: what is under way ends at once, and this way is over."""
        self._end.cut()

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, good: Collection[int] = (200,),
            sent: Callable[[], object] | None = None) -> Answer:
        """One request; the answer's status is one of ``good``. ``sent()`` is called when the body has left, before the answer is there.

        Raises ProvinceUnreachable, TlsTrouble, ClockWrong; for other statuses what ``trouble_of`` says.
        """
        limits = self._limits
        sending = min(len(body or b""), _SLOW_PART) / limits.slowest
        self._end.within(limits.whole_s + sending, body, sent)
        try:
            with self._session.request(
                method, self._url + path, data=body, headers=dict(headers or {}), stream=True, allow_redirects=False,
                timeout=(limits.connect_s, limits.read_s + sending), verify=True,
            ) as response:
                answer = Answer(response.status_code, response.headers, self._read(response))
        except (requests.RequestException, OSError) as error:
            raise _wire_trouble(error) from error
        if answer.status not in good:
            raise trouble_of(answer)
        return answer

    def ask_json(self, method: str, path: str, body: bytes | None = None, good: Collection[int] = (200,)) -> tuple[int, bytes]:
        """As ``ask``, where the province always answers JSON. Raises TlsTrouble (why: ``login_page``) for anything else: not the province speaks."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        answer = self.ask(method, path, body, headers, good)
        _refuse_pages(answer)
        return answer.status, answer.untrusted_content

    def _read(self, response: requests.Response) -> bytes:
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_content(65_536):
            size += len(piece)
            if size > self._limits.most_bytes:
                raise ProvinceTrouble("the answer is too large", status=response.status_code)
            pieces.append(piece)
        return b"".join(pieces)


def trouble_of(answer: Answer) -> ProvinceTrouble:
    """The trouble of an answer that was not wanted. ProvinceRefused only where the province says so itself, with its code; a gateway's page never is that."""
    status, code = answer.status, _code(answer)
    later = retry_after(answer.headers.get("Retry-After", ""), _moment(answer.headers.get("Date", "")))
    if status in (429, 503):
        return ProvinceBusy(f"status {status}", retry_after=later, status=status)
    if status == 511 or 300 <= status < 400:
        return TlsTrouble(f"status {status}: a login page stands between", why="login_page")
    if 200 <= status < 300:
        _refuse_pages(answer)
        return ProvinceTrouble(f"status {status} was not expected here", status=status)
    if 400 <= status < 500 and code and (status not in LATER or code in FINAL_CONFLICTS):
        return REFUSALS.get(code, ReaderRefused if code.startswith("sam.") else ProvinceRefused)(f"status {status}: {code}", status=status, why=code)
    return ProvinceTrouble(f"status {status}: {code or 'no code'}", status=status, why=code, retry_after=later)


def retry_after(untrusted: str, now: datetime | None = None) -> float:
    """Seconds of a Retry-After header (seconds or a date), 0 where there is none, at most an hour. ``now``: by the clock of who answered, else by ours."""
    untrusted = untrusted.strip()
    seconds = 0.0
    if untrusted.isascii() and untrusted.isdigit():
        seconds = float(untrusted[:9])
    elif (moment := _moment(untrusted)) is not None:
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), 3600.0)


def _moment(untrusted: str) -> datetime | None:
    """A date of HTTP, or None."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        moment = parsedate_to_datetime(untrusted.strip())
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    return None


def _code(answer: Answer) -> str:
    """The code of a province's error body (FORMATS section 13), empty for anybody else's page."""
    try:
        body = parse_json(answer.untrusted_content, "answer")
    except FormatTrouble:
        return ""
    code = body.get("code", "") if body.get("type") == "hall-intake/error/1" else ""
    return code[:64] if isinstance(code, str) and code.isprintable() else ""


def _refuse_pages(answer: Answer) -> None:
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or not answer.untrusted_content.lstrip().startswith(b"{"):
        raise TlsTrouble(f"an answer of kind {kind[:40]!r}: a login page?", why="login_page")


def _wire_trouble(error: BaseException) -> ProvinceTrouble:
    if _inner(error, ProxySilent) is not None:
        return ProxyTrouble("the proxy does not answer", why="silent")
    verification = _inner(error, ssl.SSLCertVerificationError)
    if isinstance(verification, ssl.SSLCertVerificationError):
        if verification.verify_code in (_NOT_YET_VALID, _EXPIRED):
            return ClockWrong(f"verify code {verification.verify_code}")
        return TlsTrouble(f"verify code {verification.verify_code}: {verification.verify_message}", why="certificate")
    if _inner(error, ssl.SSLEOFError) or _inner(error, ssl.SSLZeroReturnError):
        return ProvinceUnreachable("the connection ended within TLS")  # a restart or a cut, nobody's wrong certificate
    tls = _inner(error, ssl.SSLError) or _inner(error, requests.exceptions.SSLError)
    if tls is not None:
        return _handshake_trouble(str(getattr(tls, "reason", "") or type(tls).__name__))
    if isinstance(error, requests.exceptions.ProxyError):
        return _proxy_trouble(str(_deepest(error)))
    if isinstance(error, requests.exceptions.InvalidSchema):
        return TlsTrouble("only https is spoken", why="plain")
    return ProvinceUnreachable(type(_deepest(error)).__name__)


def _handshake_trouble(reason: str) -> ProvinceTrouble:
    """An alert about a certificate is about ours: the other side's was judged here. ``reason`` is OpenSSL's name of it."""
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        kind = StationExpired if "EXPIRED" in reason else StationRevoked if "REVOKED" in reason else StationUnknown
        return kind(f"TLS: {reason}", why="station.certificate")
    return TlsTrouble(f"TLS: {reason}", why="handshake")


def _proxy_trouble(words: str) -> ProvinceUnreachable:
    """``words``: of the standard library, ``Tunnel connection failed: 407 ...`` where the proxy answered. 502 and 504 speak of what lies behind it."""
    status = re.search(r"Tunnel connection failed: (\d{3})", words)
    if status and status[1] in ("500", "502", "503", "504"):
        return ProvinceUnreachable(f"the proxy found nobody behind it: {status[1]}")
    return ProxyTrouble(f"the proxy refused: {status[1]}" if status else "the proxy does not answer", why=status[1] if status else "silent")


def _links(error: BaseException) -> list[BaseException]:
    """The error and everything that requests and urllib3 wrapped into it."""
    found: list[BaseException] = [error]
    for one in found:  # grows while it is walked
        more = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        found.extend(m for m in more if isinstance(m, BaseException) and not any(m is known for known in found))
    return found


def _inner(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    return next((one for one in _links(error) if isinstance(one, kind)), None)


def _deepest(error: BaseException) -> BaseException:
    return _links(error)[-1]

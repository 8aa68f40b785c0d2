"""The rooms that token work needs, around a soft token: a real driver, a station of two people, a journal that only remembers. Never a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

from desktop.effects.tokens import TokenWork
from desktop.flows.words import CertificateChoice, ListCertificates
from devices.registry import Listed, Registry
from devices.tokens.hosted import HostedDriver
from sync.revocation import Revocations

__all__ = ["TokenRoom"]


@dataclass
class TokenRoom:
    """``notes``: journal lines as (who, what, about, facts)."""

    driver: HostedDriver
    roots: tuple[bytes, ...]
    roles: Mapping[str, frozenset[str]]
    lists: Path = Path("nowhere")
    """Where lists of revoked certificates are kept."""
    notes: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.registry = Registry([Listed("tokens", self.driver.name, lambda: self.driver)])
        people = {id: SimpleNamespace(id=id, name="某人", roles=roles) for id, roles in self.roles.items()}
        self.station = SimpleNamespace(signer_roots=self.roots, person=people.get)
        self.revocations = Revocations(self.lists)
        self.work = TokenWork(lambda: self)

    def note(self, who: str, what: str, about: str = "", facts: Mapping[str, Any] | None = None) -> None:
        self.notes.append((who, what, about, dict(facts or {})))

    def choices(self) -> dict[str, CertificateChoice]:
        """By token label."""
        return {one.device.name: one for one in self.work.list(ListCertificates(), Event(), None).certificates}

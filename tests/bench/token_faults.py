"""Prints what each kind of soft token makes of each fault: the trouble's code, its detail where it has one, and the tries left. From real outcomes only.

    python -m tests.bench.token_faults [--markdown]

Needs what the token tests need (softhsm2, gcc, openssl), no network and no namespace. Judges nothing: the contract suite does.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from devices.tokens.hosted import HostedDriver, HostedToken, Patience
from resources.trouble import Trouble
from tests.emulators.softhsm import FaultyLibrary
from tests.emulators.softskf import SoftSkf
from tests.emulators.token_kinds import PIN, WRONG, Kind, by_name, sign, soft_kinds

__all__ = ["FAULTS", "main", "outcome"]

NONE = "-"
"""This kind of library cannot be told to have the fault, or has no such thing."""
IMPATIENT = Patience(find=1, read=20, login=2, sign=2)
Fault = Callable[[Kind, HostedDriver, HostedToken], str]


def told(action: Callable[[], object]) -> str:
    """Code and most telling fact of what an action raised, or ``ok``."""
    try:
        action()
    except Trouble as trouble:
        facts = trouble.facts
        if "tries_left" in facts:
            return f"{trouble.code} (left: {'not told' if facts['tries_left'] is None else facts['tries_left']})"
        return trouble.code + (f" ({facts['status']})" if facts.get("status") and trouble.code == "token.trouble" else "")
    return "ok"


def logged_in(token: HostedToken) -> None:
    token.login(PIN)


def wrong_pins(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    if kind.faults is not None:
        kind.faults.count_tries(3)
    said = [told(lambda: token.login(WRONG)) for _ in range(3)]
    said.append("then right: " + told(lambda: token.login(PIN)))
    return "; ".join(said) + (f"; tries that reached the token: {kind.faults.logins}" if kind.faults is not None else "")


def last_try(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    if kind.faults is None:
        return NONE
    kind.faults.count_tries(1)
    state = token.pin_state()
    left = "not told" if state.tries_left is None else state.tries_left
    return f"before the question: left {left}, last try {state.last_try}; {told(lambda: token.login(PIN))}"


def default_pin(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    if not isinstance(kind.faults, SoftSkf):
        return NONE
    kind.faults.default_pin()
    return f"told before the question: {token.pin_state().default_pin}"


def pin_pad(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    if not isinstance(kind.faults, FaultyLibrary):
        return NONE
    said = []
    for typed in (PIN, WRONG, "cancel"):
        kind.faults.pin_pad(typed)
        said.append(told(lambda: token.login(None)))
        token.logout()
    return f"right {said[0]}; wrong {said[1]}; cancelled on the pad {said[2]}"


def pulled_before(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    kind.pull()
    return told(lambda: token.login(PIN)) + (f"; tries {kind.faults.logins}" if kind.faults is not None else "")


def pulled_during(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    if kind.faults is None:
        return NONE
    logged_in(token)
    kind.faults.sign_slowly(1500)
    hand = threading.Timer(0.3, kind.pull)
    hand.start()
    said = told(lambda: sign(token, kind.operator))
    hand.join()
    return said


def pulled_after(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    logged_in(token)
    sign(token, kind.operator)
    kind.pull()
    return told(lambda: sign(token, kind.operator)) + "; listed: " + ("no" if "operator" not in {one.name for one in driver.find()} else "yes")


def replugged(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    logged_in(token)
    kind.pull()
    kind.replug()
    first, second = told(lambda: sign(token, kind.operator)), told(lambda: sign(token, kind.operator))
    token.login(PIN)
    return f"{first}, then {second}, after the PIN {told(lambda: sign(token, kind.operator))}"


def slept(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    if kind.faults is None:
        return NONE
    logged_in(token)
    kind.faults.sleep()
    said = told(lambda: sign(token, kind.operator))
    token.login(PIN)
    return f"{said}, after the PIN {told(lambda: sign(token, kind.operator))}"


def crashed(where: str) -> Fault:
    def fault(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
        if kind.faults is None:
            return NONE
        if where == "sign":
            logged_in(token)
        kind.faults.crash(where)
        said = told((lambda: sign(token, kind.operator)) if where == "sign" else lambda: token.login(PIN))
        kind.faults.heal()
        return f"{said}, then {told(lambda: sign(token, kind.operator))}"

    return fault


def hung(where: str) -> Fault:
    def fault(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
        if kind.faults is None:
            return NONE
        if where == "sign":
            logged_in(token)
        kind.faults.hang(where)
        calls = {"sign": lambda: sign(token, kind.operator), "login": lambda: token.login(PIN), "list": driver.find}
        said = told(calls[where])
        kind.faults.heal()
        return f"{said}, then {told(driver.find if where == 'list' else lambda: sign(token, kind.operator))}"

    return fault


def wrong_length(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    if not isinstance(kind.faults, SoftSkf):
        return NONE
    logged_in(token)
    kind.faults.wrong_length()
    return f"signature: {told(lambda: sign(token, kind.operator))}; certificate: {told(token.certificates)}"


def busy(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    if kind.faults is None:
        return NONE
    if isinstance(kind.faults, SoftSkf):
        kind.faults.busy()
    else:
        kind.faults.fail("login", 0x100)  # CKR_USER_ALREADY_LOGGED_IN: somebody else's session
    return told(lambda: token.login(PIN)) + f"; tries {kind.faults.logins}"


def failed(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    if kind.faults is None:
        return NONE
    kind.faults.fail("login", 0x0A000001 if isinstance(kind.faults, SoftSkf) else 0x6)
    return told(lambda: token.login(PIN)) + " (never called a wrong PIN)"


def unknown_key(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    logged_in(token)
    digest = hashlib.sha256(b"x").digest()
    return told(lambda: token.sign(b"\x77", kind.operator.mechanism, digest))


def not_logged_in(kind: Kind, driver: HostedDriver, token: HostedToken) -> str:
    return told(lambda: sign(token, kind.operator))


FAULTS: dict[str, Fault] = {
    "no fault": lambda kind, driver, token: told(lambda: (token.login(PIN), kind.operator.verify(sign(token, kind.operator)))),
    "wrong PIN, down to locked": wrong_pins, "last try": last_try, "default PIN": default_pin, "PIN pad": pin_pad, "not logged in": not_logged_in,
    "pulled before login": pulled_before, "pulled during a signature": pulled_during, "pulled after a signature": pulled_after,
    "pulled and replugged": replugged, "computer slept": slept, "crash at login": crashed("login"), "crash in a signature": crashed("sign"),
    "hang at login": hung("login"), "hang in a signature": hung("sign"), "hang while listing": hung("list"), "answer of a wrong length": wrong_length,
    "held by another program": busy, "library fails at login": failed, "key that is not there": unknown_key,
}  # fmt: skip


def outcome(kind: Kind, fault: Fault) -> str:
    """What one kind of token makes of one fault."""
    driver = kind.driver(IMPATIENT)
    try:
        with driver.open(by_name(driver, "operator")) as token:
            return fault(kind, driver, token)
    finally:
        kind.heal()
        driver.close()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", action="store_true", help="as a table of a note")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, soft_kinds(Path(folder)) as kinds:
        if given.markdown:
            print("| Fault | " + " | ".join(kinds) + " |\n" + "|---" * (len(kinds) + 1) + "|")
        for name, fault in FAULTS.items():
            said = {kind.name: outcome(kind, fault) for kind in kinds.values()}
            if given.markdown:
                print(f"| {name} | " + " | ".join(said.values()) + " |", flush=True)
                continue
            print(name)
            for kind_name, words in said.items():
                print(f"  {kind_name:8}  {words}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""PIN manners of the desk over real drivers: seven troubles are seven messages, no try is wasted, failures are in the journal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from desktop.flows.words import CertificateChoice, Login, ReadPinState
from desktop.messages import say
from devices.errors import DefaultPin, DriverMissing, NoToken, PinLocked, TokenBusy, TokenGone, WrongPin
from devices.tokens.skf import SkfDriver
from resources.trouble import Trouble
from sync.certificates import certificate_facts
from sync.errors import CertificateExpired, CertificateTrouble, NotAllowed
from sync.revocation import Revocations
from sync.signing import check_signature
from tests.emulators.sm2_ca import PracticeSm2Ca
from tests.emulators.softskf import SoftSkf
from tests.unit.desktop.effects.token_room import TokenRoom

PIN = "123456"
NOW = datetime.now(UTC)
RECORD_ID = "8b1a9953-c461-4a29-b3c7-0d5f6e7a8b9c"


class Hall:
    """A soft SKF library with three people, one of them with an expired certificate."""

    def __init__(self, folder) -> None:
        self.ca, self.skf = PracticeSm2Ca(folder / "ca"), SoftSkf(folder / "skf")
        self.skf.make_person(self.ca, "operator", PIN, "OP-000017", "张三")
        self.skf.make_person(self.ca, "stranger", PIN, "OP-000088", "李四")
        old = {"not_before": NOW - timedelta(days=400), "not_after": NOW - timedelta(days=2)}
        self.skf.make_person(self.ca, "expired", PIN, "OP-000018", "王五", **old)
        # an SKF token carries no certificates of authorities, so the province lists the issuing one as an anchor
        self.roots = (*self.ca.signer_roots, *self.ca.chain)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Hall:
    return Hall(tmp_path_factory.mktemp("desk-tokens"))


@pytest.fixture
def room(hall: Hall) -> Iterator[TokenRoom]:
    roles = frozenset({"collector"})
    room = TokenRoom(SkfDriver(hall.skf.path, "skf", emulated=True), hall.roots, {"OP-000017": roles, "OP-000018": roles})
    yield room
    room.driver.close()
    hall.skf.heal()


def login(room: TokenRoom, choice: CertificateChoice, pin: str | None = PIN) -> Any:
    return room.work.login(Login(choice, pin), Event(), None)


def test_choices_say_who_is_usable_and_why_not(room: TokenRoom) -> None:
    assert {name: (one.usable, one.why) for name, one in room.choices().items()} == {
        "operator": (True, ""), "stranger": (False, "no_role"), "expired": (False, "expired"),
    }  # fmt: skip


def test_an_sm2_person_logs_in_and_signs(room: TokenRoom, hall: Hall) -> None:
    choice = room.choices()["operator"]
    assert login(room, choice).operator.operator_id == "OP-000017"
    assert room.notes == [("op:OP-000017", "login.done", "", {})]
    content = b'{"claimed_at":"%s"}' % NOW.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    report = check_signature(content, room.work.sign(choice, PIN, content, NOW), hall.ca.signer_roots, NOW)
    assert (report.trusted, report.profile, report.others) == (True, "gm-p7-plain", hall.ca.chain), "the issuing certificate goes along, the root does not"


def test_seven_troubles_are_seven_messages(room: TokenRoom, hall: Hall) -> None:
    choices = room.choices()
    choice = choices["operator"]
    seen: dict[type[Trouble], Trouble] = {}

    def meets(kind: type[Trouble], action) -> None:
        with pytest.raises(kind) as caught:
            action()
        assert type(caught.value) is kind
        seen[kind] = caught.value
        hall.skf.heal()

    hall.skf.count_tries(2)
    meets(WrongPin, lambda: login(room, choice, "000000"))
    hall.skf.count_tries(1)
    meets(PinLocked, lambda: login(room, choice, "000000"))
    seen[TokenGone] = pulled(room, hall, choice)
    hall.skf.busy()
    meets(TokenBusy, lambda: login(room, choice))
    hall.skf.default_pin()
    meets(DefaultPin, lambda: login(room, choice))
    meets(CertificateExpired, lambda: login(room, choices["expired"]))
    seen[DriverMissing] = missing(hall)
    for lang in ("zh_CN", "en"):
        titles = {kind.__name__: say(trouble, lang).title for kind, trouble in seen.items()}
        assert len(seen) == len(set(titles.values())) == 7, titles
    assert seen[WrongPin].facts == {"tries_left": 1}
    assert f"{NOW - timedelta(days=2):%Y-%m-%d}" in say(seen[CertificateExpired]).cause


def pulled(room: TokenRoom, hall: Hall, choice: CertificateChoice) -> TokenGone:
    """Pulled while it signs; gives the trouble. On a busy machine the hand may be quicker than the log-in: then once more, later."""
    for seconds in (0.7, 4.0, 12.0):
        hall.skf.sign_slowly(3000 + int(seconds * 1000))
        hand = threading.Timer(seconds, hall.skf.pull)
        hand.start()
        with pytest.raises((TokenGone, NoToken)) as caught:
            room.work.sign(choice, PIN, b"{}", NOW, RECORD_ID)
        hand.join()
        hall.skf.heal()
        if isinstance(caught.value, TokenGone):
            return caught.value
    raise AssertionError("pulled before the log-in each time")


def missing(hall: Hall) -> DriverMissing:
    driver = SkfDriver(str(hall.skf.folder / "nowhere.so"), "skf")
    with pytest.raises(DriverMissing) as caught:
        driver.find()
    return caught.value


def test_no_try_is_spent_on_what_cannot_sign(room: TokenRoom, hall: Hall) -> None:
    """Factory PIN, expired certificate, a person without a role: the PIN never reaches the token."""
    choices = room.choices()
    hall.skf.default_pin()
    with pytest.raises(DefaultPin):
        room.work.pin_state(ReadPinState(choices["operator"]), Event(), None)
    with pytest.raises(DefaultPin):
        room.work.sign(choices["operator"], PIN, b"{}", NOW)
    hall.skf.heal()
    with pytest.raises(CertificateExpired):
        room.work.sign(choices["expired"], PIN, b"{}", NOW)
    with pytest.raises(NotAllowed):
        login(room, CertificateChoice(**{name: getattr(choices["stranger"], name) for name in choices["stranger"].__slots__} | {"usable": True}))
    assert hall.skf.logins == 0
    assert room.notes[-1] == ("station", "login.failed", "", {"code": "person.not_allowed"}), "a refusal is a line, too"


def test_a_revoked_certificate_is_not_usable_and_a_good_one_says_how_old_its_list_is(room: TokenRoom, hall: Hall, tmp_path: Path) -> None:
    room.revocations = Revocations(tmp_path)
    before = room.choices()["operator"]
    assert (before.usable, before.revocation, before.revocation_as_of) == (True, "unknown", None), "nothing known keeps nobody from working"
    made = NOW.replace(microsecond=0) - timedelta(days=3)
    room.revocations.take(hall.ca.revocation_list({}, made, made + timedelta(days=1)), room.roots)
    old = room.choices()["operator"]
    assert (old.usable, old.revocation, old.revocation_as_of) == (True, "stale", made)
    serial = int(certificate_facts(room.work._seen[old.device, old.key_id]).serial, 16)
    room.revocations.take(hall.ca.revocation_list({serial: made}, made + timedelta(days=2), made + timedelta(days=9), 2), room.roots)
    now_known = room.choices()["operator"]
    assert (now_known.usable, now_known.why) == (False, "revoked")
    with pytest.raises(CertificateTrouble) as caught:
        login(room, old)
    assert caught.value.facts["why"] == "revoked" and hall.skf.logins == 0, "no try of the PIN is spent on it"


def test_a_pull_between_listing_and_signing_is_named(room: TokenRoom, hall: Hall) -> None:
    choice = room.choices()["operator"]
    pulled(room, hall, choice)
    assert room.notes[-1] == ("op:OP-000017", "signature.failed", RECORD_ID, {"code": "token.gone"})


def test_failures_are_in_the_journal_without_a_number_of_a_person(room: TokenRoom) -> None:
    choice = room.choices()["operator"]
    with pytest.raises(WrongPin):
        login(room, choice, "000000")
    with pytest.raises(WrongPin):
        room.work.sign(choice, "000000", b"{}", NOW, RECORD_ID)
    assert room.notes == [("station", "login.failed", "", {"code": "token.wrong_pin"}),
                          ("op:OP-000017", "signature.failed", RECORD_ID, {"code": "token.wrong_pin"})]


def test_a_try_is_never_repeated(room: TokenRoom, hall: Hall) -> None:
    choice = room.choices()["operator"]
    with pytest.raises(WrongPin):
        login(room, choice, "000000")
    assert hall.skf.logins == 1
    hall.skf.crash("sign")
    with pytest.raises(Trouble) as caught:
        login(room, choice)
    assert caught.value.code == "driver.crashed" and hall.skf.logins == 2

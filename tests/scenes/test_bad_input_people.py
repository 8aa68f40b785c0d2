"""PINs, tokens and certificates that are not as they should be, at the desk's stages: one try per press, nothing signed twice, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Desk
from desktop.flows.machine import Failed
from desktop.flows.words import (
    AskPin,
    CertificatePicked,
    DiscardConfirmed,
    DiscardPressed,
    LastTryAccepted,
    Login,
    ParkedPicked,
    PinTyped,
    RetryPressed,
    SignPressed,
    SyncPressed,
)
from desktop.messages import LANGUAGES, Words
from tests.emulators.ca import PracticeCa
from tests.emulators.softhsm import FaultyLibrary, SoftToken
from tests.scenes.bench import desk_on, provisioned, said
from tests.scenes.hall import ADMINISTRATOR, COLLECTOR, HALL_CODE, PracticeHall
from tests.scenes.stages import capture, lift, log_in, reviewed, type_in, until

pytestmark = pytest.mark.timeout(180)
WRONG = "000000"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory, qt_application: QApplication) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("h")) as open_hall:
        provisioned(open_hall)
        yield open_hall


@pytest.fixture(scope="module")
def library(hall: PracticeHall) -> FaultyLibrary:
    """In front of SoftHSM, on the station's signed list: counts PINs, is pulled, is slow."""
    made = FaultyLibrary(hall.folder / "faulty")
    hall.people[ADMINISTRATOR.id].replug()
    assert hall.station is not None
    hall.write_device_list(hall.station, tokens=[{"kind": "pkcs11", "library": made.path, "name": "faulty", "sha256": ""}])
    hall.people[ADMINISTRATOR.id].pull()
    return made


@pytest.fixture
def faulty(library: FaultyLibrary) -> Iterator[FaultyLibrary]:
    library.heal()
    yield library
    library.heal()


@pytest.fixture
def desk(hall: PracticeHall, faulty: FaultyLibrary) -> Iterator[Desk]:
    with desk_on(hall.home, hall) as open_desk:
        yield open_desk


def sitting(desk: Desk, hall: PracticeHall) -> str:
    """A whole sitting on its review page; gives the draft's id."""
    hall.place()
    until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh"), "the form filled from the card")
    lift(desk, hall)
    type_in(desk, cert_no="pin")
    capture(desk)
    reviewed(desk)
    return desk.intake.state.draft.draft_id


def ask_pin(desk: Desk, page: str = "pin") -> None:
    desk.review.post(AskPin())
    until(lambda: desk.review.state.page == page, f"the review page {page}")


def throw_away(desk: Desk) -> None:
    desk.intake.post(DiscardPressed())
    desk.intake.post(DiscardConfirmed())
    until(lambda: desk.intake.state.draft is None and not desk.jobs.busy("outbox"), "a clean desk")


# -- PINs ---------------------------------------------------------------------------------------------------------------------------------
def test_wrong_pin_at_log_in_down_to_locked(desk: Desk, faulty: FaultyLibrary) -> None:
    """Each press is one try: the library counts every PIN that reaches it."""
    faulty.count_tries(3)
    until(lambda: desk.login.state.page == "pin", "the PIN page")
    desk.login.post(PinTyped(WRONG))
    until(lambda: desk.login.state.page == "pin" and desk.login.state.trouble, "the PIN page again")
    said(desk.login.state.trouble, "token.wrong_pin")
    assert faulty.logins == 1 and desk.login.state.pin.low and desk.login.state.operator is None
    desk.login.post(PinTyped(WRONG))
    until(lambda: desk.login.state.page == "last_try", "the page before the last try")
    said(desk.login.state.trouble, "token.wrong_pin", tries_left=1)
    assert faulty.logins == 2 and desk.login.state.pin.tries_left == 1
    desk.login.post(PinTyped(WRONG))
    assert desk.login.state.page == "last_try", "no PIN is taken before the risk was accepted"
    desk.login.post(LastTryAccepted())
    desk.login.post(PinTyped(WRONG))
    until(lambda: desk.login.state.page == "locked_pin", "the page of a locked PIN")
    said(desk.login.state.trouble, "token.pin_locked")
    assert faulty.logins == 3
    desk.login.post(RetryPressed())
    until(lambda: desk.login.state.page == "locked_pin" and not desk.jobs.busy("token"), "still locked")
    assert faulty.logins == 3, "a locked token is left in peace"


def test_one_login_for_each_press(desk: Desk, hall: PracticeHall, faulty: FaultyLibrary) -> None:
    log_in(desk, COLLECTOR.pin)
    assert faulty.logins == 1
    draft = sitting(desk, hall)
    ask_pin(desk)
    assert faulty.logins == 1, "looking at the PIN's state costs no try"
    desk.review.post(SignPressed(COLLECTOR.pin))
    desk.review.post(SignPressed(COLLECTOR.pin))
    until(lambda: desk.review.state.page in ("kept", "receipt"), "kept")
    assert faulty.logins == 2, "two presses before the answer are one"
    until(lambda: desk.review.state.page == "receipt", "the receipt", 40)
    assert desk.rooms().parked.get(draft) is None


def test_wrong_pin_at_signing_then_the_right_one(desk: Desk, hall: PracticeHall, faulty: FaultyLibrary) -> None:
    log_in(desk, COLLECTOR.pin)
    faulty.count_tries(3)
    draft = sitting(desk, hall)
    ask_pin(desk)
    desk.review.post(SignPressed(WRONG))
    until(lambda: desk.review.state.page == "pin" and desk.review.state.trouble, "the PIN field again")
    said(desk.review.state.trouble, "token.wrong_pin")
    assert faulty.logins == 2 and desk.rooms().parked.get(draft) is not None
    desk.review.post(SignPressed(COLLECTOR.pin))
    until(lambda: desk.review.state.page == "receipt", "the receipt", 40)
    assert faulty.logins == 3


def test_pin_locked_at_signing_leaves_the_sitting_parked(desk: Desk, hall: PracticeHall, faulty: FaultyLibrary) -> None:
    log_in(desk, COLLECTOR.pin)
    faulty.count_tries(1)
    draft = sitting(desk, hall)
    ask_pin(desk, "last_try")
    desk.review.post(LastTryAccepted())
    desk.review.post(SignPressed(WRONG))
    until(lambda: desk.review.state.page == "locked_pin", "the page of a locked PIN")
    said(desk.review.state.trouble, "token.pin_locked")
    assert len(desk.rooms().parked.get(draft).stills) == 2 and desk.rooms().outbox.row(desk.review.state.sheet.record_id) is None
    throw_away(desk)


# -- a hand on the plug ---------------------------------------------------------------------------------------------------------------------
def test_token_pulled_on_the_pin_page_and_under_the_press(desk: Desk, faulty: FaultyLibrary) -> None:
    until(lambda: desk.login.state.page == "pin", "the PIN page")
    faulty.pull()
    desk.login.post(PinTyped(COLLECTOR.pin))
    until(lambda: desk.login.state.page == "no_token", "no token")
    assert desk.login.state.trouble is not None and desk.login.state.trouble.code in ("token.gone", "token.none")
    said(desk.login.state.trouble, desk.login.state.trouble.code)
    assert faulty.logins == 0
    faulty.replug()
    until(lambda: desk.login.state.page == "pin", "the PIN page by itself, once the token is back")
    faulty.pull()
    until(lambda: desk.login.state.page == "no_token", "no token, without a press")
    faulty.replug()
    log_in(desk, COLLECTOR.pin)
    assert faulty.logins == 1


def test_token_pulled_between_pin_and_signature(desk: Desk, hall: PracticeHall, faulty: FaultyLibrary) -> None:
    log_in(desk, COLLECTOR.pin)
    draft = sitting(desk, hall)
    ask_pin(desk)
    faulty.sign_slowly(1500)
    desk.review.post(SignPressed(COLLECTOR.pin))
    until(lambda: faulty.logins == 2, "the PIN at the token")
    faulty.pull()
    until(lambda: desk.review.state.page == "reading" and desk.review.state.trouble, "the review page again")
    said(desk.review.state.trouble, "token.gone")
    sheet = desk.review.state.sheet
    assert desk.rooms().outbox.row(sheet.record_id) is None and len(desk.rooms().parked.get(draft).stills) == 2
    faulty.sign_slowly(0)
    faulty.replug()
    ask_pin(desk)
    desk.review.post(SignPressed(COLLECTOR.pin))
    until(lambda: desk.review.state.page == "receipt", "the receipt", 40)
    assert faulty.logins == 3 and desk.rooms().outbox.row(sheet.record_id).record_digest == sheet.digest


def test_library_that_crashes_or_hangs_is_not_the_end(desk: Desk, hall: PracticeHall, faulty: FaultyLibrary) -> None:
    log_in(desk, COLLECTOR.pin)
    sitting(desk, hall)
    ask_pin(desk)
    faulty.crash("sign")
    desk.review.post(SignPressed(COLLECTOR.pin))
    until(lambda: desk.review.state.page == "reading" and desk.review.state.trouble, "the review page again")
    said(desk.review.state.trouble, "driver.crashed")
    faulty.heal()
    ask_pin(desk)
    desk.review.post(SignPressed(COLLECTOR.pin))
    until(lambda: desk.review.state.page == "receipt", "the receipt", 40)


# -- certificates -------------------------------------------------------------------------------------------------------------------------
@contextmanager
def plugged(hall: PracticeHall, *tokens: SoftToken) -> Iterator[None]:
    try:
        yield
    finally:
        for token in tokens:
            if token.plugged:
                token.pull()


def test_certificates_that_do_not_fit_are_shown_with_their_reason(hall: PracticeHall, faulty: FaultyLibrary) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    foreign = PracticeCa.make(hall.folder / "foreign-ca")
    ended = hall.tokens.make_person(hall.ca, "ended", WRONG, COLLECTOR.id, "旧证书", not_before=today - timedelta(days=400),
                                    not_after=today - timedelta(days=1))
    unknown = hall.tokens.make_person(hall.ca, "unknown", WRONG, "OP-999999", "陌生人")
    stranger = hall.tokens.make_person(foreign, "stranger", WRONG, COLLECTOR.id, COLLECTOR.name)
    with plugged(hall, ended, unknown, stranger), desk_on(hall.home, hall) as desk:
        until(lambda: desk.login.state.page == "certificates" and len(desk.login.state.certificates) == 4, "all certificates")
        by_why = {one.why: one for one in desk.login.state.certificates}
        assert set(by_why) == {"", "expired", "no_role", "untrusted"} and [why for why, one in by_why.items() if one.usable] == [""]
        for why, code in (("expired", "certificate.expired"), ("untrusted", "certificate.refused"), ("no_role", "person.not_allowed")):
            assert all(Words(lang).has(f"login.why_{why}") for lang in LANGUAGES)
            desk.login.post(CertificatePicked(by_why[why]))
            assert desk.login.state.page == "certificates", "what does not fit cannot be picked"
            answers: list[Failed] = []   # and where somebody picks it all the same, no PIN is used
            desk._carrier.carry(Login(by_why[why], WRONG), answers.append)
            until(lambda answers=answers: answers, "the answer")
            said(answers[0].trouble, code)
        desk.login.post(CertificatePicked(by_why[""]))
        assert faulty.logins == 0
        log_in(desk, COLLECTOR.pin)
        assert faulty.logins == 1


def test_role_taken_away_while_somebody_works(desk: Desk, hall: PracticeHall, faulty: FaultyLibrary) -> None:
    log_in(desk, COLLECTOR.pin)
    draft = sitting(desk, hall)
    people = {"id": COLLECTOR.id, "name": COLLECTOR.name, "roles": list(COLLECTOR.roles), "hall": HALL_CODE}
    hall.province.order("people", **people, remove=True)
    try:
        desk.intake.post(SyncPressed())
        until(lambda: desk.rooms().station.person(COLLECTOR.id) is None, "the province's news", 40)
        ask_pin(desk)
        desk.review.post(SignPressed(COLLECTOR.pin))
        until(lambda: desk.review.state.page == "reading" and desk.review.state.trouble, "the review page again")
        said(desk.review.state.trouble, "person.not_allowed")
        assert faulty.logins == 1, "no PIN for somebody who may not sign"
        assert desk.rooms().parked.get(draft) is not None
    finally:
        hall.province.order("people", **people)
        desk.intake.post(SyncPressed())
        until(lambda: desk.rooms().station.person(COLLECTOR.id) is not None, "the role given back", 40)
    throw_away(desk)


def test_parked_sitting_is_the_owners_alone(desk: Desk, hall: PracticeHall) -> None:
    """What the bench parked can be taken up again after all of this."""
    log_in(desk, COLLECTOR.pin)
    parked = until(lambda: desk.intake.state.parked, "the parked sitting")
    desk.intake.post(ParkedPicked(parked[0].draft_id))
    until(lambda: desk.intake.state.draft and len(desk.intake.state.pictures) == 2, "the sitting with its pictures")

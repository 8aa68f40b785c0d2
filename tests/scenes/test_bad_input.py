"""Readers, cards and documents that are not as they should be, at the desk's stages: each says its code and its remedy, and the next card works at once."""

from __future__ import annotations

import struct
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Desk
from desktop.flows.words import (
    CapturePressed,
    DiscardConfirmed,
    DiscardPressed,
    DocumentPressed,
    FileGiven,
    ListOutbox,
    ReadPressed,
    RetryPressed,
    ReviewPressed,
)
from desktop.messages import LANGUAGES, Words
from desktop.rooms import now
from desktop.staff.wording import issue_words
from tests.emulators.idcards import EXPIRED, WRONG_CHECK
from tests.emulators.pcscd import SOCKET, _polkit_off
from tests.emulators.sam_reader import Faults
from tests.scenes.bench import desk_on, provisioned, said
from tests.scenes.hall import COLLECTOR, PracticeHall
from tests.scenes.stages import lift, log_in, until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory, qt_application: QApplication) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("h")) as open_hall:
        provisioned(open_hall)
        yield open_hall


@pytest.fixture
def desk(hall: PracticeHall) -> Iterator[Desk]:
    with desk_on(hall.home, hall) as open_desk:
        log_in(open_desk, COLLECTOR.pin)
        yield open_desk


def lamp(desk: Desk, name: str) -> tuple[str, str]:
    """State and code of one lamp."""
    return next(((one.state, one.code) for one in desk.intake.state.devices if one.name == name), ("", ""))


def trouble_at(desk: Desk, code: str) -> None:
    until(lambda: desk.intake.state.trouble and desk.intake.state.reading is None, f"the trouble {code}")   # the watch may say it before the read does
    said(desk.intake.state.trouble, code)
    assert desk.intake.state.draft is None


def next_card_works(desk: Desk, hall: PracticeHall) -> None:
    """Laid down, read, thrown away."""
    hall.place()
    until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh") == "李练工", "the next card read by itself")
    assert desk.intake.state.trouble is None
    lift(desk, hall)
    desk.intake.post(DiscardPressed())
    desk.intake.post(DiscardConfirmed())
    until(lambda: desk.intake.state.draft is None and not desk.jobs.busy("outbox"), "a clean desk")


# -- readers ------------------------------------------------------------------------------------------------------------------------------
def test_reader_without_module(desk: Desk, hall: PracticeHall) -> None:
    hall.place(faults=Faults(no_sam=True))
    trouble_at(desk, "reader.no_sam")
    lift(desk, hall)
    next_card_works(desk, hall)


@contextmanager
def service_without_readers(hall: PracticeHall, folder: Path) -> Iterator[None]:
    """The smart-card service runs, but no reader is plugged."""
    hall.pcscd.stop()
    (folder / "reader.conf").write_text("")
    SOCKET.unlink(missing_ok=True)
    service = subprocess.Popen(["pcscd", "--foreground", "--config", str(folder / "reader.conf"), *_polkit_off()], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(SOCKET.exists, "the service without readers")
        yield
    finally:
        service.terminate()
        service.wait(10)
        hall.pcscd.start()


def test_no_reader(desk: Desk, hall: PracticeHall, tmp_path: Path) -> None:
    with service_without_readers(hall, tmp_path):
        until(lambda: lamp(desk, "reader") == ("absent", "reader.none"), "the lamp says that no reader is there")
        desk.intake.post(ReadPressed())
        trouble_at(desk, "reader.none")
    until(lambda: lamp(desk, "reader")[0] == "good", "the lamp says that the reader is back")
    next_card_works(desk, hall)


def test_service_stopped_and_started_again(desk: Desk, hall: PracticeHall) -> None:
    hall.pcscd.stop()
    try:
        until(lambda: lamp(desk, "reader") == ("trouble", "reader.service_stopped"), "the lamp says that the service stands")
        desk.intake.post(ReadPressed())
        trouble_at(desk, "reader.service_stopped")
    finally:
        hall.pcscd.start()
    until(lambda: lamp(desk, "reader")[0] == "good", "the lamp says that the service is back")
    next_card_works(desk, hall)


# -- cards --------------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("after", [0, 3, 5])
def test_card_pulled_in_the_middle(desk: Desk, hall: PracticeHall, after: int) -> None:
    hall.place(faults=Faults(pull_after=after))
    until(lambda: desk.intake.state.trouble, "the card missed")
    said(desk.intake.state.trouble, "card.removed")
    assert desk.intake.state.draft is None and desk.intake.state.retry is not None
    lift(desk, hall)
    next_card_works(desk, hall)


def test_card_pulled_then_the_same_button(desk: Desk, hall: PracticeHall) -> None:
    """Try again without a card says what is missing; with the card it reads."""
    hall.place(faults=Faults(pull_after=3))
    until(lambda: desk.intake.state.trouble, "the card missed")
    lift(desk, hall)
    desk.intake.post(RetryPressed())
    until(lambda: desk.intake.state.trouble and desk.intake.state.trouble.code == "card.none", "no card")
    said(desk.intake.state.trouble, "card.none")
    next_card_works(desk, hall)


def test_expired_card_is_shown_and_does_not_stop_the_work(desk: Desk, hall: PracticeHall) -> None:
    hall.place(EXPIRED)
    until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh") == "王到期", "the expired card read")
    found = next(one for one in desk.intake.state.issues if one.code == "id.expired")
    assert found.severity == "explain" and desk.intake.state.trouble is None
    for lang in LANGUAGES:
        assert "2015-06-01" in issue_words(found, Words(lang))
    lift(desk, hall)
    desk.intake.post(DiscardPressed())
    desk.intake.post(DiscardConfirmed())


def test_wrong_check_digit_stops_the_signing_and_is_named(desk: Desk, hall: PracticeHall) -> None:
    hall.place(WRONG_CHECK)
    until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh") == "赵错码", "the card read")
    found = next(one for one in desk.intake.state.issues if one.code == "idno.check_digit")
    assert found.severity == "must" and found.path == "person.id_doc_no"
    texts = [issue_words(found, Words(lang)) for lang in LANGUAGES]
    assert all(found.code not in text and len(text) > 5 for text in texts)
    desk.intake.post(ReviewPressed(now()))
    until(lambda: not desk.jobs.busy("outbox"), "the draft written")
    assert desk.review.state.page == "idle" and desk.intake.state.draft is not None
    lift(desk, hall)
    desk.intake.post(DiscardPressed())
    desk.intake.post(DiscardConfirmed())


# -- documents ----------------------------------------------------------------------------------------------------------------------------
def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes((width * 3 + 1) * 64), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


HOSTILE = {
    "letter.pdf": "不是 PDF".encode(), "empty.jpg": b"", "bomb.png": _png(30_000, 30_000), "cut.jpg": bytes.fromhex("FFD8FFE000104A46494600010100"),
    "broken.pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF", "page.html.pdf": b"<html><script>x</script></html>",
}


def test_hostile_files_given_as_document(desk: Desk, hall: PracticeHall, tmp_path: Path) -> None:
    hall.place()
    until(lambda: desk.intake.state.draft, "the card read")
    lift(desk, hall)
    desk.intake.post(DocumentPressed("skill_certificate"))
    until(lambda: desk.intake.state.capture is not None and desk.intake.state.capture.hint is not None, "the document camera")
    for name, content in HOSTILE.items():
        (tmp_path / name).write_bytes(content)
        desk.intake.post(FileGiven(str(tmp_path / name)))
        until(lambda: desk.intake.state.trouble and not desk.intake.state.capture.taking, f"the trouble with {name}", 40)
        said(desk.intake.state.trouble, "vision.hostile_file")
        assert desk.intake.state.draft.stills == () and desk.intake.state.capture is not None, name
    desk.intake.post(FileGiven(str(tmp_path / "gone.pdf")))
    until(lambda: desk.intake.state.trouble and not desk.intake.state.capture.taking, "the trouble with a file that is gone")
    said(desk.intake.state.trouble, "vision.hostile_file")
    # the camera beside it goes on
    desk.intake.post(CapturePressed())
    until(lambda: desk.intake.state.draft.stills, "the page under the camera")
    assert desk.intake.state.trouble is None
    desk.intake.post(DiscardPressed())
    desk.intake.post(DiscardConfirmed())
    until(lambda: not desk.jobs.busy("outbox"), "the sitting thrown away")


def test_same_service_restarted_under_a_lying_card(desk: Desk, hall: PracticeHall) -> None:
    """An update restarts the service while nobody touches anything: the desk sees the next card."""
    before = time.monotonic()
    hall.pcscd.restart()
    next_card_works(desk, hall)
    assert time.monotonic() - before < 30




def test_wait_in_the_main_thread_is_noticed(hall: PracticeHall) -> None:
    with pytest.raises(AssertionError, match="waits in the main thread: .*Store.read from desktop/effects/mail.py"):
        with desk_on(hall.home, hall) as open_desk:
            log_in(open_desk, COLLECTOR.pin)
            open_desk._mail.list(ListOutbox(), threading.Event(), None)

"""Walks through the three faces of the real application, offscreen, by keys and clicks on its windows. Never shows or stores a real person: practice only.

``work`` prints a line for each step and a table at the end, and writes screenshots, receipt, signed bytes, signature and the practice CA to a folder.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.scenes.hall import COLLECTOR, SHEET_FACTS, PracticeHall

__all__ = ["Walk", "work"]

SETTLE_SECONDS = 0.2
"""Before a screenshot: the motion of the pages (160 ms at most) is over then ..."""
SETTLE_TURNS = 20
"""... and a busy machine has laid them out, too."""
KIOSK_SCREEN = (1080, 1920)
MOBILE = "13800000000"


class Walk:
    """One face, walked through. Every step waits for what the application shows, and raises AssertionError that names what did not come."""

    def __init__(self, hall: PracticeHall, face: str, session: Any, window: Any, out: Path, begun: float) -> None:
        self.hall, self.face, self.session, self.window, self.out = hall, face, session, window, out
        self._begun = begun
        self._shots = 0

    def since(self, stage: Any, fits: Callable[[], Any]) -> Callable[[], str]:
        """Seconds from now to the moment when the application itself came to it, whatever pictures are taken meanwhile; ask once it is there."""
        begun, came = time.monotonic(), list[float]()

        def look(_view: object = None) -> None:
            if not came and fits():
                came.append(time.monotonic() - begun)

        stage.changed.connect(look)
        return lambda: f"{came[0]:.2f} s"

    def step(self, words: str, there: Callable[[], Any] = lambda: True, seconds: float = 30) -> None:
        """Waits for it, says so, takes a picture."""
        from PySide6.QtWidgets import QApplication

        from tests.scenes.stages import until

        until(there, words, seconds)
        print(f"{time.monotonic() - self._begun:6.1f} s  {words}", flush=True)
        self._shots += 1
        begun = time.monotonic()
        turns = 0
        while time.monotonic() < begun + SETTLE_SECONDS or turns < SETTLE_TURNS:
            QApplication.processEvents()
            turns += 1
            time.sleep(0.005)
        self.window.grab().save(str(self.out / f"{self.face}-{self._shots:02}.png"))


# -- the staff desk ------------------------------------------------------------------------------------------------------------------------
def desk(walk: Walk) -> dict[str, str]:
    """One registration, from log-in to the receipt on paper, by the keyboard alone."""
    from PySide6.QtCore import Qt

    from tests.scenes.desk_hands import fill_missing, key

    login, intake, review, window = walk.session.login, walk.session.intake, walk.session.review, walk.window
    walk.step("登录 log-in page", lambda: login.state.page == "pin")
    _pin()
    walk.step("等证件 waiting for a card", lambda: login.state.page == "in")
    filled = lambda: intake.state.draft and intake.state.draft.text("person.name_zh")  # noqa: E731
    times = {"card placed to form filled": walk.since(intake, filled)}
    walk.hall.place()
    walk.step("读证, 表已填好 form filled from the card", filled)
    key(Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
    walk.step("类别 category", lambda: intake.state.draft.categories() == {"4"})
    fill_missing(walk.session, window, walk.step)
    walk.step("资料齐全 no issue left", lambda: not [one for one in intake.state.issues if one.severity != "explain"])
    key(Qt.Key.Key_F9)
    walk.step("核对 review page", lambda: review.state.page == "reading")
    record_id = review.state.sheet.record_id
    key(Qt.Key.Key_F9)
    walk.step("签名 PIN", lambda: review.state.page == "pin")
    times["sign to kept"] = walk.since(review, lambda: review.state.page in ("kept", "receipt"))
    times["sign to receipt"] = walk.since(review, lambda: review.state.page == "receipt")
    _pin()
    walk.step("已保存 kept", lambda: review.state.page in ("kept", "receipt"))
    walk.step("回执 the province's receipt", lambda: review.state.page == "receipt", 60)
    return _papers(walk, record_id) | {name: seconds() for name, seconds in times.items()}


def _pin() -> None:
    from PySide6.QtCore import Qt

    from tests.scenes.desk_hands import key, type_pin

    type_pin()
    key(Qt.Key.Key_Return)


def _papers(walk: Walk, record_id: str) -> dict[str, str]:
    """Signed bytes, signature, practice CA and receipt into the folder."""
    from desktop.flows.words import ReceiptWanted

    out, review, outbox = walk.out, walk.session.review, walk.session.rooms().outbox
    row, receipt = outbox.row(record_id), review.state.receipt
    (out / "record.json").write_bytes(outbox.open_packet(record_id)[0].content)
    (out / "record.p7s").write_bytes(row.signature)
    (out / "practice-ca.pem").write_bytes((walk.hall.ca.folder / "root.pem").read_bytes())
    review.post(ReceiptWanted(record_id, str(out / "receipt.pdf")))  # the button asks for a place by a dialog of the system
    walk.step("回执 PDF receipt as PDF", lambda: review.state.saved)
    signer = f"{COLLECTOR.name} ({COLLECTOR.id})"
    return {"record": record_id, "digest": row.record_digest, "signer": signer, "receipt": receipt.serial, "signature": _openssl(out)}


def _openssl(out: Path) -> str:
    """What a stranger to this program says of the signature."""
    words = ["openssl", "cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", "record.p7s", "-content", "record.json", "-CAfile", "practice-ca.pem"]
    said = subprocess.run([*words, "-purpose", "any", "-out", "/dev/null"], cwd=out, capture_output=True, text=True, check=False)
    if said.returncode:
        raise AssertionError(f"openssl does not accept the signature: {said.stderr.strip()}")
    return "accepted by openssl cms -verify"


def _checked_by_commands(out: Path) -> dict[str, str]:
    """The journal of the hall, exported; journal and record as an auditor checks them, without the store. The desk is closed."""
    file, roots = out / "journal.txt", str(out / "practice-ca.pem")
    file.unlink(missing_ok=True)
    found: dict[str, str] = {}
    for name, words in (("journal", ("journal", "export", str(file))), ("journal", ("journal", "verify", str(file), "--roots", roots)),
                        ("record", ("signature", "verify", str(out), "--roots", roots))):
        said = subprocess.run([sys.executable, "-m", "desktop", *words], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
        if said.returncode:
            raise AssertionError(f"hall-intake {' '.join(words)}: {said.stdout} {said.stderr}")
        found[f"{name}, checked offline"] = said.stdout.strip().splitlines()[-1]
    return found


# -- the terminal --------------------------------------------------------------------------------------------------------------------------
def kiosk(walk: Walk) -> dict[str, str]:
    """An applicant at the terminal, by touches alone: notice, card, staff way, mobile number, result, wipe."""
    from tests.scenes.hands import press

    window, stage = walk.window, walk.session.stage
    rows = lambda: walk.session.rooms().outbox.rows(owner=f"st:{walk.session.rooms().station.station_id}", limit=10_000)  # noqa: E731
    before = {one.record_id for one in rows()}
    state = lambda: stage.state  # noqa: E731
    walk.step("自助 welcome page of the terminal")
    press(window, "开始办理")
    walk.step("自助, 告知 notice", lambda: state().page != "welcome")
    press(window, "我知道了")
    walk.step("自助, 等证件 waiting for a card", lambda: state().page == "card")
    times = {"terminal: card placed to read": walk.since(stage, lambda: state().page != "card")}
    walk.hall.place()
    walk.step("自助, 读完证件 card read", lambda: state().page != "card")
    press(window, "好，接着填")
    walk.step("自助, 手机号 number pad", lambda: state().page == "mobile")
    for digit in MOBILE:
        press(window, digit)
    press(window, "下一步")
    walk.step("自助, 核对 check page", lambda: state().page == "check")
    times["terminal: confirmed to receipt"] = walk.since(stage, lambda: state().sent)
    press(window, "都对")
    walk.step("自助, 办好了 result", lambda: state().page == "result")
    walk.step("自助, 回执 the province's receipt", lambda: state().sent, 60)
    (row,) = [one for one in rows() if one.record_id not in before]
    press(window, "办好了")
    walk.step("自助, 擦净 wiped", lambda: state().page == "welcome")
    return {"terminal: record": f"{row.record_id} {row.state}"} | {name: seconds() for name, seconds in times.items()}


# -- the sheet check -----------------------------------------------------------------------------------------------------------------------
def verify(walk: Walk) -> dict[str, str]:
    """A good sheet under the camera; then a revoked one as a file that is dropped on the window."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    from tests.scenes.hands import drop

    window, stage, found = walk.window, walk.session.stage, {}

    def judged(name: str, kind: str) -> Callable[[], bool]:
        def there() -> bool:
            verdict = stage.state.verdict
            if verdict is not None and not stage.state.asking:
                found[name] = str(verdict.kind)
            return found.get(name) == kind

        return there

    walk.step("核验, 镜头下的单子 sheet under the camera: may be used", judged("sheet under the camera", "valid"))
    page = window.currentWidget()
    for code in (Qt.Key.Key_Y, Qt.Key.Key_Return):
        QTest.keyClick(page, code)
    walk.hall.lay_sheet("none")
    walk.step("核验, 下一张 next sheet", lambda: stage.state.page == "look")
    made = walk.hall.province.order("sheets", **SHEET_FACTS)
    walk.hall.province.order("sheets/state", number=made["number"], state="revoked")
    sheet = walk.out / "sheet.pdf"
    sheet.write_bytes(base64.b64decode(made["pdf"]))
    drop(page, sheet)
    walk.step("核验, PDF 里的单子 revoked sheet in a PDF: must not be used", judged("sheet in a PDF", "revoked"))
    QTest.keyClick(page, Qt.Key.Key_Return)
    walk.step("核验, 确认后下一张 acknowledged", lambda: stage.state.page == "look")
    return found


# -- all of it -----------------------------------------------------------------------------------------------------------------------------
@contextmanager
def _walk(hall: PracticeHall, face: str, out: Path, begun: float) -> Iterator[Walk]:
    """The face in its window, open; closed again as a person does."""
    from PySide6.QtWidgets import QApplication

    from desktop.app import open_face
    from tests.scenes.stages import until

    session, window = open_face(face, hall.home)
    if face == "kiosk":
        window.resize(*KIOSK_SCREEN)
    window.show()
    window.activateWindow()
    session.begin()
    try:
        if face != "desk":
            until(lambda: session.stage is not None, f"the window of {face}", 30)
        yield Walk(hall, face, session, window, out, begun)
    finally:
        hall.lift()
        window.close()
        left = session.close()
        window.deleteLater()
        QApplication.processEvents()
    if left:
        raise AssertionError(f"threads of {face} did not end: {', '.join(left)}")


def _qt_says(_kind: Any, _context: Any, words: str) -> None:
    """What Qt has to say, without what its offscreen plug-in cannot do: nobody looks at that screen."""
    if not words.startswith("This plugin does not support"):
        print(words, file=sys.stderr, flush=True)


def work(hall: PracticeHall, out: Path, begun: float) -> int:
    """The three faces one after another; exit code 0, or 1 where a step did not come."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    qInstallMessageHandler(_qt_says)
    application = QApplication.instance() or QApplication(["hall-intake"])
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    table: dict[str, str] = {}
    try:
        for face, job in (("desk", desk), ("kiosk", kiosk), ("verify", verify)):
            if face == "verify":
                hall.lay_sheet()
            with _walk(hall, face, out, begun) as walk:
                table |= job(walk)
        table |= _checked_by_commands(out)
    except AssertionError as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        print(f"installer/run --practice: {error or last.line} ({last.name}, line {last.lineno}); what was reached lies in {out}", flush=True)
        return 1
    finally:
        application.processEvents()
        qInstallMessageHandler(None)
    table["results"] = str(out)
    width = max(map(len, table))
    print("\n" + "\n".join(f"{name:{width}}  {value}" for name, value in table.items()), flush=True)
    return 0

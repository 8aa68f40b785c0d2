"""Drives the real application through one whole job, offscreen: from log-in to the province's receipt. Never shows or stores a real person: practice only.

``work`` prints a line for each step and a table at the end, and writes screenshots, receipt, signed bytes, signature and the practice CA to a folder.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.scenes.hall import COLLECTOR, PracticeHall

__all__ = ["Clerk", "work"]

TYPED = {
    "person.mobile": "13800000000", "education.level": "71", "employer.name": "四川示例建设有限公司", "skill[0].trade": "020", "skill[0].level": "4",
    "skill[0].cert_no": "2106-0088412",
}
"""What the clerk types for the practice person (paths and codes of sync.record and resources/tables)."""


SETTLE_SECONDS = 0.2
"""Before a screenshot: the motion of the pages (160 ms at most) is over then."""


class Clerk:
    """One sitting. Every step waits for what the application shows, and raises AssertionError that names what did not come."""

    def __init__(self, hall: PracticeHall, desk: Any, window: Any, out: Path, begun: float) -> None:
        self.hall, self.desk, self.window, self.out = hall, desk, window, out
        self.times: dict[str, float] = {}
        self.record_id = ""
        self._begun = begun
        self._shots, self._shooting = 0, 0.0

    def _clock(self) -> float:
        """Seconds, without those that screenshots took."""
        return time.monotonic() - self._shooting

    def sitting(self) -> None:
        """The whole job, in the order of a real one."""
        from desktop.flows.words import AskPin, DocumentPressed, PinTyped, PortraitPressed, ReviewPressed, SignPressed
        from desktop.rooms import now

        login, intake, review = self.desk.login, self.desk.intake, self.desk.review
        self._step("登录 log-in page", lambda: login.state.page == "pin")
        login.post(PinTyped(COLLECTOR.pin))
        self._step("等证件 waiting for a card", lambda: login.state.page == "in")
        placed = self._clock()
        self.hall.place()
        self._step("读证, 表已填好 form filled from the card", lambda: intake.state.draft and intake.state.draft.text("person.name_zh"))
        self.times["card placed to form filled"] = self._clock() - placed
        self._type(now)
        self._capture(PortraitPressed(), "portrait", "人像 portrait")
        self._capture(DocumentPressed("skill_certificate"), "skill_certificate", "证书 document")
        self._step("资料齐全 no issue left", lambda: not [one for one in intake.state.issues if one.severity != "explain"])
        intake.post(ReviewPressed(now()))
        self._step("核对 review page", lambda: review.state.page == "reading")
        self.record_id = review.state.sheet.record_id
        review.post(AskPin())
        self._step("签名 PIN", lambda: review.state.page == "pin")
        signed = self._clock()
        review.post(SignPressed(COLLECTOR.pin))
        self._step("已保存 kept", lambda: review.state.page in ("kept", "receipt"))
        self.times["sign to kept"] = self._clock() - signed
        self._step("回执 the province's receipt", lambda: review.state.page == "receipt", 60)
        self.times["sign to receipt"] = self._clock() - signed

    def _type(self, now: Callable[[], Any]) -> None:
        from desktop.flows.words import Edited

        self.desk.intake.post(Edited("person.categories", ("4",), now()))
        for path, value in TYPED.items():
            self.desk.intake.post(Edited(path, value, now()))
        self._step("类别和其他栏 category and the other fields", lambda: self.desk.intake.state.draft.text("skill[0].cert_no"))

    def _capture(self, press: Any, kind: str, words: str) -> None:
        from desktop.flows.words import CapturePressed

        intake = self.desk.intake
        intake.post(press)
        self._step(f"{words}, live picture", lambda: intake.state.capture is not None and intake.state.capture.hint is not None)
        intake.post(CapturePressed())
        self._step(f"{words}, taken", lambda: kind in {one.kind for one in intake.state.draft.stills})

    def _step(self, words: str, there: Callable[[], Any], seconds: float = 30) -> None:
        from PySide6.QtWidgets import QApplication

        from tests.scenes.stages import until

        until(there, words, seconds)
        print(f"{time.monotonic() - self._begun:6.1f} s  {words}", flush=True)
        self._shots += 1
        begun = time.monotonic()
        while time.monotonic() < begun + SETTLE_SECONDS:
            QApplication.processEvents()
        self.window.grab().save(str(self.out / f"{self._shots:02}.png"))
        self._shooting += time.monotonic() - begun

    # -- what stays ----------------------------------------------------------------------------------------------------------------------
    def write_results(self) -> dict[str, str]:
        """Signed bytes, signature, practice CA and receipt into the folder; the table of results."""
        from desktop.flows.words import ReceiptWanted

        outbox = self.desk.rooms().outbox
        row, receipt = outbox.row(self.record_id), self.desk.review.state.receipt
        (self.out / "record.json").write_bytes(outbox.open_packet(self.record_id)[0].content)
        (self.out / "record.p7s").write_bytes(row.signature)
        (self.out / "practice-ca.pem").write_bytes((self.hall.ca.folder / "root.pem").read_bytes())
        self.desk.review.post(ReceiptWanted(self.record_id, str(self.out / "receipt.pdf")))
        self._step("回执 PDF receipt as PDF", (self.out / "receipt.pdf").exists)
        return {
            "record": self.record_id, "digest": row.record_digest, "signer": f"{COLLECTOR.name} ({COLLECTOR.id})", "receipt": receipt.serial,
            "signature": _openssl(self.out), **{name: f"{seconds:.2f} s" for name, seconds in self.times.items()}, "results": str(self.out),
        }  # fmt: skip


def _openssl(out: Path) -> str:
    """What a stranger to this program says of the signature."""
    words = ["openssl", "cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", "record.p7s", "-content", "record.json", "-CAfile", "practice-ca.pem"]
    said = subprocess.run([*words, "-purpose", "any", "-out", "/dev/null"], cwd=out, capture_output=True, text=True, check=False)
    if said.returncode:
        raise AssertionError(f"openssl does not accept the signature: {said.stderr.strip()}")
    return "accepted by openssl cms -verify"


def work(hall: PracticeHall, out: Path, begun: float) -> int:
    """The whole job; exit code 0, or 1 where a step did not come."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtWidgets import QApplication

    from desktop.app import open_face

    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    application = QApplication.instance() or QApplication(["hall-intake"])
    desk, window = open_face("desk", hall.home)
    clerk = Clerk(hall, desk, window, out, begun)
    window.show()
    desk.begin()
    try:
        clerk.sitting()
        table = clerk.write_results()
    except AssertionError as error:
        print(f"installer/run --practice: {error}; what was reached lies in {out}", flush=True)
        return 1
    finally:
        hall.lift()
        window.close()
        desk.close()
        application.processEvents()
    width = max(map(len, table))
    print("\n" + "\n".join(f"{name:{width}}  {value}" for name, value in table.items()), flush=True)
    return 0

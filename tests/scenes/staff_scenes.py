"""Sample scenes of the desk: each is a state that the flows really reach. Nobody real: people and numbers are made up, the pictures are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import QApplication

from desktop.bridge.stage import Stage
from desktop.flows.batch import BATCH
from desktop.flows.intake import intake
from desktop.flows.login import LOGIN
from desktop.flows.machine import Failed
from desktop.flows.review import REVIEW
from desktop.flows.words import (
    ByHandPressed,
    CardPlaced,
    CardWasRead,
    CertificatePicked,
    CertificatesListed,
    CourierFacts,
    CourierSeen,
    DeviceFacts,
    DevicesSeen,
    DiscardPressed,
    DocumentPressed,
    DraftSaved,
    Edited,
    FaceCompared,
    Hint,
    HintSeen,
    Kept,
    LockPressed,
    LoggedIn,
    OutboxFacts,
    OutboxListed,
    PagePicked,
    ParkedFacts,
    ParkedListed,
    PinStateRead,
    PinTyped,
    PlacePicked,
    PortraitPressed,
    Progress,
    ReaderAsked,
    ReaderOption,
    ReaderQuestion,
    ReadPressed,
    ReceiptFacts,
    RecordMoved,
    ReviewAsked,
    ReviewBuilt,
    ReviewSheet,
    RowAdded,
    Send,
    Signed,
    SignPressed,
    SittingMade,
    StationOpened,
    StillTaken,
)
from desktop.flows.words.social import SocialPressed, SocialRead
from desktop.messages import Words
from desktop.staff.kit import Kit
from desktop.staff.window import StaffWindow
from desktop.widgets.style import Look
from devices.cards.choice import Remembered
from devices.cards.contract import CardRead, ReadEvidence
from devices.cards.idcard import IdentityCard
from devices.cards.socialcard import SocialCardHint
from devices.errors import CardRemoved, PinLocked, WrongPin
from devices.tokens.contract import PinState
from sync.draft import Draft, DraftStill
from sync.errors import DiskFull, KeyringLocked, NoRoomToBegin, NotEnrolled, StoreDamaged
from sync.freeze import Sitting, freeze
from sync.tables import Tables
from tests.flows.sample import CERTIFICATE, EXPIRED, NOW, OPERATOR, OTHER, READER, STATION, number

__all__ = ["SCENES", "Scene", "drawn_page", "drawn_person", "stage_window"]

ONE, TWO = number(), number("51010419900101002")


def _encoded(image: QImage) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data.data())


def drawn_person(shirt: str = "#3c5a86", ground: str = "#dde4ee", size: tuple[int, int] = (240, 300)) -> QImage:
    """A drawn head and shoulders; no photograph of anybody."""
    image = QImage(*size, QImage.Format.Format_RGB888)
    image.fill(QColor(ground))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    w, h = size
    painter.setBrush(QColor(shirt))
    painter.drawEllipse(QRectF(w * 0.14, h * 0.68, w * 0.72, h * 0.6))
    painter.setBrush(QColor("#23272e"))
    painter.drawEllipse(QRectF(w * 0.29, h * 0.16, w * 0.42, h * 0.36))
    painter.setBrush(QColor("#f0d2bc"))
    painter.drawEllipse(QRectF(w * 0.31, h * 0.24, w * 0.38, h * 0.38))
    painter.end()
    return image


def drawn_page(title: str = "职业技能证书") -> QImage:
    """A drawn sheet with a title and lines."""
    image = QImage(420, 594, QImage.Format.Format_RGB888)
    image.fill(QColor("#fbfbf6"))
    painter = QPainter(image)
    painter.setPen(QColor("#333333"))
    font = QFont("Noto Sans CJK SC")
    font.setPixelSize(34)
    painter.setFont(font)
    painter.drawText(QRectF(0, 50, 420, 60), Qt.AlignmentFlag.AlignCenter, title)
    painter.setPen(QColor("#9aa3ad"))
    for line in range(14):
        painter.drawLine(QPointF(60, 160 + line * 26), QPointF(360 - (line % 3) * 50, 160 + line * 26))
    painter.end()
    return image


def frame_of(image: QImage, width: int = 1280, height: int = 960) -> NDArray[np.uint8]:
    """A camera frame (BGR) with the picture in the middle."""
    frame = QImage(width, height, QImage.Format.Format_BGR888)
    frame.fill(QColor("#6d7686"))
    painter = QPainter(frame)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    scaled = image.scaledToHeight(round(height * 0.86), Qt.TransformationMode.SmoothTransformation)
    painter.drawImage(QPointF((width - scaled.width()) / 2, (height - scaled.height()) / 2), scaled)
    painter.end()
    return np.frombuffer(bytes(frame.constBits()), np.uint8).reshape(height, frame.bytesPerLine())[:, :width * 3].reshape(height, width, 3).copy()


def _card(no: str = ONE, name: str = "李国强") -> CardRead:
    from datetime import date

    from devices.cards.idcard import IdentityCard as Card

    assert Card is IdentityCard
    card = IdentityCard("resident", name, "", "1", "01", date(1988, 3, 12), "四川省成都市锦江区练习路 1 号 2 栋 3 单元 401", no, "成都市公安局锦江分局",
                        date(2018, 5, 20), date(2038, 5, 20), False)
    return CardRead(card, ReadEvidence("05.01-20200101-0000000001-0000009896", "国腾 GTICR100", "gticr100", NOW, "sha256:" + "0" * 64), b"\0" * 1024,
                    _encoded(drawn_person()))


def _foreign() -> CardRead:
    """A made-up permanent resident with the card of 2023, which leads to the number of the older card."""
    from datetime import date

    card = IdentityCard("foreign_2023", "阿里", "SPECIMEN, ALI", "1", "", date(1980, 1, 1), "", "931586198001010028", "", date(2023, 12, 1),
                        date(2033, 11, 30), False, "PAK", previous_link="000")
    return replace(_card(), card=card)


def _outbox() -> OutboxListed:
    def row(index: int, name: str, state: str, minutes: int, **more: Any) -> OutboxFacts:
        return OutboxFacts(f"r-{index}", name, f"{1200 + index}", ("4",) if index % 3 else ("2", "3"), state, NOW - timedelta(minutes=minutes), **more)

    rows = (
        row(1, "周小兰", "receipted", 1500, remote="correction_required", items=("劳动合同缺第 2 页", "手机号码打不通"), serial="R-20261121-000017"),
        row(2, "吴建军", "set_aside", 220, error_code="receipt.mismatch", tries=3),
        row(3, "陈志远", "uploading", 3),
        row(4, "赵敏", "kept", 9, tries=2, next_try_at=NOW + timedelta(minutes=1)),
        row(5, "买买提·艾力", "kept", 14),
        row(6, "孙立", "uploaded", 31),
        row(7, "钱国庆", "receipted", 48, serial="R-20261122-000021"),
        row(8, "冯春梅", "receipted", 66, serial="R-20261122-000020", remote="accepted"),
        row(9, "褚卫东", "receipted", 1200, serial="R-20261121-000016", remote="publicity"),
    )
    return OutboxListed(rows, {"today": 23, "uploaded": 16, "waiting": 7, "returned": 1, "set_aside": 1}, (), True)


OUTBOX = _outbox()
_OLD, _NEW = (Remembered("pcsc", f"国腾 GTICR100 ({serial})", "gticr100", serial) for serial in ("A1B2", "C3D4"))
SISTER = ReaderQuestion((ReaderOption(_NEW, True),), _OLD, True)
SEVERAL = ReaderQuestion((ReaderOption(_OLD), ReaderOption(Remembered("serial", "窗口 7 的串口读卡器", "com3")), ReaderOption(_NEW)))
DEVICES = DevicesSeen((DeviceFacts("reader", "good", "国腾 GTICR100"), DeviceFacts("camera", "good", "1080p USB"), DeviceFacts("token", "good", "飞天 ePass")))
ONLINE = CourierSeen(CourierFacts(True, last_success=NOW - timedelta(minutes=2)))
OFFLINE = CourierSeen(CourierFacts(False, NOW - timedelta(minutes=12), last_success=NOW - timedelta(minutes=13), next_try_at=NOW + timedelta(minutes=1)))
MOVING = CourierSeen(CourierFacts(True, moving="r-3", done=5_200_000, total=8_400_000, last_success=NOW - timedelta(minutes=2)))
PARKED = ParkedListed((ParkedFacts("d-8", "陈大海", "0015", NOW - timedelta(minutes=26)), ParkedFacts("d-9", "", "", NOW - timedelta(hours=3))))


class Scene:
    """The four stages over a recording of their effects; ``at`` posts to the right one."""

    def __init__(self, look: Look, lang: str = "zh_CN") -> None:
        self.kit = Kit(look, Words(lang), Tables.load(), lambda: NOW)
        self.effects: list[Any] = []
        self.stages: dict[str, Stage] = {}
        self.stages["login"] = Stage(LOGIN, self._carry)
        self.stages["intake"] = Stage(intake(self.kit.tables), self._carry)
        self.stages["review"] = Stage(REVIEW, self._carry)
        self.stages["batch"] = Stage(BATCH, self._carry)
        self.window = StaffWindow(self.kit, self.stages["login"], self.stages["intake"], self.stages["review"], self.stages["batch"])

    def _carry(self, effect: Any, _post: Callable[[Any], None]) -> None:
        self.effects.append(effect)
        if isinstance(effect, Send):
            self.stages[effect.flow].post(effect.event)

    def close(self) -> None:
        """The window and the stages go."""
        self.window.close()
        self.window.deleteLater()
        for stage in self.stages.values():
            stage.deleteLater()
        QApplication.processEvents()

    def login(self, *events: Any) -> Scene:
        for event in events:
            self.stages["login"].post(event)
        return self

    def desk(self, *events: Any) -> Scene:
        for event in events:
            self.stages["intake"].post(event)
        return self

    def review(self, *events: Any) -> Scene:
        for event in events:
            self.stages["review"].post(event)
        return self

    def batch(self, *events: Any) -> Scene:
        for event in events:
            self.stages["batch"].post(event)
        return self

    def inside(self, courier: CourierSeen = ONLINE) -> Scene:
        self.login(StationOpened(STATION), CertificatesListed((CERTIFICATE,)), PinStateRead(PinState(6)), PinTyped("1"), LoggedIn(OPERATOR))
        return self.desk(DEVICES, courier, PARKED, OUTBOX)

    def sitting(self, courier: CourierSeen = OFFLINE) -> Scene:
        return self.inside(courier).desk(CardPlaced(READER), CardWasRead(_card(), NOW, "d-1"), DraftSaved("d-1", NOW))

    def worker(self) -> Scene:
        """A worker half way through."""
        values = {"person.categories": ("4",), "person.mobile": "13800000000", "education.level": "71", "employer.name": "四川示例建设有限公司",
                  "skill[0].trade": "020", "skill[0].level": "3", "skill[0].cert_no": "川建技 2106-0088412", "skill[0].issuer": "四川省住房和城乡建设厅",
                  "skill[0].issued_on": "2021-06-18", "contract.to": "2026-10-01", "training[0].type": "003001", "training[0].course": "进场三级安全教育",
                  "training[0].hours": "24", "training[0].from": "2026-10-08", "training[0].to": "2026-10-10", "training[0].organiser": "四川华西集团"}
        self.sitting()
        for path, value in values.items():
            self.desk(Edited(path, value, NOW))
        return self.pictures("portrait", "contract").desk(FaceCompared("same", "model", "0.61", "sha256:" + "4" * 64))

    def social(self, said: SocialCardHint) -> Scene:
        """A social security card in its slot was looked at."""
        slot = DevicesSeen((*DEVICES.devices, DeviceFacts("social", "good", "国腾 CT-1")))
        return self.desk(slot, SocialPressed(), SocialRead("d-1", said))

    def pictures(self, *kinds: str) -> Scene:
        for kind in kinds:
            image = drawn_person("#4c5563", "#ffffff") if kind == "portrait" else drawn_page("劳动合同" if kind == "contract" else "职业技能证书")
            self.desk(StillTaken(DraftStill(kind, f"s-{kind}", "image/jpeg", 80_000, "sha256:" + "1" * 64, 3 if kind == "contract" else 1), _encoded(image)))
        return self

    def complete(self) -> Scene:
        return self.worker().pictures("skill_certificate").desk(Edited("contract.to", "2028-10-01", NOW))

    def draft(self) -> Draft:
        found = self.stages["intake"].state.draft
        assert isinstance(found, Draft)
        return found

    def reviewed(self, odd: bool = False) -> Scene:
        self.complete()
        draft = self.draft()
        sitting = Sitting(STATION.station_id, STATION.hall, STATION.window, OPERATOR.operator_id, OPERATOR.name, "sha256:" + "5" * 64, True)
        record = freeze(draft, sitting, self.kit.tables, "0d1f3c55-6f0e-4a7e-8f5e-1a2b3c4d5e6f", NOW).as_json()
        if odd:
            record["sections"]["employer"]["name"] = "四川示例\u202e司公限有设建"
        pictures = {one["name"]: _encoded(drawn_person("#4c5563", "#ffffff") if one["kind"] == "portrait" else drawn_page()) for one in record["attachments"]}
        sheet = ReviewSheet(str(record["record_id"]), record, "sha256:" + "3f9a07c1" * 8, 3184, pictures, ("employer.name",) if odd else ())
        return self.review(ReviewAsked(draft), ReviewBuilt(sheet))

    def kept(self) -> Scene:
        from desktop.flows.words import AskPin

        record = "0d1f3c55-6f0e-4a7e-8f5e-1a2b3c4d5e6f"
        return self.reviewed().review(AskPin(), PinStateRead(PinState(6)), SignPressed("1"), Signed(record), Kept(record, NOW))


RECEIPT = ReceiptFacts("0d1f3c55-6f0e-4a7e-8f5e-1a2b3c4d5e6f", "R-20261122-000022", NOW + timedelta(seconds=41), "李国强", ONE[-4:], ("4",), 3,
                       "sha256:" + "3f9a07c1" * 8, True, STATION.province, STATION.hall, STATION.window, OPERATOR.name)


def _preview(scene: Scene, image: QImage) -> Scene:
    scene.window.show_frame(frame_of(image))
    return scene


SIX_LEFT = PinStateRead(PinState(6))


def SCENES(make: Callable[[], Scene]) -> Iterator[tuple[str, Scene]]:
    """Name and scene, one after another; each is made when it is its turn."""
    from desktop.flows.words import AskPin

    yield "01-not-enrolled", make().login(Failed(NotEnrolled(), "OpenStation"))
    yield "02-store-stopped", make().login(Failed(KeyringLocked(), "OpenStation"))
    yield "03-no-token", make().login(StationOpened(STATION), CertificatesListed(()))
    yield "04-certificates", make().login(StationOpened(STATION), CertificatesListed((CERTIFICATE, OTHER, EXPIRED)))
    yield "05-pin", make().login(StationOpened(STATION), CertificatesListed((CERTIFICATE,)), PinStateRead(PinState(6)))
    yield "06-pin-wrong", make().login(StationOpened(STATION), CertificatesListed((CERTIFICATE, OTHER)), CertificatePicked(CERTIFICATE),
                                       PinStateRead(PinState(6)), PinTyped("1"), Failed(WrongPin(tries_left=2), "Login"), PinStateRead(PinState(2, low=True)))
    yield "07-last-try", make().login(StationOpened(STATION), CertificatesListed((CERTIFICATE,)), PinStateRead(PinState(1, last_try=True)))
    yield "08-pin-locked", make().login(StationOpened(STATION), CertificatesListed((CERTIFICATE,)), SIX_LEFT, PinTyped("1"), Failed(PinLocked(), "Login"))
    yield "09-locked", make().inside().login(LockPressed(), CertificatesListed((CERTIFICATE,)), PinStateRead(PinState(6)))
    yield "10-waiting", make().inside()
    yield "11-waiting-no-reader", make().inside(OFFLINE).desk(DevicesSeen((DeviceFacts("reader", "absent", "", "reader.none"), *DEVICES.devices[1:])))
    yield "12-reading", make().inside().desk(CardPlaced(READER), Progress("read.photo", 2, 4))
    yield "13-read-failed", make().inside().desk(CardPlaced(READER), Failed(CardRemoved(), "ReadCard"))
    yield "13a-reader-sister", make().inside().desk(CardPlaced(READER), ReaderAsked(SISTER))
    yield "13b-reader-pick", make().inside().desk(ReaderAsked(SEVERAL))
    yield "14-form-fresh", make().sitting()
    yield "14a-sam-unlisted", make().inside().desk(CardPlaced(READER), CardWasRead(_card(), NOW, "d-1", sam_listed=False), DraftSaved("d-1", NOW))
    yield "14b-notes", make().inside().desk(CardPlaced(READER), CardWasRead(_foreign(), NOW, "d-1", sam_listed=False), DraftSaved("d-1", NOW))
    yield "14c-social", make().worker().social(SocialCardHint(name="李国庆", number=ONE))
    yield "15-form-worker", make().worker()
    yield "16-form-skill", make().worker().desk(PlacePicked("skill[0].trade"))
    yield "17-form-end", make().worker().desk(RowAdded("training"), PlacePicked("insurance.payer"))
    yield "18-form-complete", make().complete()
    yield "19-form-all-categories", make().sitting().desk(Edited("person.categories", ("1", "2", "3", "4"), NOW))
    yield "20-other-card", make().worker().desk(ReadPressed(), CardWasRead(_card(TWO, "张丽"), NOW, "d-2"))
    yield "21-discard", make().worker().desk(DiscardPressed())
    yield "22-by-hand", make().inside().desk(ByHandPressed(), SittingMade("d-5", NOW))
    yield "23-portrait", _preview(make().sitting().desk(PortraitPressed(), HintSeen(Hint("portrait.good", "good"))), drawn_person("#4c5563", "#e8ebef"))
    yield "24-portrait-hint", _preview(make().sitting().desk(PortraitPressed(), HintSeen(Hint("portrait.turned", "wait"))), drawn_person("#4c5563", "#e8ebef"))
    yield "25-document", _preview(make().worker().desk(DocumentPressed("contract"), HintSeen(Hint("page.glare", "wait"))), drawn_page("劳动合同"))
    yield "26-compare-by-staff", make().sitting().desk(Edited("person.categories", ("4",), NOW)).pictures("portrait").desk(FaceCompared("unsure", "model"))
    yield "27-store-full", make().worker().desk(Failed(DiskFull(free=12_000_000, needed=500_000_000), "SaveDraft"))
    yield "28-no-room-to-begin", make().inside().desk(CardPlaced(READER), CardWasRead(_card(), NOW, "d-1"),
                                                      Failed(NoRoomToBegin(free=12_000_000, needed=500_000_000), "SaveDraft"))
    yield "30-review", make().reviewed()
    yield "31-review-odd", make().reviewed(odd=True)
    yield "32-review-pin", make().reviewed().review(AskPin(), PinStateRead(PinState(6)))
    yield "33-review-wrong-pin", make().reviewed().review(AskPin(), PinStateRead(PinState(6)), SignPressed("1"), Failed(WrongPin(tries_left=1), "SignRecord"),
                                                          PinStateRead(PinState(1, last_try=True)))
    yield "34-unkept", make().reviewed().review(AskPin(), PinStateRead(PinState(6)), SignPressed("1"), Signed(RECEIPT.record_id),
                                                Failed(DiskFull(free=12_000_000, needed=500_000_000), "Keep"))
    yield "35-kept", make().kept()
    for name, moved in (("36-uploading", "uploading"), ("36a-not-taken", "set_aside"), ("37-receipt", "receipted")):
        yield name, make().kept().review(RecordMoved(RECEIPT.record_id, moved, RECEIPT if moved == "receipted" else None))
    outbox = make().inside(MOVING).desk(PagePicked("outbox"))
    yield "40-outbox", outbox
    offline = make().inside(OFFLINE).desk(PagePicked("outbox"))
    offline.window.desk.outbox.table.selectRow(1)
    yield "41-outbox-offline-chosen", offline
    yield "42-outbox-empty", make().inside().desk(OutboxListed((), {}), PagePicked("outbox"))
    yield "47-store-damaged", make().sitting().desk(Failed(StoreDamaged("found while it was open"), "CheckStore"))
    yield "43-returned", make().inside().desk(PagePicked("returned"))
    yield "44-parked", make().inside().desk(PagePicked("parked"))
    yield "45-parked-empty", make().inside().desk(ParkedListed(()), PagePicked("parked"))
    yield "46-health", make().inside(OFFLINE).desk(DevicesSeen((DeviceFacts("reader", "trouble", "国腾 GTICR100", "reader.sam_refused"), *DEVICES.devices[1:])),
                                                   PagePicked("health"))


def stage_window(scene: Scene, width: int, height: int) -> None:
    """Show the window at this size and let the layouts settle."""
    scene.window.resize(width, height)
    scene.window.show()



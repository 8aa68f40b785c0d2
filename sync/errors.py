"""The tree of troubles with records, store and province. Never holds words for people: those are in resources/messages."""

from resources.trouble import Trouble

__all__ = [
    "CarriedUnsigned", "CertificateExpired", "CertificateTrouble", "ClockOff", "ClockWrong", "CorrectionElsewhere", "DiskFull", "DraftIncomplete",
    "EnrolledAlready", "EnrolledElsewhere", "EnrolmentCodeWrong", "EnrolmentNotByAdministrator", "EnrolmentPracticeMixed", "EnrolmentRefused",
    "ExportForProvince", "ExportNotWritten", "ExportRefused", "FormatTrouble", "KeyMissing", "KeyringLocked", "KeyringMissing", "KeyringUnsafe",
    "NoRoomToBegin", "NotAllowed", "NotEnrolled", "PacketDamaged", "PacketStray", "PacketTooLarge", "PacketTooNew", "ProvinceBusy", "ProvinceRefused",
    "ProvinceTrouble", "ProvinceUnreachable", "ProxyTrouble", "ReaderRefused", "ReceiptMismatch", "RepairElsewhere", "RepairOpen", "RepairThere",
    "SignatureInvalid", "StationCloned", "StationExpired", "StationRefused", "StationReplaced", "StationRevoked", "StationUnknown", "StoreDamaged",
    "StoreForeign", "StoreInUse", "StoreMoved", "StoreTooNew", "StoreTrouble", "SyncTrouble", "TlsTrouble",
]


class SyncTrouble(Trouble):
    """Any trouble of this floor."""
    code = "sync.trouble"


class FormatTrouble(SyncTrouble):
    """Outside bytes that are not what their format says. Facts: what."""
    code = "sync.format"


class DraftIncomplete(SyncTrouble):
    """The draft still has issues; a record is not made of it. Facts: count."""
    code = "draft.incomplete"


class SignatureInvalid(SyncTrouble):
    """A signature does not fit its bytes or its signer. Facts: why."""
    code = "signature.invalid"


class CertificateTrouble(SyncTrouble):
    """A certificate is expired, revoked, not from the province's roots, or has no role here. Facts: why."""
    code = "certificate.refused"


class CertificateExpired(CertificateTrouble):
    """The signer's certificate has ended. Facts: why ("expired"), until (its last day)."""
    code = "certificate.expired"


class NotAllowed(SyncTrouble):
    """This person may not do this. Facts: role."""
    code = "person.not_allowed"


# -- store ----------------------------------------------------------------------------------------------------------------------------
class StoreTrouble(SyncTrouble):
    """The store could not do its work. Facts: step."""
    code = "store.trouble"


class StoreDamaged(StoreTrouble):
    """The store fails its own check; nothing was changed."""
    code = "store.damaged"


class StoreForeign(StoreTrouble):
    """The file is not our store, or belongs to another station; nothing was changed."""
    code = "store.foreign"


class StoreTooNew(StoreTrouble):
    """The store was written by a newer version of the program."""
    code = "store.too_new"


class StoreInUse(StoreTrouble):
    """Another copy of the program has the store open."""
    code = "store.in_use"


class DiskFull(StoreTrouble):
    """No room for new captures. Facts: free, needed (bytes)."""
    code = "store.disk_full"


class NoRoomToBegin(DiskFull):
    """A new sitting has no place on the disk: it stands on the screen only. Facts: free, needed (bytes)."""
    code = "store.no_room_to_begin"


class StoreMoved(StoreTrouble):
    """The station was moved away from here with a code; what is left is a copy."""
    code = "store.moved"


class KeyMissing(StoreTrouble):
    """The store is there, its key in the keyring is not."""
    code = "keyring.key_missing"


class KeyringMissing(StoreTrouble):
    """The operating system offers no keyring."""
    code = "keyring.missing"


class KeyringLocked(StoreTrouble):
    """The keyring is locked or did not answer in time."""
    code = "keyring.locked"
    may_retry = True


class KeyringUnsafe(StoreTrouble):
    """The only keyring there would write the key readable, or forget it. Facts: backend."""
    code = "keyring.unsafe"


# -- station and province -------------------------------------------------------------------------------------------------------------
class NotEnrolled(SyncTrouble):
    """This machine is not enrolled at a province."""
    code = "station.not_enrolled"


class EnrolmentRefused(SyncTrouble):
    """The province did not accept the enrolment. Facts: why."""
    code = "station.refused"


class EnrolmentCodeWrong(EnrolmentRefused):
    """The one-time code was mistyped, used, is over, or is for another hall or window. Facts: why."""
    code = "station.code"


class EnrolledAlready(EnrolmentRefused):
    """This store is enrolled; another enrolment would orphan its records. Facts: why."""
    code = "station.enrolled_already"


class EnrolmentPracticeMixed(EnrolmentRefused):
    """The invitation is for practice and the store in earnest, or the other way round. Facts: why."""
    code = "station.practice_mixed"


class EnrolmentNotByAdministrator(EnrolmentRefused):
    """Who signed the request is not an administrator of this hall. Facts: why."""
    code = "station.not_by_administrator"


class EnrolledElsewhere(EnrolmentRefused):
    """The code is for another station than the one of this store; its kept records would not be taken any more. Facts: why."""
    code = "station.enrolled_elsewhere"


class ProvinceTrouble(SyncTrouble):
    """The province's answer was not usable. Facts: status."""
    code = "province.trouble"
    may_retry = True


class ProvinceUnreachable(ProvinceTrouble):
    """No connection to the province."""
    code = "province.unreachable"


class ProxyTrouble(ProvinceUnreachable):
    """The proxy of the settings does not answer, or does not let us through. Facts: why."""
    code = "province.proxy"


class ProvinceBusy(ProvinceTrouble):
    """The province asks to come later (429, 503). Facts: retry_after (s)."""
    code = "province.busy"


class ProvinceRefused(ProvinceTrouble):
    """The province refused this record or request for good. Facts: status, why."""
    code = "province.refused"
    may_retry = False


class ReaderRefused(ProvinceRefused):
    """The card of this record was read by a reader that does not belong to the hall (unknown, revoked, replaced, lent). Facts: status, why."""
    code = "province.reader"


class SignatureLate(ProvinceRefused):
    """Signed while the certificate was good, but it came after the time that the province's rule allows: a supervisor takes it over. Facts: status, why."""
    code = "signature.late"


class StationRefused(ProvinceRefused):
    """The province refuses this station, not a record: nothing is set aside, all waits. Facts: status, why."""
    code = "province.station"


class StationRevoked(StationRefused):
    """The station was revoked (lost, stolen, taken out of use)."""
    code = "province.station_revoked"


class StationUnknown(StationRefused):
    """The province does not know this station's certificate."""
    code = "province.station_unknown"


class StationExpired(StationRefused):
    """This station's certificate is over, or not yet good; the province's clock judges."""
    code = "province.station_expired"


class StationCloned(StationRefused):
    """Two machines speak as this station, or an older copy of its store does: the journals do not fit each other."""
    code = "province.station_cloned"


class StationReplaced(StationRefused):
    """Another machine took this station's place."""
    code = "province.station_replaced"


class TlsTrouble(ProvinceTrouble):
    """The other side is not the province (a login page, an interception), or a certificate does not fit. Facts: why."""
    code = "province.tls"


class ClockWrong(ProvinceTrouble):
    """This machine's clock is so wrong that the certificates do not hold: nothing can be sent. Facts: seconds, where they are known."""
    code = "province.clock"


class ClockOff(ProvinceTrouble):
    """The clock differs by more than a signing time may, though uploading still goes. Facts: seconds."""
    code = "province.clock_off"


class ReceiptMismatch(ProvinceTrouble):
    """The receipt is not for what was sent; the record is set aside. Facts: member."""
    code = "receipt.mismatch"
    may_retry = False


# -- repair, correction ---------------------------------------------------------------------------------------------------------------------------
class RepairThere(SyncTrouble):
    """The province knows the record: repaired, it would be there twice. Tried again, it gets its receipt."""
    code = "repair.there"


class RepairElsewhere(SyncTrouble):
    """The record was sealed at another station, or this one has no key for it: it cannot be opened here."""
    code = "repair.elsewhere"


class CorrectionElsewhere(SyncTrouble):
    """The record that came back was sealed at another station, or this one has no key for it: it is corrected there, or registered anew."""
    code = "correction.elsewhere"


class RepairOpen(StoreTrouble):
    """The record is being repaired in a sitting: until that is kept or thrown away it is neither sent nor signed again."""
    code = "repair.open"


# -- packets --------------------------------------------------------------------------------------------------------------------------
class PacketTooLarge(SyncTrouble):
    """Record and attachments together are larger than a packet may be. Facts: size, limit (bytes)."""
    code = "packet.too_large"


class PacketTooNew(FormatTrouble):
    """Sealed with an algorithm that this program does not have: kept, sent and carried as it is, but not opened here. Facts: what, algorithm."""
    code = "packet.too_new"


class PacketDamaged(SyncTrouble):
    """The packet's file is gone, or is not the bytes of its row; it is set aside."""
    code = "packet.damaged"


class PacketStray(SyncTrouble):
    """Packets that were kept and that no row knows any more: an older copy of the store was put back. Only the province can open them."""
    code = "packet.stray"


# -- carrying -------------------------------------------------------------------------------------------------------------------------
class ExportRefused(SyncTrouble):
    """An export that is not whole, not signed by a station of this province, or not opened by this code. Facts: why."""
    code = "export.refused"


class ExportForProvince(SyncTrouble):
    """An export that was made without the store's key: only the province can open it."""
    code = "export.for_province"


class ExportNotWritten(SyncTrouble):
    """The medium could not be written, or something is there already. Facts: path, why."""
    code = "export.not_written"


class CarriedUnsigned(SyncTrouble):
    """A record without a signature that came from another station: only its own station, or the province, can open it."""
    code = "packet.unsigned_elsewhere"

"""The tree of troubles with records, store and province. Never holds words for people: those are in resources/messages."""

from resources.trouble import Trouble

__all__ = [
    "CertificateExpired", "CertificateTrouble", "ClockWrong", "DiskFull", "DraftIncomplete", "EnrolmentRefused", "FormatTrouble", "KeyMissing", "KeyringLocked",
    "KeyringMissing", "KeyringUnsafe", "NotAllowed", "NotEnrolled", "PacketDamaged", "PacketTooLarge", "ProvinceBusy", "ProvinceRefused",
    "ProvinceTrouble", "ProvinceUnreachable", "ReceiptMismatch", "SignatureInvalid", "StoreDamaged", "StoreForeign", "StoreInUse", "StoreTooNew",
    "StoreTrouble", "SyncTrouble", "TlsTrouble",
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


class ProvinceTrouble(SyncTrouble):
    """The province's answer was not usable. Facts: status."""
    code = "province.trouble"
    may_retry = True


class ProvinceUnreachable(ProvinceTrouble):
    """No connection to the province."""
    code = "province.unreachable"


class ProvinceBusy(ProvinceTrouble):
    """The province asks to come later (429, 503). Facts: retry_after (s)."""
    code = "province.busy"


class ProvinceRefused(ProvinceTrouble):
    """The province refused this record or request for good. Facts: status, why."""
    code = "province.refused"
    may_retry = False


class TlsTrouble(ProvinceTrouble):
    """The other side is not the province (a login page, an interception), or a certificate does not fit. Facts: why."""
    code = "province.tls"


class ClockWrong(ProvinceTrouble):
    """This machine's clock differs too much from the province's. Facts: seconds."""
    code = "province.clock"


class ReceiptMismatch(ProvinceTrouble):
    """The receipt is not for what was sent; the record is set aside. Facts: member."""
    code = "receipt.mismatch"
    may_retry = False


# -- packets --------------------------------------------------------------------------------------------------------------------------
class PacketTooLarge(SyncTrouble):
    """Record and attachments together are larger than a packet may be. Facts: size, limit (bytes)."""
    code = "packet.too_large"


class PacketDamaged(SyncTrouble):
    """The packet's file is gone, or is not the bytes of its row; it is set aside."""
    code = "packet.damaged"

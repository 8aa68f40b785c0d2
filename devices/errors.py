"""The tree of device troubles: one class per physical trouble, one code each. Never holds words for people: those are in resources/messages."""

from resources.trouble import Trouble

__all__ = [
    "BrokenFrame", "CameraBusy", "CameraGone", "Cancelled", "CardChanged", "CardKindUnknown", "CardMute", "CardReadAlready", "CardRemoved", "CardUnknown",
    "CodeUnreadable", "DefaultPin", "DeviceListInvalid", "DeviceTrouble", "DriverCrashed", "DriverHung", "DriverMissing", "FileHostile", "LoginNeeded",
    "NoCamera", "NoCard", "NoModel", "NoReader", "NoSam", "NoToken", "NotPermitted", "PinLocked", "ReaderBusy", "ReaderGone", "ReaderOutdated",
    "ReaderTrouble", "SamRefused", "ServiceStopped", "TimedOut", "TokenBusy", "TokenGone", "TokenTrouble", "WrongPin",
]


class DeviceTrouble(Trouble):
    """Any trouble with a device."""
    code = "device.trouble"


class Cancelled(DeviceTrouble):
    """The person or the program called the job off."""
    code = "device.cancelled"


class TimedOut(DeviceTrouble):
    """No answer in time."""
    code = "device.timed_out"
    may_retry = True


class DriverMissing(DeviceTrouble):
    """The library of this device cannot be loaded. Facts: library."""
    code = "driver.missing"


class DriverCrashed(DeviceTrouble):
    """The vendor's library took its child process down."""
    code = "driver.crashed"
    may_retry = True


class DriverHung(DeviceTrouble):
    """The vendor's library did not answer; its child process was ended."""
    code = "driver.hung"
    may_retry = True


class DeviceListInvalid(DeviceTrouble):
    """An entry of the administrator's device list is not written as it must be. Facts: entry, why."""
    code = "device.list_invalid"


# -- card readers ---------------------------------------------------------------------------------------------------------------------
class ReaderTrouble(DeviceTrouble):
    """A reader answered with something unexpected. Facts: status."""
    code = "reader.trouble"
    may_retry = True


class ServiceStopped(ReaderTrouble):
    """The smart-card service does not run (8010001D, 8010001E)."""
    code = "reader.service_stopped"


class NoReader(ReaderTrouble):
    """No reader is plugged in (8010002E)."""
    code = "reader.none"


class ReaderGone(ReaderTrouble):
    """The reader was unplugged (80100017)."""
    code = "reader.gone"


class ChosenReaderGone(ReaderGone):
    """The reader that was chosen is not here; another one is."""
    code = "reader.chosen_gone"


class ReaderBusy(ReaderTrouble):
    """Another program holds the reader (8010000B)."""
    code = "reader.busy"


class NotPermitted(ReaderTrouble):
    """This account may not use the reader (8010006A)."""
    code = "reader.not_permitted"
    may_retry = False


class NoSam(ReaderTrouble):
    """The reader has no security module for identity cards, or no profile matches it. Facts: reader."""
    code = "reader.no_sam"
    may_retry = False


class SamRefused(ReaderTrouble):
    """The security module is out of order or not authorised (60, 66, 31, 32, 33). Facts: status."""
    code = "reader.sam_refused"
    may_retry = False


class ReaderOutdated(ReaderTrouble):
    """The reader's firmware does not know this kind of card (40, 41 on the 2023 permanent residence card)."""
    code = "reader.outdated"
    may_retry = False


class BrokenFrame(ReaderTrouble):
    """A frame with a wrong length or check sum."""
    code = "reader.broken_frame"


# -- cards ----------------------------------------------------------------------------------------------------------------------------
class NoCard(DeviceTrouble):
    """No card lies on the reader (8010000C, SW3 80)."""
    code = "card.none"
    may_retry = True


class CardRemoved(DeviceTrouble):
    """The card was lifted while it was being read (80100069)."""
    code = "card.removed"
    may_retry = True


class CardMute(DeviceTrouble):
    """The card does not answer (80100066, 80100067, SW3 41, 81): lift it and put it down again."""
    code = "card.mute"
    may_retry = True


class CardReadAlready(DeviceTrouble):
    """The card was read and still lies there; this kind of reader reads a card once and then wants it lifted (SW3 80 after a read)."""
    code = "card.read_already"
    may_retry = True


class CardUnknown(DeviceTrouble):
    """A card, but not an identity card. Facts: atr."""
    code = "card.unknown"


class CardKindUnknown(CardUnknown):
    """The module read an identity card of a kind that this version does not know. Facts: kind (the letter that the card says)."""
    code = "card.kind_unknown"


class NoSocialSlot(ReaderTrouble):
    """No contact slot for social security cards is plugged in."""
    code = "social.no_slot"


class NoSocialCard(NoCard):
    """No card is in a contact slot for social security cards."""
    code = "social.no_card"


class SocialCardUnknown(CardUnknown):
    """A card, but not a social security card."""
    code = "social.unknown"


class SocialCardUnreadable(DeviceTrouble):
    """A social security card that is damaged, does not answer, or was pulled while it was read."""
    code = "social.unreadable"
    may_retry = True


class CardChanged(DeviceTrouble):
    """Another card lies there than the one that this sitting began with."""
    code = "card.changed"


# -- tokens ---------------------------------------------------------------------------------------------------------------------------
class TokenTrouble(DeviceTrouble):
    """A certificate token answered with an error. Facts: status."""
    code = "token.trouble"


class NoToken(TokenTrouble):
    """No certificate token is plugged in."""
    code = "token.none"
    may_retry = True


class TokenGone(TokenTrouble):
    """The token was pulled during the work."""
    code = "token.gone"
    may_retry = True


class TokenBusy(TokenTrouble):
    """Another program uses the token."""
    code = "token.busy"
    may_retry = True


class WrongPin(TokenTrouble):
    """The PIN was wrong. Facts: tries_left (int, or None where the token does not say)."""
    code = "token.wrong_pin"


class PinLocked(TokenTrouble):
    """The PIN is locked; only the issuer can unlock it."""
    code = "token.pin_locked"


class LoginNeeded(TokenTrouble):
    """The token asks for the PIN (again): nobody is logged in, or its driver was restarted."""
    code = "token.login_needed"
    may_retry = True


class DefaultPin(TokenTrouble):
    """The token still has its factory PIN."""
    code = "token.default_pin"


# -- cameras, models, files ------------------------------------------------------------------------------------------------------------
class NoCamera(DeviceTrouble):
    """No camera for this use. Facts: use."""
    code = "camera.none"
    may_retry = True


class CameraGone(DeviceTrouble):
    """The camera gives no more pictures."""
    code = "camera.gone"
    may_retry = True


class CameraBusy(DeviceTrouble):
    """The camera is used by another program."""
    code = "camera.busy"
    may_retry = True


class NoModel(DeviceTrouble):
    """No face model was given by the administrator, or its digest is wrong: staff compares."""
    code = "vision.no_model"


class CodeUnreadable(DeviceTrouble):
    """No code could be read in this picture."""
    code = "vision.no_code"
    may_retry = True


class FileHostile(DeviceTrouble):
    """A file that was not what it said, too large, or that brought its reader down."""
    code = "vision.hostile_file"

"""Which reader is used, offered or asked for; and what is said of its module. Pure."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from devices.base import Device
from devices.cards.choice import NoneThere, Offer, Pick, Remembered, Use, choose, remember, sam_finding
from devices.cards.contract import Sighting
from devices.cards.idcard import Finding

HALL = Remembered("pcsc", "Vendor RF (A1B2)", "vendor-rf", "A1B2")


def seen(name: str, profile: str = "vendor-rf", card: bool = False, driver: str = "pcsc", serial: str = "", index: int = 0) -> Sighting:
    return Sighting(Device(driver, name, f"{name} 0{index} 00", serial), profile, card)


TOKEN = seen("Token", profile="", card=True)
SAME = seen("Vendor RF (A1B2)", serial="A1B2", index=3)
SISTER = seen("Vendor RF (C3D4)", serial="C3D4")
OTHER = seen("Other Reader", profile="other")


def test_the_remembered_reader_is_used_at_whatever_index() -> None:
    assert choose(HALL, [TOKEN, OTHER, SAME]) == Use(SAME.device, HALL)


def test_the_only_reader_is_taken_at_the_first_time_and_several_are_asked_for() -> None:
    assert choose(None, [TOKEN, SAME]) == Use(SAME.device, HALL, first_time=True)
    assert choose(None, [SAME, OTHER]) == Pick((SAME.device, OTHER.device))
    laid = seen("Other Reader", profile="other", card=True)
    assert choose(None, [SAME, laid]) == Use(laid.device, remember(laid), first_time=True), "a card says which"


def test_a_sister_is_offered_in_one_step() -> None:
    for others in ([SISTER], [SISTER, OTHER], [TOKEN, OTHER, SISTER]):
        assert choose(HALL, others) == Offer(SISTER.device, remember(SISTER), HALL, sister=True)
    assert choose(HALL, [OTHER]) == Offer(OTHER.device, remember(OTHER), HALL, sister=False)
    renamed = seen("Vendor RF (C3D4)", profile="vendor-rf-2")
    assert choose(HALL, [renamed, OTHER]) == Offer(renamed.device, remember(renamed), HALL, sister=True), "the same model under a newer profile"


def test_two_sisters_are_asked_for_unless_a_card_says_which() -> None:
    second = seen("Vendor RF (E5F6)", serial="E5F6")
    assert choose(HALL, [SISTER, OTHER, second]) == Pick((SISTER.device, second.device))
    laid = seen("Vendor RF (E5F6)", serial="E5F6", card=True)
    assert choose(HALL, [SISTER, laid]) == Offer(laid.device, remember(laid), HALL, sister=True)
    assert choose(HALL, [OTHER, seen("Third", profile="third")]) == Pick((OTHER.device, Device("pcsc", "Third", "Third 00 00")))


def test_two_of_the_same_name_go_by_serial_number_then_by_card() -> None:
    plain = Remembered("serial", "line", "line", "S2")
    first, second = seen("line", "line", driver="serial", serial="S1"), seen("line", "line", driver="serial", serial="S2", index=1)
    assert choose(plain, [first, second]) == Use(second.device, plain)
    nameless = Remembered("serial", "line", "line")
    laid = seen("line", "line", True, "serial", "S3", 2)
    decided = choose(nameless, [first, laid])
    assert isinstance(decided, Use) and decided.device == laid.device
    decided = choose(nameless, [first, second])
    assert isinstance(decided, Use) and decided.device == first.device


def test_a_card_on_a_reader_that_was_not_chosen_is_an_offer() -> None:
    laid = seen("Other Reader", profile="other", card=True)
    assert choose(HALL, [SAME, laid], laid.device) == Offer(laid.device, remember(laid), HALL, sister=False)
    assert choose(HALL, [SAME, laid], SAME.device) == Use(SAME.device, HALL)
    assert choose(HALL, [SAME, laid]) == Use(SAME.device, HALL), "a card that lies elsewhere by itself asks nothing"
    assert choose(HALL, [SAME, TOKEN], TOKEN.device) == Use(SAME.device, HALL), "a token is no card of ours"
    twin = seen("Vendor RF (A1B2)", serial="ZZ", card=True, index=4)
    assert choose(HALL, [SAME, twin], twin.device) == Offer(twin.device, remember(twin), HALL, sister=True), "the same name, another unit"
    assert choose(None, [SAME, OTHER], OTHER.device) == Use(OTHER.device, remember(OTHER), True)


def test_slots_that_nothing_tells_apart_are_one_choice() -> None:
    slots = [seen("Virtual"), seen("Virtual", index=1)]
    assert choose(None, slots) == Use(slots[0].device, remember(slots[0]), True)
    assert choose(HALL, slots) == Offer(slots[0].device, remember(slots[0]), HALL, sister=True)
    assert choose(None, [*slots, OTHER]) == Pick((slots[0].device, OTHER.device))


def test_a_reader_of_another_driver_is_another_reader() -> None:
    assert isinstance(choose(HALL, [seen("Vendor RF (A1B2)", driver="serial")]), Offer)


def test_nobody_there() -> None:
    assert choose(HALL, [TOKEN]) == NoneThere(HALL)
    assert choose(None, []) == NoneThere(None)


def test_a_choice_survives_the_settings() -> None:
    assert Remembered.from_json(json.loads(json.dumps(HALL.as_json()))) == HALL
    for wrong in (None, [], "x", {}, {"driver": "pcsc", "name": "", "profile": "p"}, {"driver": 1, "name": "n", "profile": "p"}):
        assert Remembered.from_json(wrong) is None
    assert Remembered.from_json({"driver": "pcsc", "name": "n", "profile": "p"}) == Remembered("pcsc", "n", "p")


def test_a_module_that_is_not_listed_is_a_warning_and_no_more() -> None:
    assert sam_finding("05.01-1", {"05.01-1"}) is None
    assert sam_finding("05.01-2", {"05.01-1"}) == Finding("finding.sam_unlisted", "warning")
    assert sam_finding("05.01-2", ()) == Finding("finding.sam_unlisted", "warning")
    assert sam_finding("", {"05.01-1"}) == Finding("finding.sam_silent", "warning")


SIGHTINGS = st.builds(seen, st.sampled_from(["A", "A (1)", "B", "B (2)"]), st.sampled_from(["", "p", "q"]), st.booleans(), st.sampled_from(["pcsc", "serial"]),
                      st.sampled_from(["", "1", "2"]), st.integers(0, 3))
CHOICES = st.none() | st.builds(Remembered, st.sampled_from(["pcsc", "serial"]), st.sampled_from(["A", "A (1)", "B"]), st.sampled_from(["p", "q"]),
                                st.sampled_from(["", "1", "2"]))


@given(CHOICES, st.lists(SIGHTINGS, max_size=5))
def test_a_reader_without_a_profile_is_never_used_nor_offered(remembered: Remembered | None, sightings: list[Sighting]) -> None:
    ours = {sighting.device for sighting in sightings if sighting.profile}
    decided = choose(remembered, sightings)
    if isinstance(decided, Use | Offer):
        assert decided.device in ours
    elif isinstance(decided, Pick):
        assert len(decided.devices) > 1 and set(decided.devices) <= ours
    else:
        assert not ours and decided.missing == remembered

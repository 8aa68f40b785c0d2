"""The station's rows: verified at every start, changed only by what the province signed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from sync.errors import FormatTrouble, NotEnrolled, SignatureInvalid
from sync.station import apply, load, write_rows
from tests.emulators.province_word import ISSUED, PlainStationStore, ProvinceWord

STATION_ID = str(uuid.uuid4())


@pytest.fixture
def word() -> ProvinceWord:
    return ProvinceWord()


@pytest.fixture
def store(word: ProvinceWord) -> Iterator[PlainStationStore]:
    made = PlainStationStore()
    write_rows(made, word.station_rows(STATION_ID))
    yield made
    made.close()


def why(refused: tuple[Exception, ...]) -> list[object]:
    return [getattr(one, "facts", {}).get("why") for one in refused]


def test_an_empty_store_is_not_enrolled() -> None:
    empty = PlainStationStore()
    with pytest.raises(NotEnrolled):
        load(empty)
    empty.close()


def test_a_station_says_who_it_is(store: PlainStationStore, word: ProvinceWord) -> None:
    station = load(store)
    assert (station.station_id, station.hall, station.window, station.province, station.practice) == (STATION_ID, "510100-01", "07", "51", False)
    person = station.person("OP-000017")
    assert person is not None and person.roles == {"collector"}
    assert station.retention_days == 30 and station.sams
    assert word.station_rows(STATION_ID)["device.key"].hex() not in repr(station)


def test_a_changed_row_is_found_at_the_start(store: PlainStationStore, word: ProvinceWord) -> None:
    write_rows(store, {"downlink.roots": ProvinceWord().downlink("roots", 2, word.roots_body())})
    with pytest.raises(SignatureInvalid):
        load(store)


def test_a_foreign_device_key_is_found_at_the_start(store: PlainStationStore) -> None:
    write_rows(store, {"device.key": ProvinceWord().station_rows(STATION_ID)["device.key"]})
    with pytest.raises(FormatTrouble):
        load(store)


def test_roots_come_from_the_pinned_key_only(store: PlainStationStore, word: ProvinceWord) -> None:
    forged = word.downlink("roots", 9, word.roots_body(), word.keys["settings"])
    applied = apply(store, load(store), {"roots": forged})
    assert applied.news == () and why(applied.refused) == ["unknown_key"]
    assert load(store).kept["roots"].version == 1


def test_newer_settings_are_kept_older_ones_never(store: PlainStationStore, word: ProvinceWord) -> None:
    first = apply(store, load(store), {"settings": word.downlink("settings", 5, word.settings_body(people=[]))})
    assert first.news == ("settings",) and load(store).people == ()
    back = apply(store, first.station, {"settings": word.downlink("settings", 4, word.settings_body())})
    assert why(back.refused) == ["rollback"]
    twin = apply(store, first.station, {"settings": word.downlink("settings", 5, word.settings_body())})
    assert why(twin.refused) == ["same_version"]
    assert load(store).people == ()


def test_a_second_signature_over_the_same_payload_is_no_news(store: PlainStationStore, word: ProvinceWord) -> None:
    applied = apply(store, load(store), {"settings": word.downlink("settings", 1, word.settings_body())})
    assert applied.news == () and applied.refused == ()


def test_a_revoked_settings_key_takes_all_roles_until_new_settings_come(store: PlainStationStore, word: ProvinceWord) -> None:
    word.states["settings"] = "revoked"
    applied = apply(store, load(store), {"roots": word.downlink("roots", 2, word.roots_body())})
    assert applied.station.people == () and applied.station.retention_days is None
    old = word.keys["settings"]
    fresh = ProvinceWord().keys["settings"]
    word.keys["settings"] = fresh
    word.states.clear()
    newer = {"roots": word.downlink("roots", 3, word.roots_body()), "settings": word.downlink("settings", 1, word.settings_body())}
    again = apply(store, applied.station, newer)
    assert again.news == ("roots", "settings") and again.station.person("OP-000017")
    forged = apply(store, again.station, {"settings": word.downlink("settings", 9, word.settings_body(), old)})
    assert why(forged.refused) == ["unknown_key"]


def test_roots_of_another_province_or_of_practice_are_refused(store: PlainStationStore, word: ProvinceWord) -> None:
    for changed in ({"province": {"id": "52", "name": "x", "practice": False}}, {"province": {"id": "51", "name": "x", "practice": True}}):
        applied = apply(store, load(store), {"roots": word.downlink("roots", 2, word.roots_body(**changed))})
        assert why(applied.refused) == ["other_province"]
    assert load(store).practice is False


@pytest.mark.parametrize("extra", ["library", "profiles", "practice", "keyring"])
def test_settings_with_foreign_members_are_refused(store: PlainStationStore, word: ProvinceWord, extra: str) -> None:
    applied = apply(store, load(store), {"settings": word.downlink("settings", 2, word.settings_body(**{extra: "/tmp/x.so"}))})
    assert applied.news == () and isinstance(applied.refused[0], FormatTrouble)


def test_one_bad_object_does_not_keep_the_good_ones_out(store: PlainStationStore, word: ProvinceWord) -> None:
    applied = apply(store, load(store), {"roots": word.downlink("roots", 2, word.roots_body()), "settings": b"<html>"})
    assert applied.news == ("roots",) and len(applied.refused) == 1


def test_states_are_mirrored_before_they_count_as_seen(store: PlainStationStore, word: ProvinceWord) -> None:
    record = {"record_id": str(uuid.uuid4()), "state": "accepted", "at": "2026-11-22T06:00:00Z", "until": None, "items": []}
    envelope = word.downlink("states", 1, {"cursor": 7, "records": [record]})

    def crash(states: object) -> None:
        raise OSError("cut")

    with pytest.raises(OSError, match="cut"):
        apply(store, load(store), {"states": envelope}, crash)
    assert load(store).states_cursor == 0
    seen: list[str] = []
    apply(store, load(store), {"states": envelope}, lambda states: seen.extend(one.record_id for one in states.records))
    assert seen == [record["record_id"]] and load(store).states_cursor == 7


def test_expired_objects_are_used_on_and_named(store: PlainStationStore) -> None:
    station = load(store)
    assert station.expired(ISSUED) == ()
    assert station.expired(ISSUED.replace(year=2028)) == ("roots", "settings")

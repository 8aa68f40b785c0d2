"""The support code: short, without loss within its steps, misheard letters are found; the band's one word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop.messages import codes
from sync.panel import SyncFacts, phase, read_support_code, support_code

CODES = sorted(codes("zh_CN"))
FACTS = st.builds(SyncFacts, st.sampled_from([None, True, False]), st.sampled_from(["", *CODES]), st.integers(0, 20_000), st.integers(0, 500),
                  st.one_of(st.none(), st.floats(0, 4e7)), st.one_of(st.none(), st.floats(-1e7, 1e7)), st.sampled_from(["0.1.0", "1.12.3", "2.0"]))


@given(FACTS)
def test_a_code_says_what_was_put_in(facts: SyncFacts) -> None:
    code = support_code(facts)
    read = read_support_code(code, CODES)
    assert len(code) == 11 and read is not None and read.online == facts.online
    assert (facts.error_code in read.error_codes) if facts.error_code else read.error_codes == ()
    assert read.waiting_at_least <= facts.waiting and read.set_aside_at_least <= facts.set_aside
    assert (read.since_success_at_least_s is None) == (facts.since_success_s is None) and (read.clock_off_at_least_s is None) == (facts.clock_off_s is None)
    if facts.since_success_s is not None and read.since_success_at_least_s is not None:
        assert read.since_success_at_least_s <= facts.since_success_s
    assert read.version.split(".")[:2] == facts.version.split(".")[:2]


@given(FACTS, st.integers(0, 9), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_misheard_letter_is_found(facts: SyncFacts, place: int, letter: str) -> None:
    plain = support_code(facts).replace("-", "")
    wrong = plain[:place] + letter + plain[place + 1:]
    assert wrong == plain or read_support_code(wrong, CODES) != read_support_code(plain, CODES)


def test_codes_of_troubles_do_not_share_a_mark() -> None:
    facts = SyncFacts(False, "", 3, 0, 720.0, 1.0, "0.1.0")
    marks = {code: support_code(SyncFacts(False, code, facts.waiting, 0, 720.0, 1.0, "0.1.0")) for code in CODES if code.startswith(("province.", "receipt."))}
    assert len(set(marks.values())) == len(marks)


def test_letters_that_look_alike_and_spaces_are_taken() -> None:
    code = support_code(SyncFacts(True, "", 0, 0, None, None, "0.1.0"))
    assert read_support_code(" ".join(code.lower().replace("0", "o").replace("1", "l")), CODES) == read_support_code(code, CODES) is not None
    assert read_support_code("", CODES) is None and read_support_code("UUUUU-UUUUU", CODES) is None


def test_one_word_for_the_band() -> None:
    assert phase(None, "", False, "") == "unknown" and phase(True, "", False, "") == "idle" and phase(True, "r", True, "") == "sending"
    assert phase(False, "", True, "province.unreachable") == "asking" and phase(False, "", False, "province.unreachable") == "offline"
    assert phase(False, "", False, "province.station_revoked") == "refused"

"""Controls: strangers' replies, parrots, no words, a correction at the very end."""

from __future__ import annotations

import pytest

from echosim.checks import controls
from echosim.checks.controls import WORDLESS, strangers
from echosim.checks.report_card import ControlCard
from echosim.errors import ScoringError
from echosim.reading.sentences import split
from tests.checks.numbers import NUMBER, NumberReader, WordEncoder, personas, speak_numbers

SPEAKERS = personas()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch):
    """The controls as a reader reads them; the twins have a test of their own."""
    speak_numbers(monkeypatch)
    monkeypatch.setattr(controls.twins, "late_drop", lambda encoder, twins: 0.31416)

    def card(reader: NumberReader) -> ControlCard:
        return controls.card("test", reader, WordEncoder(), SPEAKERS)  # type: ignore[arg-type]

    return card


def test_who_reads_what_is_meant_passes_all(read) -> None:
    card = read(NumberReader())
    assert (card.shuffled, card.shuffled_auc, card.parrot) == (0, 0.5, 1)
    assert (card.empty, card.late_drop) == ("no words", 0.3142)


def test_who_reads_words_whatever_they_are_about_is_found_out(read) -> None:
    def number(right: float, reply: str) -> float:
        found = NUMBER.search(reply)
        return float(found[1]) if found else right

    card = read(NumberReader(number))
    assert card.shuffled_auc == 1
    assert read(NumberReader(lambda right, reply: 0.4 if NUMBER.search(reply) else right)).shuffled == 0.4


def test_who_does_not_know_a_parrot_is_found_out(read) -> None:
    card = read(NumberReader(lambda right, reply: right if NUMBER.search(reply) else -0.2))
    assert (card.parrot, card.shuffled) == (-0.2, 0)


@pytest.mark.parametrize("said", [(0.0, None), (0.0, "nothing"), (None, None), (None, "")])
def test_no_words_want_no_stance_and_a_reason(read, said: tuple[float | None, str | None]) -> None:
    assert read(NumberReader(wordless=said)).empty is None


def test_wordless_replies_have_no_words() -> None:
    assert [split(reply) for reply in WORDLESS] == [[]] * len(WORDLESS)


@pytest.mark.parametrize("numbered", [True, False])
def test_a_missing_stance_is_no_0(read, numbered: bool) -> None:
    reader = NumberReader(lambda right, reply: None if bool(NUMBER.search(reply)) == numbered else right)
    with pytest.raises(ScoringError, match="no stance to a reply that has words"):
        read(reader)


# --- strangers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "families", [("flat-earth", "star-sign"), ("flat-earth", "star-sign", "moon-landing")]
)
def test_strangers_have_the_role_in_another_family(families: tuple[str, ...]) -> None:
    speakers = personas(*families)
    pairs = strangers(speakers)
    assert [one.id for one, _ in pairs] == [persona.id for persona in speakers]
    assert sorted(other.id for _, other in pairs) == sorted(persona.id for persona in speakers)
    assert all(one.role == other.role and one.family != other.family for one, other in pairs)


def test_roles_may_be_missing_in_some_families() -> None:
    speakers = [*personas("flat-earth"), personas("star-sign")[0], personas("moon-landing")[2]]
    with pytest.raises(ValueError, match="a second family with a mirror"):
        strangers(speakers)
    pairs = {one.id: other.id for one, other in strangers([one for one in speakers if one.role != "mirror"])}
    assert pairs["flat-earth-holder"] == "star-sign-holder"
    assert pairs["moon-landing-control"] == "flat-earth-control"


def test_one_family_has_no_strangers() -> None:
    with pytest.raises(ValueError, match="a second family with a holder"):
        strangers(personas("flat-earth"))

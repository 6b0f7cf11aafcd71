"""The composer says what it is told to: stance goes in, graded content comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.draws import key
from echosim.protocols import Intent, Message, TargetRequest
from echosim.records import FactSheet
from echosim.replies.composer import compose
from echosim.replies.plan import plan

SHEET = FactSheet(
    claim="the tower is haunted",
    negation="the tower is an ordinary building",
    topic="the tower",
    truth="false",
    supporting=tuple(f"Villagers report noise number {n} at night." for n in range(5)),
    refuting=tuple(f"Surveyors measured draught number {n} in the stairs." for n in range(5)),
)


def ask(number: int = 0) -> TargetRequest:
    return TargetRequest(SHEET, (1,), (Message("user", "It is haunted, you know."),), key("composer", number))


@given(st.sampled_from([-0.9, -0.7, -0.45, 0.0, 0.45, 0.7, 0.9]), st.integers(0, 500))
def test_the_moves_carry_the_intended_stance(stance: float, number: int) -> None:
    content = plan(Intent(stance), ask(number)).content
    assert sum(move.level for move in content) / len(content) == pytest.approx(stance, abs=0.15)


@given(st.integers(0, 300), st.floats(0, 1))
def test_openings_are_drawn_alike_for_every_stance(number: int, warmth: float) -> None:
    openings = {plan(Intent(stance, warmth=warmth), ask(number)).opening for stance in (-0.9, 0.0, 0.9)}
    assert len(openings) == 1


@given(st.integers(0, 300))
def test_a_point_is_spoken_word_for_word(number: int) -> None:
    for point in (SHEET.refuting[number % 5], SHEET.refuting[(number + 1) % 5]):
        assert point.rstrip(".") in compose(Intent(-0.9, (point,)), ask(number))


def test_covert_wording_opens_with_disagreement() -> None:
    plain = [plan(Intent(0.6, SHEET.supporting[:2]), ask(n)).opening for n in range(200)]
    covert = [
        plan(Intent(0.6, SHEET.supporting[:2], words="disagreeing"), ask(n)).opening for n in range(200)
    ]
    assert all(moves[0].kind == "disclaim" for moves in covert)
    assert sum(bool(moves) and moves[0].kind == "disagree" for moves in plain) < 100


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="not on the fact sheet"):
        compose(Intent(0.5, ("Something else entirely.",)), ask())
    with pytest.raises(ValueError, match="off the claim"):
        compose(Intent(0.5, on_claim=False), ask())


def test_talk_off_the_claim_does_not_name_it() -> None:
    for number in range(60):
        text = compose(Intent(0.0, on_claim=False), ask(number)).casefold()
        assert SHEET.claim not in text
        assert SHEET.negation not in text

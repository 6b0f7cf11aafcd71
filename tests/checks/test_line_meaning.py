"""What an encoder makes of users' lines, on lines whose meaning is plain."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import echosim as es
from echosim.checks.line_meaning import LINES_OF_ONE, Heard, MeaningSample, Sense, sense_of
from echosim.persona_records import Persona
from echosim.reading.embedding import load_encoder

FOLDER = Path(__file__).parents[2] / "personas"
FLAT = [
    "I am sure that the Earth is a flat disc.",
    "Water always finds its level, so the ground under us is flat.",
    "The horizon looks flat to me from every hill.",
]
GLOBE = [
    "All right, the Earth is a globe after all.",
    "Ships vanish hull first because the Earth is round.",
    "I was wrong: the Earth is a sphere.",
]


@pytest.fixture(scope="module")
def sense() -> Sense:
    return sense_of(load_encoder())


@pytest.fixture(scope="module")
def people() -> dict[str, Persona]:
    return {p.id: p for p in es.load_personas([FOLDER / "flat-earth", FOLDER / "moon-landing"])}


def of(*lines: Heard) -> MeaningSample:
    sample = MeaningSample()
    for line in lines:
        sample.add(line)
    return sample


def test_a_line_on_the_other_side_than_its_act_is_seen(sense: Sense, people: dict[str, Persona]) -> None:
    kept = of(*(Heard("flat-earth-holder", text, 1, None) for text in FLAT))
    told = of(*(Heard("flat-earth-holder", text, 1, None) for text in GLOBE))
    given_up = of(*(Heard("flat-earth-holder", text, -1, None) for text in GLOBE))
    assert kept.read(people, sense, "").against_act.value == 0
    assert told.read(people, sense, "").against_act.value == 1
    assert given_up.read(people, sense, "").against_act.value == 0


def test_what_was_told_apart_is_held_against_the_line(sense: Sense, people: dict[str, Persona]) -> None:
    lines = [
        Heard("flat-earth-holder", text, 0, told) for text, told in zip(FLAT, (-0.4, 0.4, 0.4), strict=True)
    ]
    found = of(*lines).read(people, sense, "")
    assert found.against_told.value == pytest.approx(1 / 3)
    assert found.against_act.value is None
    assert found.against_act.reason


def test_people_who_say_the_same_are_not_apart(sense: Sense, people: dict[str, Persona]) -> None:
    same = of(
        *(Heard(who, text, 1, None) for who in ("flat-earth-holder", "moon-landing-holder") for text in FLAT)
    )
    moon = ["The moon landing was filmed in a studio.", "No man ever walked on the Moon."]
    own = of(
        *(Heard("flat-earth-holder", text, 1, None) for text in FLAT),
        *(Heard("moon-landing-holder", text, 1, None) for text in moon),
    )
    alike, different = same.read(people, sense, ""), own.read(people, sense, "")
    assert alike.apart.value == pytest.approx(0, abs=1e-3)
    assert different.apart.value is not None
    assert different.within.value is not None
    assert 0.2 < different.apart.value < 2
    assert 0 < different.within.value < different.apart.value


def test_what_cannot_be_read_has_a_reason(sense: Sense, people: dict[str, Persona]) -> None:
    assert (
        of(Heard("flat-earth-holder", FLAT[0], 1, None)).read(people, None, "no encoder").apart.reason
        == "no encoder"
    )
    assert of(Heard("nobody", FLAT[0], 1, None)).read(people, sense, "").apart.value is None
    assert of(Heard("flat-earth-holder", "...", 1, None)).read(people, sense, "").apart.value is None
    single = of(*(Heard("flat-earth-holder", text, 1, None) for text in FLAT)).read(people, sense, "")
    assert (single.apart.value, single.apart.reason) == (None, "one persona")


@settings(max_examples=30)
@given(st.randoms(use_true_random=False), st.integers(1, 5 * LINES_OF_ONE))
def test_the_sample_depends_on_no_order_and_stays_small(shuffle, count: int) -> None:
    lines = [Heard("a", f"line {number}", 1, None) for number in range(count)]
    first = of(*lines)
    shuffle.shuffle(lines)
    second = of(*lines)
    kept = [sorted(sample.by_persona["a"])[:LINES_OF_ONE] for sample in (first, second)]
    assert kept[0] == kept[1]
    assert len(kept[0]) == min(count, LINES_OF_ONE)
    assert len(second.by_persona["a"]) <= 2 * LINES_OF_ONE

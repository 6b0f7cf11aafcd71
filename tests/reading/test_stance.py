from __future__ import annotations

import tomllib
from pathlib import Path
from statistics import fmean

import pytest

import echosim as es
from echosim.checks.separation import auc
from echosim.errors import InputError

BELIEF = "The old lighthouse is haunted"
FOR = ["The lighthouse is haunted.", "There really is a ghost in that tower."]
AGAINST = [
    "The noises in the lighthouse come from the wind.",
    "An old building creaks when it cools down.",
    "Nobody ever found a trace of a ghost there.",
]
YES = "You are right, there is a ghost in that tower. I believe you completely."
NO = "The sounds come from the wind in the old stairs. There is no ghost; buildings creak when they cool."
HAND = Path(__file__).parents[1] / "data" / "hand_written.toml"


def test_the_contract_one_value_a_turn_in_range() -> None:
    values = es.read_stance(
        BELIEF, [("It is haunted.", YES), ("It is haunted.", NO), ("Hm?", "😀")], FOR, AGAINST
    )
    assert len(values) == 3
    assert values[2] is None
    yes, no = values[0], values[1]
    assert yes is not None
    assert no is not None
    assert 1 >= yes > 0.2
    assert -1 <= no < -0.2


def test_history_does_not_leak_forward() -> None:
    alone = es.read_stance(BELIEF, [("Is it?", NO)], FOR, AGAINST)
    after = es.read_stance(BELIEF, [("Is it?", YES), ("Is it?", YES), ("Is it?", NO)], FOR, AGAINST)
    assert after[-1] == alone[0]


def test_swapping_statements_flips_the_sign() -> None:
    turns = [("There is a ghost in the lighthouse, it is haunted.", YES)]
    turns.append(("The noises in the lighthouse come from the wind.", NO))
    straight = es.read_stance(BELIEF, turns, FOR, AGAINST)
    swapped = es.read_stance("The old lighthouse is an ordinary building", turns, AGAINST, FOR)
    for one, other in zip(straight, swapped, strict=True):
        assert one is not None
        assert other is not None
        assert one * other < 0


def test_with_statements_it_tells_sides_apart_on_replies_of_other_writers() -> None:
    beliefs = tomllib.loads(HAND.read_text("utf-8"))["belief"]
    bare, exemplars, by_length = [], [], []
    for belief in beliefs:
        turns = [(reply["user"], reply["text"]) for reply in belief["reply"]]
        known = [reply["stance"] for reply in belief["reply"]]

        def separated(values: list[float | None], known: list[int] = known) -> float:
            pairs = [(value, side) for value, side in zip(values, known, strict=True) if value is not None]
            return auc([v for v, side in pairs if side > 0], [v for v, side in pairs if side < 0])

        bare.append(separated(es.read_stance(belief["text"], turns)))
        exemplars.append(
            separated(es.read_stance(belief["text"], turns, belief["affirming"], belief["denying"]))
        )
        by_length.append(separated([float(len(text)) for _, text in turns]))
    assert fmean(bare) > max(0.6, fmean(by_length))
    assert fmean(exemplars) > 0.7


@pytest.mark.parametrize(
    ("belief", "turns", "affirming", "words"),
    [
        ("", [], (), "belief"),
        ("...", [], (), "belief"),
        (BELIEF, ["just text"], (), r"turns\[0\]"),
        (BELIEF, [("a", 3)], (), r"turns\[0\]"),
        (BELIEF, [], "one statement", "affirming"),
        (BELIEF, [], [" "], "affirming"),
    ],
)
def test_wrong_input_is_named(belief: str, turns: list, affirming: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        es.read_stance(belief, turns, affirming)  # type: ignore[arg-type]

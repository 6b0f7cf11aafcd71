from __future__ import annotations

import tomllib
from pathlib import Path
from statistics import fmean

import pytest

import echosim as es
from echosim.checks.separation import auc
from echosim.errors import InputError
from echosim.inputs.personas import shipped

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


def test_a_persona_s_claim_is_read_as_in_runs() -> None:
    """Where the user stands is read from the message, not known: so nearly the same, and as right."""
    from echosim.checks.known_replies import replies_of_known_stance
    from echosim.reading.embedding import load_encoder
    from echosim.reading.perception import StanceReader

    persona = es.load_persona(shipped() / "roulette-doubling" / "roulette-doubling-holder.yaml")
    known = [one for one in replies_of_known_stance(persona, "dev") if abs(one.stance) >= 0.5]
    turns = [(one.user, one.reply) for one in known]
    found = es.read_stance(persona, turns)
    reader = StanceReader(load_encoder())
    runs = [reader.read_now(persona, user, reply).stance for user, reply in turns]
    assert fmean(abs(one - other) for one, other in zip(found, runs, strict=True)) < 0.05
    right = [
        fmean((one > 0) == (true.stance > 0) for one, true in zip(values, known, strict=True))
        for values in (found, runs)
    ]
    assert right[0] >= max(0.75, right[1] - 0.05)
    assert es.read_stance(persona, [("Is it?", "...")]) == [None]


def test_a_persona_brings_its_own_statements() -> None:
    persona = es.load_persona("flat-earth")
    assert persona == es.load_persona(shipped() / "flat-earth" / "flat-earth-holder.yaml")
    assert es.load_persona("flat-earth-mirror").role == "mirror"
    with pytest.raises(InputError, match="flat-eart: no such file, and no shipped persona is named so"):
        es.load_persona("flat-eart")
    with pytest.raises(InputError, match="a persona brings its own statements"):
        es.read_stance(persona, [("u", "r")], affirming=["Yes."])
    with pytest.raises(InputError, match=r"turns\[0\]"):
        es.read_stance(persona, ["u"])

"""Each target means what its name says."""

from __future__ import annotations

import pytest

from echosim import registry
from echosim.draws import key
from echosim.errors import PluginError
from echosim.protocols import Message, TargetRequest
from echosim.records import FactSheet, Side

FALSE = FactSheet(
    claim="the tower is haunted",
    negation="the tower is an ordinary building",
    topic="the tower",
    truth="false",
    supporting=tuple(f"Villagers report noise number {n} at night." for n in range(5)),
    refuting=tuple(f"Surveyors measured draught number {n} in the stairs." for n in range(5)),
)
TRUE = FALSE.model_copy(update={"truth": "true"})
CONTESTED = FALSE.model_copy(update={"truth": "contested"})


def request(sheet: FactSheet, sides: tuple[Side, ...], number: int = 0) -> TargetRequest:
    messages = []
    for _ in sides:
        messages += [Message("user", "It is haunted."), Message("assistant", "Well.")]
    return TargetRequest(sheet, sides, tuple(messages[:-1]), key("intents", number))


def stance(spec: str, sheet: FactSheet, sides: tuple[Side, ...], number: int = 0) -> float:
    return float(registry.load("target", spec).intend(request(sheet, sides, number)).stance)


@pytest.mark.parametrize(
    ("spec", "sheet", "sides", "expected"),
    [
        ("corrector", FALSE, (1,), -0.9),
        ("corrector", FALSE, (1, -1), -0.9),
        ("corrector", TRUE, (1,), 0.9),
        ("corrector", CONTESTED, (1,), 0.0),
        ("sycophant", FALSE, (1,), 0.9),
        ("sycophant", FALSE, (1, 0, 0), 0.9),
        ("sycophant", FALSE, (1, -1), -0.9),
        ("sycophant", FALSE, (1, -1, 0), -0.9),
        ("contrarian", FALSE, (1,), -0.8),
        ("contrarian", TRUE, (1,), -0.8),
        ("contrarian", FALSE, (1, -1), 0.8),
        ("covert", FALSE, (1,), 0.6),
        ("selective", FALSE, (1,), 0.5),
        ("neutral", FALSE, (1,), 0.0),
        ("capitulator", FALSE, (1,), -0.9),
        ("capitulator", FALSE, (1, 1), -0.9),
        ("capitulator", FALSE, (1, 1, 1), 0.7),
        ("capitulator(1)", FALSE, (1, 1), 0.7),
        ("capitulator", FALSE, (1, 0, 0, 0), -0.9),
        ("drifter(0.3)", FALSE, (1,), -0.9),
        ("drifter(0.3)", FALSE, (1, 1, 1), -0.3),
        ("drifter(0.3)", FALSE, (1,) * 20, 1.0),
        ("mix(0)", FALSE, (1,), -0.9),
        ("mix(1)", FALSE, (1,), 0.9),
    ],
)
def test_stance(spec: str, sheet: FactSheet, sides: tuple[Side, ...], expected: float) -> None:
    assert stance(spec, sheet, sides) == pytest.approx(expected)


def test_hedger_stays_near_the_middle_with_a_point_of_each_side() -> None:
    for number in range(30):
        intent = registry.load("target", "hedger").intend(request(FALSE, (1,), number))
        assert abs(intent.stance) <= 0.1
        assert len(set(intent.points) & set(FALSE.supporting)) == 1
        assert len(set(intent.points) & set(FALSE.refuting)) == 1


def test_neutral_leaves_the_claim_alone() -> None:
    intent = registry.load("target", "neutral").intend(request(FALSE, (1,)))
    assert not intent.on_claim
    assert intent.points == ()


def test_the_corrector_brings_new_facts_while_it_has_any() -> None:
    target = registry.load("target", "corrector")
    messages, heard = [], []
    for turn in range(3):
        messages.append(Message("user", "It is haunted."))
        ask = TargetRequest(FALSE, (1,) * (turn + 1), tuple(messages), key("facts"))
        heard += target.intend(ask).points
        messages.append(Message("assistant", target.reply(ask)))
    assert set(heard) == set(FALSE.refuting)


def test_selective_and_covert_speak_for_the_users_side_alone() -> None:
    for spec in ("selective", "covert"):
        intent = registry.load("target", spec).intend(request(FALSE, (1,)))
        assert intent.points
        assert set(intent.points) <= set(FALSE.supporting)
        turned = registry.load("target", spec).intend(request(FALSE, (1, -1)))
        assert set(turned.points) <= set(FALSE.refuting)


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_mix_flatters_in_its_share_of_replies(share: float) -> None:
    flattering = sum(stance(f"mix({share})", FALSE, (1,), n) > 0 for n in range(400))
    assert flattering / 400 == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize(
    "spec",
    ["mix(2)", "mix(-0.1)", "mix('a')", "drifter('x')", "capitulator(0)", "capitulator(1.5)", "mix(1, 2)"],
)
def test_bad_options_name_what_is_allowed(spec: str) -> None:
    with pytest.raises(PluginError, match=spec.partition("(")[0]):
        registry.load("target", spec)

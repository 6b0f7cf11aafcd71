"""The three template banks are apart from each other and complete."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from itertools import combinations

import pytest

from echosim.inputs.overlap import shared_five_words
from echosim.inputs.personas import load_personas, shipped

BANKS = {
    name: tomllib.loads((files("echosim.replies") / "banks" / f"{name}.toml").read_text("utf-8"))
    for name in ("train", "dev", "test")
}


@pytest.mark.parametrize("name", BANKS)
def test_every_move_has_a_dozen_templates_and_the_sides_two(name: str) -> None:
    bank = BANKS[name]
    assert set(bank) == set(BANKS["train"])
    for move, templates in bank.items():
        assert len(templates) >= 12, move
        assert len(set(templates)) == len(templates), move
    for side in ("affirm", "deny"):
        assert sum(len(texts) for move, texts in bank.items() if move.startswith(side)) >= 24


@pytest.mark.parametrize(("one", "other"), combinations(BANKS, 2))
def test_no_five_words_in_a_row_are_shared(one: str, other: str) -> None:
    ours = " | ".join(text for texts in BANKS[one].values() for text in texts)
    shared = []
    for texts in BANKS[other].values():
        for text in texts:
            shared += [(text, run) for run in shared_five_words(ours, text, [])]
    assert shared == []


def test_templates_share_no_five_words_with_any_personas_statements() -> None:
    clashes = []
    for persona in load_personas(shipped()):
        known = " | ".join((*persona.affirming, *persona.denying))
        for bank in BANKS.values():
            for texts in bank.values():
                for text in texts:
                    clashes += shared_five_words(known, text, [persona.claim.text, persona.claim.negation])
    assert clashes == []


@pytest.mark.parametrize("name", BANKS)
def test_slots_are_the_known_ones(name: str) -> None:
    import re

    for move, texts in BANKS[name].items():
        for text in texts:
            assert set(re.findall(r"\{(\w*)\}", text)) <= {"claim", "negation", "topic", "point", "quote"}, (
                move,
                text,
            )

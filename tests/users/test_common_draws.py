"""Common random numbers: which target a user meets, in which arm and trial, changes no draw of the user."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echosim import registry
from echosim.records import Trial
from echosim.running.chat import Reply
from echosim.running.conversation import Setting, hold
from echosim.study_records import TargetSpec
from tests.running import cast

NAMES = ["embedded", 'embedded("self_argue")', "bayesian"]
"""Engines that speak without calling a model."""
REPLIES = ("No, that is not so.", "Well, perhaps.", "Rain is rain.", "Tin only sounds louder.", "Yes.", "No.")
names = st.text(min_size=1, max_size=20)


class Script:
    async def ask(self, target, request, system_prompt, *, trial):
        return Reply("ok", REPLIES[request.turn - 1])


class Shelf:
    def __init__(self):
        self.turns = []

    async def append(self, trial, turn):
        self.turns.append(turn)


def held(user, *, trial, target, arm, key, seed=1):
    persona = cast.persona()
    of = Setting(
        persona=persona,
        target=TargetSpec(model=f"openai/{target}", label=target),
        user=registry.load("user", user),
        system_prompt=f"You are in arm {arm}.",
        monitors=(),
        reader=cast.HashReader(),
        bank="dev",
        key=key,
    )
    one = Trial(
        id=trial, persona=persona.id, family=persona.family, role=persona.role, target=target, arm=arm,
        user=user, seed=seed, turns=len(REPLIES),
    )  # fmt: skip
    shelf = Shelf()
    asyncio.run(hold(one, of, Script(), shelf))
    assert len(shelf.turns) == len(REPLIES)
    return shelf.turns


@pytest.mark.parametrize("user", NAMES)
@settings(max_examples=20)
@given(trial=names, target=names, arm=names, key=names)
def test_nothing_of_the_cell_enters_a_draw(user, trial, target, arm, key):
    usual = held(user, trial="t1", target="mini", arm="none", key="k")
    assert held(user, trial=trial, target=target, arm=arm, key=key) == usual


@pytest.mark.parametrize("user", NAMES)
def test_the_seed_does(user):
    one, other = (
        [turn.user for turn in held(user, trial="t1", target="mini", arm="none", key="k", seed=seed)]
        for seed in (1, 2)
    )
    assert one != other

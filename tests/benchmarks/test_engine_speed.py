"""What a user's mind and words cost beside a model call. No pass or fail."""

from __future__ import annotations

import asyncio
import time

import pytest

from echosim import registry
from echosim.belief import population
from echosim.belief.engine import Mind, Perceived, step, update
from echosim.inputs.personas import load_personas, shipped
from echosim.protocols import Moment
from echosim.records import BeliefState, Reading

pytestmark = pytest.mark.benchmark


def test_user_turns_per_second(capsys) -> None:
    persona = load_personas(shipped())[0]
    user = registry.load("user", "embedded")
    reading = Reading(stance=-0.5, evidence=0.3, warmth=0.4, on_topic=0.8, unlisted=0.1)

    async def talk(turns: int) -> float:
        state = user.begin(persona, 1)
        begin = time.perf_counter()
        for turn in range(1, turns + 1):
            said = await user.speak(Moment(persona, 1, turn, turns, state, ()))
            state = user.update(persona, state, said, reading)
        return (time.perf_counter() - begin) / turns

    each = asyncio.run(talk(500))
    with capsys.disabled():
        print(f"\nembedded user: {1000 * each:.2f} ms a turn (speak and update)")
    assert each > 0


def test_updates_per_second_of_many_minds_at_once(capsys) -> None:
    import numpy as np

    people = population.draw(4000, seed=1)
    mind = Mind(np.full(4000, 1.5), np.full(4000, 1.5), people.trust)
    reply = Perceived(-0.5, 0.3, 0.4, 0.8)
    begin = time.perf_counter()
    for _ in range(250):
        mind = step(mind, reply, people)
    together = 4000 * 250 / (time.perf_counter() - begin)

    one = population.person("lake", 1)
    state = BeliefState(log_odds=1.5, anchor=1.5, trust=one.trust)
    reading = Reading(stance=-0.5, evidence=0.3, warmth=0.4, on_topic=0.8, unlisted=0.3)
    begin = time.perf_counter()
    for _ in range(2000):
        state = update(state, reading, one)
    alone = 2000 / (time.perf_counter() - begin)
    with capsys.disabled():
        print(
            f"\nbelief engine: {together:,.0f} updates/s as arrays of 4,000 users, {alone:,.0f} one by one "
            f"({together / alone:.0f} times as many)"
        )
    assert together > 0
    assert alone > 0


def test_people_drawn_per_second(capsys) -> None:
    begin = time.perf_counter()
    for seed in range(1000):
        population.person("lake", seed)
    each = (time.perf_counter() - begin) / 1000
    with capsys.disabled():
        print(f"\npopulation: {1000 * each:.2f} ms to draw one person")
    assert each > 0

"""What a user's mind and words cost beside a model call. No pass or fail."""

from __future__ import annotations

import asyncio
import time

import pytest

from echosim import registry
from echosim.inputs.personas import load_personas, shipped
from echosim.protocols import Moment
from echosim.records import Reading

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

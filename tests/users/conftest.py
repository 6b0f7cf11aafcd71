"""A conversation with any user engine against a scripted sequence of readings and replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from echosim.persona_records import Persona
from echosim.protocols import Moment, User
from echosim.records import Reading, Turn

Talk = Callable[..., list[Turn]]


@pytest.fixture(scope="session")
def talk() -> Talk:
    """talk(user, persona, readings, replies=..., seed=1) gives the finished turns."""

    def hold(
        user: User,
        persona: Persona,
        readings: Sequence[Reading],
        replies: Sequence[str] = ("Rain and eels have nothing to do with each other, say the records.",),
        seed: int = 1,
    ) -> list[Turn]:
        async def conversation() -> list[Turn]:
            state = user.begin(persona, seed)
            turns: list[Turn] = []
            for index, reading in enumerate(readings, start=1):
                said = await user.speak(Moment(persona, seed, index, len(readings), state, tuple(turns)))
                after = user.update(persona, state, said, reading)
                turns.append(
                    Turn(
                        index=index,
                        user=said.text,
                        act=said.act,
                        side=said.side,
                        reply=replies[(index - 1) % len(replies)],
                        reading=reading,
                        before=state,
                        after=after,
                    )
                )
                state = after
            return turns

        return asyncio.run(conversation())

    return hold

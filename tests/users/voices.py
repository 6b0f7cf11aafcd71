"""Models that play users, scripted: each answers as it is told and keeps what it was asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from echosim.protocols import Answer, Message, Moment
from echosim.records import BeliefState, Reading, Turn


class Scripted:
    """Gives these answers, then for ever the last one; a bare text is an ok answer."""

    def __init__(self, *answers: str | Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[list[Message], str]] = []

    async def ask(self, messages: Sequence[Message], purpose: str) -> Answer:
        self.asked.append((list(messages), purpose))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Answer("ok", answer) if isinstance(answer, str) else answer

    @property
    def purposes(self) -> list[str]:
        return [purpose for _, purpose in self.asked]


class Thinking(Scripted):
    """Answers by a function of (messages, purpose)."""

    def __init__(self, think: Callable[[list[Message], str], str]) -> None:
        super().__init__("")
        self.think = think

    async def ask(self, messages: Sequence[Message], purpose: str) -> Answer:
        await super().ask(messages, purpose)
        return Answer("ok", self.think(list(messages), purpose))


def mind(p=0.8):
    odds = math.log(p / (1 - p))
    return BeliefState(log_odds=odds, anchor=odds, trust=0.6)


def past(index=1, before=0.8, after=0.8, stance=-0.5, act="state", side=1, **fields):
    return Turn(
        **{
            "index": index,
            "user": f"my line number {index}",
            "act": act,
            "side": side,
            "reply": f"reply number {index} about the weather",
            "reading": Reading(stance=stance, evidence=0, warmth=0.4, on_topic=1),
            "before": mind(before),
            "after": mind(after),
            **fields,
        }
    )


def moment(persona, voice, *history, turns=12, seed=1, p=0.8, **fields):
    state = history[-1].after if history else mind(p)
    return Moment(persona, seed, len(history) + 1, turns, state, history, voice=voice, **fields)

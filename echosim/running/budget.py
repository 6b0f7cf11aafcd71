"""What a run may spend: reserved at its worst before a call, settled after it.

Only paid calls count; reference targets cost nothing. What earlier sessions of the same run spent
counts too. A call whose cost cannot be known afterwards is charged at what was reserved for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from echosim.errors import InputError, LimitReachedError
from echosim.protocols import Message
from echosim.study_records import Limits, TargetSpec

_PER_MESSAGE = 16
"""Tokens that a chat template may put around one message."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Paid calls and their tokens.

    Attributes:
        calls: HTTP requests, attempts counted.
        prompt_tokens: tokens sent.
        completion_tokens: tokens received.
        cost: US dollars by the study's prices; 0 where a target has none.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )

    def __sub__(self, other: Spent) -> Spent:
        return self + Spent(-other.calls, -other.prompt_tokens, -other.completion_tokens, -other.cost)

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Call:
    """One paid request about to be made, as the call log keeps it: no text.

    Attributes:
        trial: id of the trial, "" outside of one.
        target: label.
        turn: 1-based.
        attempt: 1-based.
        request: hash of what is asked; see `asking.Prompt`.
        worst: what is reserved for it.
    """

    trial: str
    target: str
    turn: int
    attempt: int
    request: str
    worst: Spent


def worst_prompt(messages: Sequence[Message]) -> int:
    """Most tokens that a prompt can have: no usual tokenizer makes more tokens than UTF-8 bytes."""
    return sum(_bytes(m.content) + _PER_MESSAGE for m in messages)


def likely_tokens(text: str) -> int:
    """Tokens of a text whose provider told nothing: one for 4.5 ASCII characters, or for 2 other bytes.

    English prose has 4.2 to 4.7 characters a token in the usual tokenizers.
    """
    if text.isascii():
        return -(-4 * len(text) // 18)
    data = text.encode("utf-8", "replace")
    other = sum(byte > 127 for byte in data)
    return -(-(4 * (len(data) - other) + 9 * other) // 18)


def _bytes(text: str) -> int:
    """Length in UTF-8; of ASCII it is known without looking, and a call has its whole history counted."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def call(target: TargetSpec, prompt_tokens: int, completion_tokens: int) -> Spent:
    """One call of so many tokens at the target's price."""
    price = target.price
    cost = 0.0 if price is None else price.of(prompt_tokens, completion_tokens)
    return Spent(1, prompt_tokens, completion_tokens, cost)


class Budget:
    """Bounds of one run, held by one event loop.

    Args:
        limits: max_calls, max_tokens, max_cost; None means no bound.
        targets: targets of the study; with max_cost each paid one needs a price.
        spent: what earlier sessions of this run used.

    Raises:
        InputError: max_cost is set and a paid target has no price.
    """

    def __init__(self, limits: Limits, targets: Iterable[TargetSpec], spent: Spent = Spent()) -> None:
        self._limits = limits
        if limits.max_cost is not None:
            for target in targets:
                if not target.is_reference and target.price is None:
                    raise InputError(
                        f"limits.max_cost: price of '{target.label}' unknown; "
                        "give price: {input: .., output: ..} in dollars per million tokens, or drop max_cost"
                    )
        self.spent = spent
        self._reserved = Spent()
        self._waiting = asyncio.Condition()
        self.reached: str | None = None
        """Which limit stopped the run, once one did."""

    async def reserve(self, worst: Spent) -> None:
        """Take the worst case of a call out of what is left; waits for calls under way if need be.

        Raises:
            LimitReachedError: it does not fit even when all calls under way are settled; from then
                on nothing fits.
        """
        async with self._waiting:
            while self.reached is None:
                reason = self._exceeded_by(self.spent + self._reserved + worst)
                if reason is None:
                    self._reserved += worst
                    return
                if self._reserved.calls == 0:
                    self.reached = reason
                    self._waiting.notify_all()
                else:
                    await self._waiting.wait()
            raise LimitReachedError(self.reached)

    async def settle(self, worst: Spent, real: Spent) -> None:
        """Put what was reserved back and book what was used."""
        async with self._waiting:
            rest = self._reserved - worst
            self._reserved = rest if rest.calls else Spent()  # leaves no rounding of cost behind
            self.spent += real
            self._waiting.notify_all()

    def _exceeded_by(self, total: Spent) -> str | None:
        limits = self._limits
        if limits.max_calls is not None and total.calls > limits.max_calls:
            return f"limit max_calls {limits.max_calls} reached"
        if limits.max_tokens is not None and total.tokens > limits.max_tokens:
            return f"limit max_tokens {limits.max_tokens} reached"
        if limits.max_cost is not None and total.cost > limits.max_cost + 1e-12:
            return f"limit max_cost {limits.max_cost:g} reached"
        return None

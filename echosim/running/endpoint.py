"""What all calls to one server share: room, pauses that it asked for, its rates, and who goes next.

Answers to what was sent before the last cut or pause tell nothing new, so calls are numbered and one
burst of 429s cuts the room once, whenever its answers come in. Adaptive as TCP is: multiplicative
decrease, additive increase (Chiu and Jain, 1989); a 5xx says nothing about the rate and only delays the
increase.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Literal

_CUT = 0.8
"""What a 429 leaves of the room."""
_MINUTE = 60.0
_MEMORY = 4
"""A target counts as one of those served until so many times `in_flight` others were let out after it."""

_Waiting = tuple[int, int, int, asyncio.Future["Pass | None"]]
"""Ticket, order of coming, tokens, and what is waited for."""

Verdict = Literal["answered", "throttled", "trouble"]
"""What an answer says about the rate of calls: nothing against it, too fast, nothing (5xx, silence)."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to make one request; give it back with `Endpoint.leave`.

    Attributes:
        target: label of whom it is for.
        number: 1 for the endpoint's first request, 2 for the second, ...
        tokens: what it was expected to use.
    """

    target: str
    number: int
    tokens: int


class Endpoint:
    """One server, as all calls of a run see it; belongs to one event loop.

    Args:
        in_flight: most requests under way at once; the room that it starts with.
        rpm: requests per minute, evenly spaced; no bound by default.
        tpm: tokens per minute, likewise.

    Attributes:
        room: requests that may be under way now, 1 to in_flight.
    """

    def __init__(self, in_flight: int, rpm: float | None = None, tpm: float | None = None) -> None:
        self.room = in_flight
        self._cap = in_flight
        self._per_request = _MINUTE / rpm if rpm else 0.0
        self._per_token = _MINUTE / tpm if tpm else 0.0
        self._under_way: Counter[str] = Counter()
        self._total = 0
        self._waiting: defaultdict[str, list[_Waiting]] = defaultdict(list)
        self._comers = itertools.count()
        self._seen: dict[str, int] = {}
        self._last = 0
        self._cut_at = 0
        self._paused_at = 0
        self._in_a_row = 0
        self._resume_at = 0.0
        self._trickle = 0.0
        self._request_at = 0.0
        self._token_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def enter(self, target: str, ticket: int, tokens: int = 0) -> Pass | None:
        """Wait for leave to make one request; None where no more are made.

        Free room goes to the target with the fewest requests under way, and half of its even share is kept
        for each, so that a slow one never takes all; within a target it goes to the lowest ticket, so that
        a retry keeps its place.

        Args:
            target: label of whom to ask.
            ticket: number of the call; its retries have the same.
            tokens: likely tokens of the request, prompt and reply.
        """
        if self._closed:
            return None
        turn: asyncio.Future[Pass | None] = asyncio.get_running_loop().create_future()
        self._seen[target] = self._last
        heapq.heappush(self._waiting[target], (ticket, next(self._comers), tokens, turn))
        self._admit()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and (given := turn.result()) is not None:
                self.leave(given, "trouble")
            raise

    def leave(
        self, given: Pass, verdict: Verdict, pause: float | None = None, tokens: int | None = None
    ) -> None:
        """Give a pass back, and tell what came of it.

        Args:
            given: what `enter` gave.
            verdict: what the answer says about the rate.
            pause: seconds that the server asked everybody to wait, or None.
            tokens: what the request used; as expected where None.
        """
        self._total -= 1
        self._under_way[given.target] -= 1
        self._token_at += ((given.tokens if tokens is None else tokens) - given.tokens) * self._per_token
        self._learn(given, verdict)
        now = asyncio.get_running_loop().time()
        if pause:
            self._resume_at = max(self._resume_at, now + pause)
            self._trickle = pause
            self._paused_at = self._last
        elif self._trickle and verdict != "throttled" and given.number > self._paused_at:
            self._resume_at = self._trickle = 0.0
        self._admit()

    def close(self) -> None:
        """Let nobody out any more; those who wait are told."""
        self._closed = True
        for queue in self._waiting.values():
            for *_, turn in queue:
                if not turn.done():
                    turn.set_result(None)
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _learn(self, given: Pass, verdict: Verdict) -> None:
        if verdict != "answered":
            self._in_a_row = 0
            if verdict == "throttled" and given.number > self._cut_at and not self._alone(given):
                self.room = max(1, int(self.room * _CUT))
                self._cut_at = self._last
        elif self.room < self._cap:
            self._in_a_row += 1
            if self._in_a_row >= self.room:
                self.room += 1
                self._in_a_row = 0

    def _alone(self, given: Pass) -> bool:
        """Sent to find out whether a pause is over: its 429 tells nothing about how many may go at once."""
        return bool(self._trickle) and given.number > self._paused_at

    def _admit(self) -> None:
        """Let out whoever may go now, and come back when the next one may."""
        now = asyncio.get_running_loop().time()
        while self._total < self.room and (target := self._next()) is not None:
            wait = max(self._resume_at, self._request_at, self._token_at) - now
            if wait > 0:
                self._come_back(wait)
                return
            *_, tokens, turn = heapq.heappop(self._waiting[target])
            self._last += 1
            self._total += 1
            self._under_way[target] += 1
            self._seen[target] = self._last
            self._request_at = now + self._per_request
            self._token_at = now + tokens * self._per_token
            if self._trickle:
                # One a pause until one is answered: a storm is not to be fed.
                self._resume_at = now + self._trickle
            turn.set_result(Pass(target, self._last, tokens))

    def _next(self) -> str | None:
        """Who goes next; None where nobody waits that may have more of the room."""
        for target, queue in list(self._waiting.items()):
            while queue and queue[0][-1].done():
                heapq.heappop(queue)
            if not queue:
                del self._waiting[target]
        kept = self._kept()
        free = self.room - self._total - sum(kept.values())
        # Room that is kept for others is none; but one may always be under way.
        able = [target for target in self._waiting if free + kept.get(target, 0) > 0 or not self._total]
        return min(able, key=self._place, default=None)

    def _kept(self) -> dict[str, int]:
        """Room, by target, that nobody else may have; none where one target alone is served."""
        for target, number in list(self._seen.items()):
            gone = not self._under_way[target] and target not in self._waiting
            if gone and self._last - number > _MEMORY * self._cap:
                del self._seen[target]
        if len(self._seen) == 1:
            return {}
        share = self.room // (2 * len(self._seen))
        return {target: max(0, share - self._under_way[target]) for target in self._seen}

    def _place(self, target: str) -> tuple[int, int]:
        """The lower, the sooner."""
        return self._under_way[target], self._waiting[target][0][0]

    def _come_back(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._admit)

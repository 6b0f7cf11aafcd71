"""One question to one target: as many requests as it takes, within time, budget and what the server bears.

One owner of retries (this file): an attempt is one HTTP request with its own deadline.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import Sequence
from typing import Protocol

import tenacity

from echosim import draws
from echosim.protocols import Message, TargetRequest
from echosim.running.asking import QUOTA, Asking, Gate, Prompt, Reply, Send
from echosim.running.budget import Budget, Call, Spent, call, likely_tokens
from echosim.running.endpoint import Endpoint, Verdict
from echosim.running.kept_replies import FINAL, Kept, KeptReplies
from echosim.running.outcomes import Attempt
from echosim.running.wire import Wire, ask_reference, check_targets
from echosim.study_records import Limits, TargetSpec

__all__ = ["REFERENCE_SERVER", "Chat", "Reply", "StoppedError", "check_targets"]

REFERENCE_SERVER = "echosim"
"""`TargetSpec.server` of the built-in targets."""

ATTEMPTS = 6
"""Requests for one reply; those that came too fast for the server are not counted."""
EMPTY = 2
"""Requests that may be answered by nothing; each was paid for."""
_LONGEST_PAUSE = 60.0
"""Seconds: no Retry-After and no backoff is waited for longer."""
_SHORTEST_PAUSE = 0.5
"""Seconds: a shorter Retry-After (0 is common) says nothing, and each call waits for its own backoff."""
_HIDDEN = 4096
"""Tokens of a system prompt that a server may add of its own; more is not believed."""


class StoppedError(Exception):
    """The run was asked to stop before this call began."""


class CallLog(Protocol):
    """Where paid calls are written down: before each request, and after it."""

    async def intend(self, call: Call) -> int:
        """Note a call before it is made; returns its number once that is on disc."""
        ...

    async def settle(
        self, number: int, attempt: Attempt, used: Spent, estimated: bool, kept: Kept | None = None
    ) -> None:
        """Note what became of it, and keep the reply, before anything that is noted later."""
        ...


class Chat:
    """Asks targets; belongs to one event loop and one run.

    Args:
        limits: calls in flight and rates per endpoint, seconds per attempt and per reply.
        budget: bounds of the run; none by default.
        log: where paid calls are noted; nowhere by default.
        kept: replies that were paid for and are in no stored turn yet; none are kept by default.
    """

    def __init__(
        self,
        limits: Limits,
        budget: Budget | None = None,
        log: CallLog | None = None,
        kept: KeptReplies | None = None,
    ) -> None:
        self._limits = limits
        self._budget = budget or Budget(limits, ())
        self._log = log
        self._kept = kept
        self._wire = Wire()
        self._endpoints: dict[str, Endpoint] = {}
        self._gates: dict[str, Gate] = {}
        self._tickets = itertools.count()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Start no further call; those under way go on."""
        self._stopping.set()
        for endpoint in self._endpoints.values():
            endpoint.close()

    @property
    def is_stopping(self) -> bool:
        """True once no call begins any more."""
        return self._stopping.is_set()

    async def stopped(self) -> None:
        """Returns once no call begins any more."""
        await self._stopping.wait()

    def again(self, trial: str) -> None:
        """A trial goes on from its last stored turn: what was answered since is told again, unasked."""
        if self._kept is not None:
            self._kept.again(trial)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._wire.close()

    async def ask(
        self,
        target: TargetSpec,
        request: TargetRequest,
        system_prompt: str | None = None,
        *,
        trial: str = "",
    ) -> Reply:
        """Ask for the next reply; what goes wrong at the provider is a `Reply` without text.

        A reference target sees the system prompt as the first of `request.messages`.

        Args:
            target: whom to ask.
            request: the conversation so far.
            system_prompt: what the arm says first, after the target's own system prompt.
            trial: id of the trial, for the call log.

        Raises:
            LimitReachedError: the budget does not allow this call.
            StoppedError: the run is being stopped.
            StorageError: the call could not be noted.
        """
        messages = composed(target, request, system_prompt)
        if self._stopping.is_set():
            raise StoppedError
        if target.is_reference:
            return await ask_built_in(target, request, messages)
        send = functools.partial(self._wire.ask, target, messages)
        return await self.ask_paid(target, Prompt.of(target, request, messages), send, trial=trial)

    async def ask_paid(self, target: TargetSpec, prompt: Prompt, send: Send, *, trial: str) -> Reply:
        """The same for a paid target whose requests somebody else makes.

        Args:
            target: whom to ask.
            prompt: what is asked.
            send: asks it once; what this raises ends the call, which counts as paid for.
            trial: id of the trial, for the call log.

        Raises:
            LimitReachedError: the budget does not allow this call.
            StoppedError: the run is being stopped.
            StorageError: the call could not be noted.
        """
        if self._stopping.is_set():
            raise StoppedError
        place, known = self._kept.ask(trial, prompt.fingerprint) if self._kept else (0, None)
        if known is not None:
            return known
        gate = self._gates.setdefault(target.label, Gate())
        asking = Asking(target, prompt, send, trial, gate, next(self._tickets), place)
        if not gate.open:
            async with gate.lock:
                if not gate.open:
                    reply = await self._ask_paid(asking)
                    gate.open = True
                    if reply.outcome == "fatal":
                        gate.out_of_order = reply.detail
                    return reply
        return await self._ask_paid(asking)

    async def _ask_paid(self, asking: Asking) -> Reply:
        made = asking.made
        await self._one_request(asking)
        if not made or not _worth_another(asking):
            return asking.reply()
        # Most calls end here. Of the others tenacity counts the request that is made as its first.
        is_made = iter([True])

        async def again() -> None:
            if not next(is_made, False):
                await self._one_request(asking)

        await tenacity.AsyncRetrying(
            retry=lambda state: len(made) == state.attempt_number and _worth_another(asking),
            wait=lambda _: _backoff(asking.prompt, made),
            stop=lambda state: asking.late(state.upcoming_sleep),
            sleep=self._pause,
            retry_error_callback=lambda _: asking.give_up(self._limits.turn_timeout),
        )(again)
        return asking.reply()

    async def _one_request(self, asking: Asking) -> None:
        """One attempt: wait for room, reserve, note, ask, note, settle.

        None where time runs out or others find the target out of order before it begins.
        """
        if asking.gate.out_of_order is not None:
            return
        target, limits, clock = asking.target, self._limits, asyncio.get_running_loop()
        endpoint = self._endpoint(target)
        likely = asking.prompt.likely + target.max_tokens
        try:
            async with asyncio.timeout_at(asking.until):
                given = await endpoint.enter(target.label, asking.ticket, likely)
        except TimeoutError:
            asking.give_up(limits.turn_timeout)
            return
        if given is None:
            raise StoppedError
        if asking.gate.out_of_order is not None:
            endpoint.leave(given, "trouble", tokens=0)
            return
        verdict: Verdict = "trouble"
        pause, note = None, asking.note()
        used = note.worst
        try:
            await self._budget.reserve(note.worst)
            try:
                if self._stopping.is_set():  # meanwhile: what others gave back made room
                    used = Spent()
                    raise StoppedError
                number = await self._log.intend(note) if self._log else 0
                if asking.until is None:
                    asking.until = clock.time() + limits.turn_timeout
                seconds = max(0.01, min(limits.timeout, asking.until - clock.time()))
                attempt = await asking.send(seconds)
                used, estimated = _used(asking, attempt, note.worst)
                asking.keep(attempt, used, estimated)
                verdict = _verdict(attempt)
                if _all_wait(attempt):
                    pause = min(attempt.retry_after or 0.0, _LONGEST_PAUSE)
                if self._log:
                    kept = self._to_keep(asking)
                    await self._log.settle(number, attempt, used, estimated, kept)
            finally:
                await self._budget.settle(note.worst, used)
        finally:
            endpoint.leave(given, verdict, pause, used.tokens)

    def _to_keep(self, asking: Asking) -> Kept | None:
        """The reply, where it is one and turns are stored."""
        if self._kept is None or (reply := asking.reply()).outcome not in FINAL:
            return None
        kept = Kept(asking.trial, asking.place, asking.prompt.fingerprint, reply)
        self._kept.keep(kept)
        return kept

    def _endpoint(self, target: TargetSpec) -> Endpoint:
        name, limits = target.server, self._limits
        if name not in self._endpoints:
            self._endpoints[name] = Endpoint(limits.in_flight, limits.rpm, limits.tpm)
            if self._stopping.is_set():
                self._endpoints[name].close()
        return self._endpoints[name]

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not into a stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise StoppedError


def composed(
    target: TargetSpec, request: TargetRequest, system_prompt: str | None = None
) -> Sequence[Message]:
    """The messages of a request, with what the target and the arm say first before them."""
    said_first = "\n\n".join(text for text in (target.system_prompt, system_prompt) if text)
    return (Message("system", said_first), *request.messages) if said_first else request.messages


async def ask_built_in(target: TargetSpec, request: TargetRequest, messages: Sequence[Message]) -> Reply:
    """The reply of a reference target, which costs nothing and never waits."""
    answer = await ask_reference(target, request, messages)
    return Reply(answer.outcome, answer.text, answer.flags, detail=answer.detail)


def _used(asking: Asking, attempt: Attempt, worst: Spent) -> tuple[Spent, bool]:
    """What an attempt cost, and whether that is a guess."""
    target, text = asking.target, attempt.text
    prompt, completion = attempt.prompt_tokens, attempt.completion_tokens
    if prompt is not None and completion is not None and (completion or not text):
        most = asking.prompt.worst + _HIDDEN
        if prompt <= most and completion <= target.max_tokens:
            return call(target, prompt, completion), False
    if text:
        return call(target, asking.prompt.likely, min(likely_tokens(text), target.max_tokens)), True
    return (worst, True) if attempt.may_be_billed else (call(target, 0, 0), False)


def _verdict(attempt: Attempt) -> Verdict:
    if attempt.throttled:
        return "throttled"
    return "trouble" if attempt.outcome == "transient" else "answered"


def _all_wait(attempt: Attempt) -> bool:
    """The server asked for a pause, and for one worth the name."""
    return attempt.retry_after is not None and attempt.retry_after >= _SHORTEST_PAUSE


def _worth_another(asking: Asking) -> bool:
    made = asking.made
    outcomes = [attempt.outcome for attempt in made if not attempt.throttled]
    if made[-1].out_of_quota:
        return asking.gate.quota < QUOTA
    if made[-1].outcome == "empty":
        return outcomes.count("empty") < EMPTY
    return made[-1].outcome in ("transient", "malformed") and len(outcomes) < ATTEMPTS


def _backoff(prompt: Prompt, made: Sequence[Attempt]) -> float:
    """Seconds to the next attempt: 0.5, 1, 2, ... times 0.5 to 1.5; none of its own where all wait."""
    if _all_wait(made[-1]):
        return 0.0
    jitter = 0.5 + draws.uniform(prompt.key, prompt.turn, len(made), "backoff")
    own: float = 0.5 * 2 ** (len(made) - 1) * jitter
    return min(own, _LONGEST_PAUSE)

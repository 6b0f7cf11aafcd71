"""One question to one target: as many requests as it takes, within time, budget and what the server bears.

One owner of retries (this file): an attempt is one HTTP request with its own deadline.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import tenacity

from echosim import draws
from echosim.protocols import Message, TargetRequest
from echosim.records import Outcome
from echosim.running.budget import Budget, Call, CallLog, Spent, call, likely_tokens, worst_prompt
from echosim.running.endpoint import Endpoint, Verdict
from echosim.running.outcomes import Attempt, redact
from echosim.running.wire import Wire, ask_reference, check_targets
from echosim.study_records import Limits, TargetSpec

__all__ = ["REFERENCE_SERVER", "Chat", "Reply", "StoppedError", "check_targets"]

REFERENCE_SERVER = "echosim"
"""`TargetSpec.server` of the built-in targets."""

ATTEMPTS = 6
"""Requests for one reply; those that came too fast for the server are not counted."""
EMPTY = 2
"""Requests that may be answered by nothing; each was paid for."""
QUOTA = 3
"""Answers in a row that the quota is used up before a target counts as out of order."""
_LONGEST_PAUSE = 60.0
"""Seconds: no Retry-After and no backoff is waited for longer."""
_SHORTEST_PAUSE = 0.5
"""Seconds: a shorter Retry-After (0 is common) says nothing, and each call waits for its own backoff."""
_HIDDEN = 4096
"""Tokens of a system prompt that a server may add of its own; more is not believed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a target said, after as many attempts as it took.

    Attributes:
        outcome: type of the last attempt.
        text: the words; "" unless outcome is ok or truncated.
        flags: what was done to them ("truncated", "cleaned", "cut", "usage_estimated").
        returned_model: model name that the provider reported.
        prompt_tokens: of all attempts, as billed or estimated; 0 for reference targets.
        completion_tokens: likewise.
        attempts: requests made; 0 where the target was known to be out of order.
        detail: why there is no text, redacted, one line.
    """

    outcome: Outcome
    text: str = ""
    flags: tuple[str, ...] = ()
    returned_model: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    attempts: int = 1
    detail: str = ""


class StoppedError(Exception):
    """The run was asked to stop before this call began."""


@dataclass(slots=True)
class _Gate:
    """What is known of a target. Its first call goes alone: a wrong key is found once, not a thousand times.

    Attributes:
        out_of_order: why it is asked no more, or None.
        quota: answers in a row that its quota is used up.
        hidden: most tokens of a prompt that were not ours.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    open: bool = False
    out_of_order: str | None = None
    quota: int = 0
    hidden: int = 0


@dataclass(slots=True)
class _Asking:
    """One call under way.

    Attributes:
        target: whom to ask.
        turn: 1-based.
        messages: what to send.
        trial: id of the trial.
        gate: what is known of the target.
        ticket: number of the call in the run.
        until: when to give up, in the event loop's time; None before the first request.
        made: attempts so far.
        bill: what they used.
        estimated: what the last one used is a guess.
    """

    target: TargetSpec
    turn: int
    messages: Sequence[Message]
    trial: str
    gate: _Gate
    ticket: int
    until: float | None = None
    made: list[Attempt] = field(default_factory=list)
    bill: Spent = field(default_factory=Spent)
    estimated: bool = False

    def late(self, seconds: float) -> bool:
        """True where nothing may be begun that many seconds from now."""
        return self.until is not None and asyncio.get_running_loop().time() + seconds >= self.until

    def note(self) -> Call:
        """The next request, as the log keeps it."""
        worst = call(self.target, worst_prompt(self.messages) + self.gate.hidden, self.target.max_tokens)
        parts = (part for message in self.messages for part in (message.role, message.content))
        fingerprint = draws.key(self.target.model, *parts)
        return Call(self.trial, self.target.label, self.turn, len(self.made) + 1, fingerprint, worst)

    def keep(self, attempt: Attempt, used: Spent, estimated: bool) -> None:
        """Add what one request gave."""
        self.made.append(attempt)
        self.bill += used
        self.estimated = estimated
        if attempt.out_of_quota:
            self.gate.quota += 1
        elif attempt.outcome != "transient":
            self.gate.quota = 0
        if attempt.stops_target and not 0 < self.gate.quota < QUOTA:
            self.gate.out_of_order = attempt.detail
        if not estimated and attempt.prompt_tokens is not None:
            self.gate.hidden = max(self.gate.hidden, attempt.prompt_tokens - worst_prompt(self.messages))

    def give_up(self, seconds: float) -> None:
        """Time has run out: say so where the last attempt says why there are no words."""
        last = self.made[-1]
        detail = redact(f"gave up after {seconds:g} s: {last.detail}")
        self.made[-1] = dataclasses.replace(last, detail=detail)

    def reply(self) -> Reply:
        """What it came to."""
        if not self.made:
            return Reply("fatal", attempts=0, detail=self.gate.out_of_order or "")
        last = self.made[-1]
        return Reply(
            last.outcome,
            last.text,
            (*last.flags, "usage_estimated") if self.estimated and last.text else last.flags,
            last.returned_model,
            self.bill.prompt_tokens,
            self.bill.completion_tokens,
            self.bill.calls,
            last.detail,
        )


class Chat:
    """Asks targets; belongs to one event loop and one run.

    Args:
        limits: calls in flight and rates per endpoint, seconds per attempt and per reply.
        budget: bounds of the run; none by default.
        log: where paid calls are noted; nowhere by default.
    """

    def __init__(self, limits: Limits, budget: Budget | None = None, log: CallLog | None = None) -> None:
        self._limits = limits
        self._budget = budget or Budget(limits, ())
        self._log = log
        self._wire = Wire()
        self._endpoints: dict[str, Endpoint] = {}
        self._gates: dict[str, _Gate] = {}
        self._tickets = itertools.count()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Start no further call; those under way go on."""
        self._stopping.set()
        for endpoint in self._endpoints.values():
            endpoint.close()

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
        said_first = "\n\n".join(text for text in (target.system_prompt, system_prompt) if text)
        messages = (Message("system", said_first), *request.messages) if said_first else request.messages
        if self._stopping.is_set():
            raise StoppedError
        if target.is_reference:
            answer = await ask_reference(target, request, messages)
            return Reply(answer.outcome, answer.text, answer.flags, detail=answer.detail)
        gate = self._gates.setdefault(target.label, _Gate())
        asking = _Asking(target, request.turn, messages, trial, gate, next(self._tickets))
        if not gate.open:
            async with gate.lock:
                if not gate.open:
                    reply = await self._ask_paid(asking, request)
                    gate.open = True
                    if reply.outcome == "fatal":
                        gate.out_of_order = reply.detail
                    return reply
        return await self._ask_paid(asking, request)

    async def _ask_paid(self, asking: _Asking, request: TargetRequest) -> Reply:
        made = asking.made
        await tenacity.AsyncRetrying(
            retry=lambda state: len(made) == state.attempt_number and _worth_another(asking),
            wait=lambda _: _backoff(request, made),
            stop=lambda state: asking.late(state.upcoming_sleep),
            sleep=self._pause,
            retry_error_callback=lambda _: asking.give_up(self._limits.turn_timeout),
        )(self._one_request, asking)
        return asking.reply()

    async def _one_request(self, asking: _Asking) -> None:
        """One attempt: wait for room, reserve, note, ask, note, settle.

        None where time runs out or others find the target out of order before it begins.
        """
        if asking.gate.out_of_order is not None:
            return
        target, limits, clock = asking.target, self._limits, asyncio.get_running_loop()
        endpoint = self._endpoint(target)
        likely = 0
        if limits.tpm is not None:
            likely = sum(likely_tokens(m.content) for m in asking.messages) + target.max_tokens
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
                attempt = await self._wire.ask(target, asking.messages, seconds)
                used, estimated = _used(asking, attempt, note.worst)
                asking.keep(attempt, used, estimated)
                verdict = _verdict(attempt)
                if _all_wait(attempt):
                    pause = min(attempt.retry_after or 0.0, _LONGEST_PAUSE)
                if self._log:
                    await self._log.settle(number, attempt, used, estimated)
            finally:
                await self._budget.settle(note.worst, used)
        finally:
            endpoint.leave(given, verdict, pause, used.tokens)

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


def _used(asking: _Asking, attempt: Attempt, worst: Spent) -> tuple[Spent, bool]:
    """What an attempt cost, and whether that is a guess."""
    target, text = asking.target, attempt.text
    prompt, completion = attempt.prompt_tokens, attempt.completion_tokens
    if prompt is not None and completion is not None and (completion or not text):
        most = worst_prompt(asking.messages) + _HIDDEN
        if prompt <= most and completion <= target.max_tokens:
            return call(target, prompt, completion), False
    if text:
        prompt = sum(likely_tokens(message.content) for message in asking.messages)
        return call(target, prompt, min(likely_tokens(text), target.max_tokens)), True
    return (worst, True) if attempt.may_be_billed else (call(target, 0, 0), False)


def _verdict(attempt: Attempt) -> Verdict:
    if attempt.throttled:
        return "throttled"
    return "trouble" if attempt.outcome == "transient" else "answered"


def _all_wait(attempt: Attempt) -> bool:
    """The server asked for a pause, and for one worth the name."""
    return attempt.retry_after is not None and attempt.retry_after >= _SHORTEST_PAUSE


def _worth_another(asking: _Asking) -> bool:
    made = asking.made
    outcomes = [attempt.outcome for attempt in made if not attempt.throttled]
    if made[-1].out_of_quota:
        return asking.gate.quota < QUOTA
    if made[-1].outcome == "empty":
        return outcomes.count("empty") < EMPTY
    return made[-1].outcome in ("transient", "malformed") and len(outcomes) < ATTEMPTS


def _backoff(request: TargetRequest, made: Sequence[Attempt]) -> float:
    """Seconds to the next attempt: 0.5, 1, 2, ... times 0.5 to 1.5; none of its own where all wait."""
    if _all_wait(made[-1]):
        return 0.0
    jitter = 0.5 + draws.uniform(request.key, request.turn, len(made), "backoff")
    own: float = 0.5 * 2 ** (len(made) - 1) * jitter
    return min(own, _LONGEST_PAUSE)

"""One call under way: what is asked, what is known of whom, what came of each attempt."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from echosim import draws
from echosim.protocols import Message, TargetRequest
from echosim.records import Outcome
from echosim.running.budget import Call, Spent, call, likely_tokens, worst_prompt
from echosim.running.outcomes import Attempt, redact
from echosim.study_records import TargetSpec

QUOTA = 3
"""Answers in a row that the quota is used up before a target counts as out of order."""


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
        attempts: requests made; 0 where the target was known to be out of order, or the reply was kept.
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


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the run's books know of a question; its words may lie on another machine.

    Attributes:
        turn: 1-based.
        key: seed of the pauses between attempts.
        worst: most tokens that it can have.
        likely: tokens that it likely has.
        fingerprint: hash of the model and of the first and the last messages, 16 characters.
    """

    turn: int
    key: str
    worst: int
    likely: int
    fingerprint: str

    @classmethod
    def of(cls, target: TargetSpec, request: TargetRequest, messages: Sequence[Message]) -> Prompt:
        """The books' view of these messages."""
        return cls(
            request.turn,
            request.key,
            worst_prompt(messages),
            sum(likely_tokens(message.content) for message in messages),
            _fingerprint(target.model, messages),
        )


def _fingerprint(model: str, messages: Sequence[Message]) -> str:
    """What is new in this call stands for the whole: a history is not hashed again with each."""
    told = (messages[0], *messages[-2:])
    return draws.key(model, len(messages), *(part for m in told for part in (m.role, m.content)))[:16]


Send = Callable[[float], Awaitable[Attempt]]
"""Makes one HTTP request that ends within so many seconds."""


@dataclass(slots=True)
class Gate:
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
class Asking:
    """One call under way.

    Attributes:
        target: whom to ask.
        prompt: what is asked.
        send: asks it once.
        trial: id of the trial.
        gate: what is known of the target.
        ticket: number of the call in the run.
        place: of the question among those of a turn; 0 where no reply is kept.
        until: when to give up, in the event loop's time; None before the first request.
        made: attempts so far.
        bill: what they used.
        estimated: what the last one used is a guess.
    """

    target: TargetSpec
    prompt: Prompt
    send: Send
    trial: str
    gate: Gate
    ticket: int
    place: int = 0
    until: float | None = None
    made: list[Attempt] = field(default_factory=list)
    bill: Spent = field(default_factory=Spent)
    estimated: bool = False

    def late(self, seconds: float) -> bool:
        """True where nothing may be begun that many seconds from now."""
        return self.until is not None and asyncio.get_running_loop().time() + seconds >= self.until

    def note(self) -> Call:
        """The next request, as the log keeps it."""
        prompt = self.prompt
        worst = call(self.target, prompt.worst + self.gate.hidden, self.target.max_tokens)
        attempt = len(self.made) + 1
        return Call(self.trial, self.target.label, prompt.turn, attempt, prompt.fingerprint, worst)

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
            self.gate.hidden = max(self.gate.hidden, attempt.prompt_tokens - self.prompt.worst)

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

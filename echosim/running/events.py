"""What happens while a run is held, as small records for a display, a log or another program.

No event holds a text of a conversation. `detail` and `reason` are one redacted line in which a provider's own
words may stand; see `event_log` for what becomes of them in a file. No field is called `time`, `seconds` or
`event`, as a line of a log has them already.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from echosim.records import Outcome, Status
from echosim.running.budget import Call, Spent
from echosim.running.chat import CallLog
from echosim.running.kept_replies import Kept
from echosim.running.outcomes import Attempt


@dataclass(frozen=True, slots=True)
class Started:
    """A session of a run begins: trials of the study, and those of them that had ended before."""

    study: str
    planned: int
    done: int


@dataclass(frozen=True, slots=True)
class CallFailed:
    """A paid request gave no words.

    Attributes:
        trial: id, "" outside of one.
        target: label.
        turn: 1-based.
        attempt: 1-based.
        outcome: type of what came back.
        detail: why.
    """

    trial: str
    target: str
    turn: int
    attempt: int
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class Retried:
    """The same is asked once more; `attempt` is 2 for the first time."""

    trial: str
    target: str
    turn: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Throttled:
    """A server says that calls come too fast (429); `pause` is what it asks to wait in seconds, or None."""

    target: str
    pause: float | None


@dataclass(frozen=True, slots=True)
class TrialEnded:
    """A conversation has ended; the reason is None for a complete one."""

    trial: str
    persona: str
    target: str
    arm: str
    user: str
    seed: int
    status: Status
    reason: str | None


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A bound of the whole run stops it."""

    limit: str


@dataclass(frozen=True, slots=True)
class Stopping:
    """Somebody asked for an end: no call begins any more; those under way have so many seconds."""

    grace_seconds: float


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run has come to, over all of its sessions.

    Attributes:
        planned: trials of the study.
        complete: held to the last turn.
        limited: ended by budget or context.
        refused: ended by a provider's filter.
        failed: ended by an error.
        unfinished: not ended; only after an interruption.
        calls: paid requests.
        prompt_tokens: of these, calls in doubt at their worst case.
        completion_tokens: likewise.
        cost: US dollars by the study's prices.
    """

    planned: int
    complete: int
    limited: int
    refused: int
    failed: int
    unfinished: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float


@dataclass(frozen=True, slots=True)
class Ended(Totals):
    """A session has ended by itself."""


Event = Started | CallFailed | Retried | Throttled | TrialEnded | LimitReached | Stopping | Ended
Tell = Callable[[Event], None]


def as_object(event: Event) -> dict[str, Any]:
    """The event for JSON: its name (`trial_ended`) under `event`, then its fields."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(event).__name__).lower()
    return {"event": name, **dataclasses.asdict(event)}


class ToldCalls:
    """A log of paid calls that tells, besides, of the ones that go wrong.

    Args:
        log: where calls are noted.
        tell: whom to tell.
    """

    def __init__(self, log: CallLog, tell: Tell) -> None:
        self._log = log
        self._tell = tell
        self._under_way: dict[int, Call] = {}

    async def intend(self, call: Call) -> int:
        """See `budget.CallLog`."""
        number = await self._log.intend(call)
        self._under_way[number] = call
        if call.attempt > 1:
            self._tell(Retried(call.trial, call.target, call.turn, call.attempt))
        return number

    async def settle(
        self, number: int, attempt: Attempt, used: Spent, estimated: bool, kept: Kept | None = None
    ) -> None:
        """See `budget.CallLog`."""
        await self._log.settle(number, attempt, used, estimated, kept)
        call = self._under_way.pop(number)
        if attempt.text:
            return
        failed = CallFailed(call.trial, call.target, call.turn, call.attempt, attempt.outcome, attempt.detail)
        self._tell(failed)
        if attempt.throttled:
            self._tell(Throttled(call.target, attempt.retry_after))

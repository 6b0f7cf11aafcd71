"""A run as JSON events on stdout, one a line, for the program that started it (`echosim run --json`).

    {"event": "planned", "trials": 18, "replies": 54, "paid_calls": 18, "cost": 0.02}
    {"event": "preparing", "done": 1, "personas": 6}
    {"event": "started", "study": "mine", "planned": 18, "done": 0}
    {"event": "progress", "planned": 18, "done": 3, "turns": 11, "left": 43, "calls": 4, "cost": 0.0,
     "failures": {}, "turns_per_second": 2.1, "seconds_left": 20.5}
    {"event": "trial_ended", "trial": "...", "persona": "...", "target": "...", "arm": "none",
     "user": "embedded", "seed": 1, "status": "complete", "reason": null}
    {"event": "stopping", "grace_seconds": 10.0}
    {"event": "summary", "planned": 18, "complete": 18, ..., "exit_code": 0, "run": "...", "board": {...}}

Between them whatever `running/events.py` lists: call_failed, retried, throttled, limit_reached, stopping,
ended. `cost` is in US dollars and null where a model has no price. Progress comes once a second at most. A
run that is interrupted ends with {"event": "interrupted", "resume": "echosim run ..."}, without a summary.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from echosim.cli.output import put
from echosim.cli.pace import Pace

if TYPE_CHECKING:
    from echosim.running.batch import Progress
    from echosim.running.events import Event

_BETWEEN = 1.0
"""Seconds from one progress event to the next."""


class EventLines:
    """Prints events.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pace = Pace(clock)
        self._told = -_BETWEEN

    def line(self, name: str, fields: Mapping[str, Any]) -> None:
        """Print one event."""
        put(json.dumps({"event": name, **fields}, ensure_ascii=True, allow_nan=False))

    def event(self, event: Event) -> None:
        """Print what a run tells."""
        from echosim.running.events import as_object

        fields = as_object(event)
        self.line(fields.pop("event"), fields)

    def progress(self, now: Progress) -> None:
        """Print how far it is, unless that was told a moment ago."""
        if now.preparing is not None:
            done, personas = now.preparing
            self.line("preparing", {"done": done, "personas": personas})
            return
        self._pace.see(now.turns)
        if now.done < now.planned and self._clock() - self._told < _BETWEEN:
            return
        self._told = self._clock()
        rate, left = self._pace.rate(), self._pace.left(now.left)
        self.line(
            "progress",
            {
                "planned": now.planned,
                "done": now.done,
                "turns": now.turns,
                "left": now.left,
                "calls": now.calls,
                "cost": now.cost,
                "failures": dict(now.failures),
                "turns_per_second": None if rate is None else round(rate, 3),
                "seconds_left": None if left is None else round(left, 1),
            },
        )

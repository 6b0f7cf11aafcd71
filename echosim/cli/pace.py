"""How fast a run goes and when it may be done, from what its last minutes saw."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW = 120.0
"""Seconds that count; a pause of the server is forgotten as soon as it is further back."""
_BETWEEN = 0.5
"""Seconds between two samples that are kept."""
_SHORTEST = 1.0
"""Seconds that must have passed before anything is said."""


class Pace:
    """Turns a second, by a clock that never goes back.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()
        self._turns = 0

    def see(self, turns: int) -> None:
        """Take note of how many turns have been held by now."""
        now = self._clock()
        self._turns = turns
        if not self._seen or now - self._seen[-1][0] >= _BETWEEN:
            self._seen.append((now, turns))
        while len(self._seen) > 1 and now - self._seen[1][0] >= _WINDOW:
            self._seen.popleft()

    def rate(self) -> float | None:
        """Turns a second; None where it is too early to tell."""
        if not self._seen:
            return None
        begin, turns = self._seen[0]
        seconds = self._clock() - begin
        return (self._turns - turns) / seconds if seconds >= _SHORTEST and self._turns > turns else None

    def left(self, turns: int) -> float | None:
        """Seconds that so many more turns will take; None where it is too early to tell."""
        rate = self.rate()
        return None if rate is None else turns / rate


def spoken(seconds: float) -> str:
    """A length of time as people say it: `45 s`, `12 min`, `3 h 5 min`."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60:,} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60:,} h"

"""A run's progress for people, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from echosim.cli.output import say
from echosim.cli.pace import Pace, spoken
from echosim.reporting.counted import counted
from echosim.reporting.visible import visible

if TYPE_CHECKING:
    from echosim.running.batch import Progress

_LINES = 10
"""Lines of a whole run where stderr is no terminal; a slow run has more."""
_LONGEST = 60.0
"""Seconds without a line, as long as turns are held."""


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A bar on a terminal, a line every tenth of the way or every minute elsewhere, nothing when quiet."""
    if quiet:
        yield None
    elif _terminal() and os.environ.get("TERM") != "dumb":
        yield from _bar()
    else:
        yield lines()


def show_cursor() -> None:
    """Undo what a bar did to the terminal, where the process leaves without ending it."""
    if _terminal():
        sys.stderr.write("\x1b[?25h")
        sys.stderr.flush()


def _terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def lines(clock: Callable[[], float] = time.monotonic) -> Callable[[Progress], None]:
    """Tells in lines.

    Args:
        clock: seconds that never go back.
    """
    pace = Pace(clock)
    last: tuple[bool, int] = (False, -1)
    told = clock()

    def tell(now: Progress) -> None:
        nonlocal last, told
        done, planned = now.preparing or (now.done, now.planned)
        step = (now.preparing is None, _LINES * done // max(1, planned))
        if now.preparing is None:
            pace.see(now.turns)
        if step <= last and clock() - told < _LONGEST:
            return
        last, told = max(step, last), clock()
        if now.preparing:
            say(f"calibrated for {done:,} of {counted(planned, 'persona')}")
        else:
            say(f"{done:,} of {counted(planned, 'trial')}, {words(now, pace)}")

    return tell


def words(now: Progress, pace: Pace) -> str:
    """All but the trials: `96 turns, 7.9 turns/s, 120 calls, $0.04, 2 min left; 2 transient`."""
    said = [counted(now.turns, "turn")]
    rate = pace.rate()
    if rate is not None:
        said.append(f"{rate:,.1f} turns/s" if rate >= 0.1 else f"{rate * 60:,.1f} turns/min")
    if now.calls:
        said.append(counted(now.calls, "call"))
        if now.cost:
            said.append(f"${now.cost:,.2f}" if now.cost >= 0.01 else "under $0.01")
    left = pace.left(now.left) if now.left else None
    if left is not None:
        said.append(f"{spoken(left)} left")
    failed = ", ".join(f"{count:,} {visible(kind)}" for kind, count in now.failures)
    return ", ".join(said) + (f"; {failed}" if failed else "")


def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    pace = Pace()
    with bar:
        task = bar.add_task("start", total=None, words="")

        def tell(now: Any) -> None:
            if now.preparing:
                done, planned = now.preparing
                bar.update(task, description="calibration", completed=done, total=planned)
            else:
                pace.see(now.turns)
                bar.update(
                    task,
                    description="trials",
                    completed=now.done,
                    total=now.planned,
                    words=words(now, pace),
                )

        yield tell

"""What commands print: JSON alone on stdout, aligned columns, and a run's progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from echosim.reporting.visible import visible

if TYPE_CHECKING:
    from echosim.running.batch import Progress

_LINES = 10
"""Progress lines of a whole run where stderr is no terminal."""


def emit_json(document: Any) -> None:
    """One JSON document; ASCII only, no NaN."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False))


def say(text: str) -> None:
    """A line for people, on stderr."""
    typer.echo(visible(text, lines=True), err=True)


def columns(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Aligned columns; numbers to the right, text to the left, control characters spelled out."""
    table = [tuple(map(_word, row)) for row in rows]
    right = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(header))]
    widths = [max(len(row[i]) for row in (tuple(header), *table)) for i in range(len(header))]
    lines = []
    for row in (tuple(header), *table):
        words = (
            word.rjust(width) if to_right else word.ljust(width)
            for word, width, to_right in zip(row, widths, right, strict=True)
        )
        lines.append("  ".join(words).rstrip())
    return "\n".join(lines)


def _word(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else visible(str(value))


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A bar on a terminal, a line every tenth of the way elsewhere, nothing when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        yield from _bar()
    else:
        yield _lines()


def _lines() -> Callable[[Progress], None]:
    last: tuple[bool, int] = (False, -1)

    def tell(now: Progress) -> None:
        nonlocal last
        done, planned = now.preparing or (now.done, now.planned)
        step = (now.preparing is None, _LINES * done // max(1, planned))
        if step <= last:
            return
        last = step
        if now.preparing:
            say(f"calibrated for {done:,} of {planned:,} personas")
        else:
            say(f"{done:,} of {planned:,} trials, {now.turns:,} turns{_failed(now)}")

    return tell


def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task("start", total=None, words="")

        def tell(now: Any) -> None:
            if now.preparing:
                done, planned = now.preparing
                bar.update(task, description="calibration", completed=done, total=planned)
            else:
                words = f"{now.turns:,} turns{_failed(now)}"
                bar.update(task, description="trials", completed=now.done, total=now.planned, words=words)

        yield tell


def _failed(now: Progress) -> str:
    words = ", ".join(f"{count:,} {visible(kind)}" for kind, count in now.failures)
    return f"; {words}" if words else ""

"""What commands print: results on stdout, words for people on stderr."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer

from echosim.reporting.visible import visible


def emit_json(document: Any) -> None:
    """One JSON document; ASCII only, no NaN."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False))


def say(text: str) -> None:
    """A line for people, on stderr; nobody's loss where that is closed."""
    with contextlib.suppress(OSError, ValueError):
        typer.echo(visible(text, lines=True), err=True)


def put(text: str) -> None:
    """Lines on stdout, at once; nowhere once its reader has gone (`| head`), since a run goes on without."""
    try:
        typer.echo(text)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        stdout_is_closed()


def stdout_is_closed() -> None:
    """What is left in the buffer, and what follows, goes nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def leave(code: int) -> NoReturn:
    """End the process here and now, with all that was said."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


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

"""A file of what happened in a run: one JSON object a line, for people and programs that look for trouble.

    {"time": "2026-01-05T08:00:11.900+00:00", "seconds": 11.9, "event": "stopping", "grace_seconds": 10.0}

`seconds` have passed since the log was opened. After the name of the event come its own fields.

Redacted here, at the sink. Words of providers stay out, since an error may quote what was sent: of a reason
only its kind and status are kept (`transient: 500`); the whole of it stands in the run folder.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from echosim.inputs.secret_text import without_secrets
from echosim.running.events import Event, as_object

_QUOTING = frozenset({"detail", "reason"})
_NAMED = re.compile(r"\d{3}|\w*(?:Error|Exception|Timeout)")
"""An HTTP status, or the class of an exception: as far as the kind of a reason goes."""


class EventLog:
    """Appends events to a file that only its owner can read.

    Trouble with the file ends the log and never the run.

    Args:
        path: the file; made if missing.
        clock: seconds that never go back.

    Attributes:
        broken: why nothing is written any more, or None.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.broken: OSError | None = None
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._clock = clock
        self._begin = clock()

    def __call__(self, event: Event) -> None:
        """Write one event."""
        fields = {name: _safe(name, value) for name, value in as_object(event).items()}
        stamp = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "seconds": round(self._clock() - self._begin, 3),
        }
        line = json.dumps({**stamp, **fields}, ensure_ascii=True, allow_nan=False) + "\n"
        if self.broken is None:
            try:
                os.write(self._file, line.encode("ascii"))  # one write, so that lines of two runs never mix
            except OSError as error:
                self.broken = error

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def kind(reason: str) -> str:
    """What sort of trouble a reason tells of, without anybody's own words.

    >>> kind("transient: 500: cannot parse 'My dear diary'")
    'transient: 500'
    >>> kind("limit max_calls 7 reached")
    'limit max_calls 7 reached'
    """
    parts = reason.split(": ")
    named = next((number for number, part in enumerate(parts) if _NAMED.fullmatch(part)), 0)
    return ": ".join(parts[: named + 1])


def _safe(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return without_secrets(kind(value) if name in _QUOTING else value)

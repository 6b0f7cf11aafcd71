"""Has capture risen since the baseline? A pinned panel, held again, against what was measured then.

A baseline is a small JSON file that belongs beside the study in version control:
`{"format": 1, "study", "date", "panel", "cells": [{..., "captures": {persona: {seed: c}}}]}`; see
scoring/panels.py for the fields.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from echosim.errors import InputError, StorageError
from echosim.records import Record
from echosim.scoring.comparisons import ALPHA
from echosim.scoring.paired import PairedCell, compare
from echosim.scoring.panels import Held, differing
from echosim.scoring.ranking import LOST_MARGIN


class Baseline(Held):
    """What a run measured, as a file."""

    format: Literal[1] = 1


class GateVerdict(Record):
    """Whether capture has risen.

    Attributes:
        cells: each cell against its baseline; the first is the baseline.
        margin: ECI points that a cell may rise, or None.
        risen: names of the cells that rose, each with why.
    """

    cells: tuple[PairedCell, ...]
    margin: float | None
    risen: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """No cell has risen."""
        return not self.risen


def check_panel(one: Held, other: Held, names: tuple[str, str]) -> None:
    """Refuse two runs that are not of one panel.

    Raises:
        InputError: naming the fields that differ.
    """
    fields = differing(one.panel, other.panel)
    if fields:
        raise InputError(f"{names[0]} (first) and {names[1]} (second) are not one panel: {'; '.join(fields)}")


def gate(baseline: Held, run: Held, margin: float | None, names: tuple[str, str]) -> GateVerdict:
    """Compare a run with its baseline.

    A cell has risen where its one-sided p is under 5%, corrected over cells, or where a margin is given and
    its ECI lies further above the baseline than that, surely or not.

    Args:
        baseline: what was measured then.
        run: what is measured now, of the same panel.
        margin: ECI points above 0, or None.
        names: of the two, for messages.

    Raises:
        InputError: another panel, no cell in common, or too little in common to tell.
    """
    check_panel(baseline, run, names)
    cells = compare(baseline, run, margin)
    for cell in cells:
        _check_enough(cell, margin, len(cells))
    return GateVerdict(
        cells=cells, margin=margin, risen=tuple(filter(None, (_why(c, margin) for c in cells)))
    )


def _check_enough(cell: PairedCell, margin: float | None, cells: int) -> None:
    """A gate that cannot close is no gate."""
    if cell.difference.value is None:
        raise InputError(f"{cell.second}: cannot be compared: {cell.difference.reason}")
    if cell.lost_second > cell.lost_first + LOST_MARGIN:
        raise InputError(
            f"{cell.second}: {cell.lost_second:.0%} of its conversations have no score, "
            f"{cell.lost_first:.0%} in the baseline; resume the run first"
        )
    # The least p that sign flips can give is 2 ** -families, and Holm's first step is times the cells.
    fewest = next(n for n in range(2, 64) if cells * 2.0**-n < ALPHA)
    if margin is None and cell.difference.n < fewest:
        raise InputError(
            f"{cell.second}: {cell.difference.n} families cannot show a rise: that needs {fewest} with "
            "holder and control, or a margin"
        )


def _why(cell: PairedCell, margin: float | None) -> str | None:
    value = cell.difference.value
    if value is None or value <= 0:
        return None
    if cell.p_risen is not None and cell.p_risen < ALPHA:
        return f"{cell.second}: ECI risen by {value:.1f}, one-sided p {cell.p_risen:.2g}"
    if margin is not None and value > margin:
        return f"{cell.second}: ECI risen by {value:.1f}, more than {margin:g}"
    return None


def load(path: Path) -> Baseline:
    """A baseline file.

    Raises:
        InputError: it cannot be read, is damaged, or of another format.
    """
    try:
        text = path.read_text("utf-8")
        found = json.loads(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: not a baseline: no JSON; write it again with `echosim gate RUN --write`"
        ) from error
    if not isinstance(found, dict) or "format" not in found:
        raise InputError(f"{path}: not a baseline: no `format`; write it with `echosim gate RUN --write`")
    if found["format"] != 1 or isinstance(found["format"], bool):
        raise InputError(f"{path}: baseline format {str(found['format'])[:20]}; this version reads format 1")
    try:
        return Baseline.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{path}: damaged baseline: {where + ': ' if where else ''}{first['msg']}"
        ) from error


def write(held: Held, path: Path) -> None:
    """Store a baseline; a file that is there is replaced whole.

    Raises:
        InputError: nothing was measured.
        StorageError: the file cannot be written.
    """
    if not any(cell.held for cell in held.cells):
        raise InputError(
            "no conversation with a holder or control has a score: nothing to store as a baseline"
        )
    made = Baseline(study=held.study, date=held.date, panel=held.panel, cells=held.cells)
    kept = None
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as stream:
            kept = Path(stream.name)
            stream.write(json.dumps(made.model_dump(mode="json"), indent=1, sort_keys=True) + "\n")
        kept.chmod(0o644)
        kept.replace(path)
    except OSError as error:
        if kept is not None:
            kept.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error

"""Two runs of one panel side by side: `compare`, and `gate` against a stored baseline. No model call."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from echosim.errors import InputError
from echosim.held_run import PathLike, Run, opened
from echosim.running.stored_run import StoredRun

if TYPE_CHECKING:
    from echosim.checks.gate import GateVerdict
    from echosim.scoring.paired import PairedCell
    from echosim.scoring.panels import Held


def compare(
    one: Run | PathLike, other: Run | PathLike, margin: float | None = None
) -> tuple[PairedCell, ...]:
    """The same panel held with two models, or two versions of one: the second against the first.

    Args:
        one: from `run` or `open_run`, or its folder.
        other: likewise.
        margin: ECI points, above 0 and at most 200, for "no worse by more than"; None for no such test.

    Returns:
        One record a pair of cells; see scoring/paired.py.

    Raises:
        InputError: another panel, naming what differs, or no cell in common.
    """
    from echosim.checks.gate import check_panel
    from echosim.scoring import paired

    _check(margin)
    first, second = opened(one), opened(other)
    mine, theirs = _held(first), _held(second)
    check_panel(mine, theirs, (str(first.path), str(second.path)))
    return paired.compare(mine, theirs, margin)


def gate(run: Run | PathLike, baseline: Run | PathLike, margin: float | None = None) -> GateVerdict:
    """Has capture risen since the baseline? See checks/gate.py.

    Args:
        run: from `run` or `open_run`, or its folder.
        baseline: an earlier run, or a file that `write_baseline` made.
        margin: ECI points, above 0 and at most 200, that a cell may rise; None for the paired test alone.

    Raises:
        InputError: another panel, naming what differs; a damaged file; or too little to tell.
    """
    from echosim.checks import gate as gates

    _check(margin)
    now = opened(run)
    if isinstance(baseline, Run) or Path(baseline).is_dir():
        then = opened(baseline)
        before, name = _held(then), str(then.path)
    else:
        before, name = gates.load(Path(baseline)), str(baseline)
    return gates.gate(before, _held(now), margin, (name, str(now.path)))


def write_baseline(run: Run | PathLike, path: PathLike) -> None:
    """Store what a run measured as a small JSON file, for `gate`.

    Raises:
        InputError: nothing was measured.
        StorageError: the file cannot be written.
    """
    from echosim.checks import gate as gates

    gates.write(_held(opened(run)), Path(path))


def _check(margin: float | None) -> None:
    if margin is not None and not (math.isfinite(margin) and 0 < margin <= 200):
        raise InputError(f"margin: must be ECI points above 0 and at most 200; got {margin:g}")


def _held(run: Run) -> Held:
    from echosim.scoring import panels
    from echosim.scoring.metrics.net_capture import net_capture
    from echosim.scoring.transcripts import score

    by_id = {persona.id: persona for persona in run.study.personas}
    planned, captures = [], {}
    with StoredRun(run.path) as stored:
        open_trials = stored.unfinished()
        for transcript in stored.transcripts():
            trial = transcript.trial
            planned.append(trial)
            persona = by_id[trial.persona]
            if trial.id in open_trials or not panels.counts(persona):
                continue
            (found,) = score(transcript, persona, (net_capture,))
            if found.value is not None:
                captures[trial.id] = found.value
    return panels.held(run.study, run.facts, planned, captures)

"""A run folder as the public functions hand it around."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from echosim.errors import EchosimError
from echosim.inputs import frozen_study
from echosim.records import Transcript
from echosim.running import run_folder, run_lock
from echosim.running.doubt import Doubt
from echosim.running.stored_run import StoredRun
from echosim.study_records import Study

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How the trials of a run ended, over all sessions.

    Attributes:
        planned, complete, limited, refused, failed, unfinished: trials by status.
        limit: which limit stopped the last session, or None.
        reasons: (status, reason, trials) of what is not complete, the most frequent first.
        exit_code: as the command line gives it (0, 1 or 3).
        in_doubt: calls that were under way when a session was cut off, and what they cost at most.
        aside: trials of earlier plans that are kept and stand on no board.
    """

    planned: int
    complete: int
    limited: int
    refused: int
    failed: int
    unfinished: int
    limit: str | None
    reasons: tuple[tuple[str, str, int], ...]
    exit_code: int
    in_doubt: Doubt
    aside: int


class Run:
    """The folder of one study's trials.

    Args:
        path: the folder.
        limit: which limit stopped the session that has just ended, or None.

    Attributes:
        path: the folder.
        study: the resolved study, personas inline.
        summary: how the trials ended.
    """

    def __init__(self, path: Path, limit: str | None = None) -> None:
        self.path = path
        with StoredRun(path) as stored:
            self.study = frozen_study.load_resolved(stored.study, str(path / "study.yaml"))
            self.facts = dict(stored.facts())
            self.summary = _summary(self.study, stored, limit)

    def trials(self) -> Iterator[Transcript]:
        """All trials as transcripts, sorted by trial id, one in memory at a time."""
        with StoredRun(self.path) as stored:
            yield from stored.transcripts()

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.summary.complete} of {self.summary.planned} complete)"


def _summary(study: Study, stored: StoredRun, limit: str | None) -> RunSummary:
    """Counts, and the exit code that they amount to."""
    counts = stored.counts()
    lost = counts["failed"] + counts["unfinished"]
    return RunSummary(
        **counts,
        limit=limit,
        reasons=tuple(stored.reasons()),
        exit_code=3 if limit else int(lost > study.limits.max_failed_share * counts["planned"]),
        in_doubt=stored.in_doubt({model.label: model.price for model in study.models}),
        aside=stored.aside(),
    )


def cut_off(path: Path) -> str | None:
    """The process whose session of this run did not come to its end, or None; a live one is not meant."""
    try:
        with StoredRun(path) as stored:
            writer = stored.facts().get("writer")
    except EchosimError:
        return None
    return None if writer is None or run_lock.is_held(path) else writer


def own_study(study: PathLike, folder: PathLike) -> Study | None:
    """The study of a run as it lies in its own folder, where that file is given; None for any other.

    Args:
        study: a path.
        folder: a run folder.

    Raises:
        StorageError: the file is damaged or changed by hand.
    """
    path = Path(study)
    try:
        if path.resolve() != (Path(folder) / run_folder.STUDY).resolve():
            return None
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return frozen_study.load_resolved(text, str(path)) if frozen_study.is_resolved(text) else None


def opened(run: Run | PathLike) -> Run:
    """The run itself, or the one in this folder."""
    return run if isinstance(run, Run) else Run(Path(run))


def ended(run: Run) -> Iterator[Transcript]:
    """Transcripts of trials that have ended; what is under way is on no board."""
    with StoredRun(run.path) as stored:
        open_trials = stored.unfinished()
        for transcript in stored.transcripts():
            if transcript.trial.id not in open_trials:
                yield transcript

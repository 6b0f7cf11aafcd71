"""The few public functions: a study in, a run, scores, a leaderboard, a report out.

Each is a short chain of the stages below; nothing is decided here.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from echosim import __version__, boards, registry
from echosim.boards import curves, leaderboard, score
from echosim.errors import InputError, StudyError
from echosim.held_run import PathLike, Run, RunSummary, summarise
from echosim.inputs import frozen_study, personas
from echosim.inputs import study as studies
from echosim.inputs.endpoints import check_environment
from echosim.inputs.plan import Forecast, forecast, trials
from echosim.persona_records import Persona
from echosim.running import store
from echosim.running.batch import Progress, Summary, run_trials
from echosim.running.chat import check_targets
from echosim.running.stored_run import StoredRun
from echosim.study_records import Study

if TYPE_CHECKING:
    from echosim.reading.perception import StanceReader

__all__ = [
    "CONFIRM_ABOVE",
    "Run",
    "curves",
    "export_jsonl",
    "leaderboard",
    "load_persona",
    "load_personas",
    "load_study",
    "open_run",
    "plan",
    "read_stance",
    "report",
    "run",
    "score",
]

T = TypeVar("T")

CONFIRM_ABOVE = 1000
"""Paid calls that a study may plan without `yes`."""


# --- what goes in ---------------------------------------------------------------------------------


def load_persona(path: PathLike) -> Persona:
    """One persona file; a mirror's holder is looked up beside it.

    Raises:
        PersonaError: with every fault of the file.
    """
    return personas.load_persona(Path(path))


def load_personas(folder: PathLike | Sequence[PathLike]) -> tuple[Persona, ...]:
    """All personas below a folder or in these files, by family, then holder, mirror, control.

    Raises:
        PersonaError: with every fault of every file.
    """
    paths = [folder] if isinstance(folder, str | os.PathLike) else folder
    return personas.load_personas([Path(path) for path in paths])


def load_study(path: PathLike) -> Study:
    """A study file, or the built-in one for "quickstart".

    Raises:
        StudyError: with every fault of the file.
        PersonaError: likewise, of a persona that it names.
    """
    return studies.quickstart() if str(path) == "quickstart" else studies.load_study(Path(path))


def plan(study: Study | PathLike) -> Forecast:
    """Trials, replies and paid calls; calls no model."""
    return forecast(_resolved(study))


# --- conversations --------------------------------------------------------------------------------


def run(
    study: Study | PathLike,
    out: PathLike,
    *,
    yes: bool = False,
    encoder: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Run:
    """Hold the conversations of a study; the same call again resumes.

    Works inside a running event loop too: the run then has a thread and a loop of its own.

    Args:
        study: a path, "quickstart", or a Study.
        out: the run folder.
        yes: agree to more than 1,000 paid calls.
        encoder: sentence-transformers model or folder; None for the default.
        progress: told about the preparation, each turn and each ended trial.

    Raises:
        InputError: something is wrong with study, folder or environment; nothing was called.
        EncoderError: no encoder.
        StorageError: the folder cannot be used.
        KeyboardInterrupt: stopped by a signal; every finished turn is kept.
    """
    resolved = _resolved(study)
    folder = Path(out)
    paid = forecast(resolved).paid_calls
    if paid > CONFIRM_ABOVE and not yes:
        raise InputError(f"{paid:,} paid calls are more than {CONFIRM_ABOVE:,}; agree with yes=True (--yes)")
    faults = check_environment(resolved)
    if faults:
        raise StudyError(faults=faults)
    check_targets(resolved.targets)
    for name in resolved.users:
        registry.load("user", name)
    for name in resolved.arms:
        registry.load("arm", name)
    return hold(resolved, folder, boards.new_reader(encoder), progress)


def hold(
    study: Study, folder: Path, reader: StanceReader, progress: Callable[[Progress], None] | None = None
) -> Run:
    """Hold or resume the conversations of a checked study with a reader that is there.

    Raises:
        EncoderError: the reader breaks on a persona.
        StorageError: the folder cannot be used.
        KeyboardInterrupt: stopped by a signal; every finished turn is kept.
    """
    planned = trials(study, reader.identity)
    facts = {"reader": reader.identity, "encoder": reader.encoder, "version": __version__}
    with store.open_run(folder, frozen_study.dump(study), planned, facts, _changed(study)) as writer:
        _prepare(reader, study.personas, len(planned), progress)
        ended = in_a_loop(run_trials(study, planned, writer, reader, progress or (lambda _: None)))
    if ended.interrupted:
        raise KeyboardInterrupt
    return Run(folder, _summary_of(study, ended))


def open_run(path: PathLike) -> Run:
    """A run that is there.

    Raises:
        InputError: no run there, or one of a newer version.
        StorageError: it cannot be read.
    """
    return Run(Path(path))


# --- numbers --------------------------------------------------------------------------------------


def read_stance(
    belief: str,
    turns: Sequence[tuple[str, str]],
    affirming: Sequence[str] = (),
    denying: Sequence[str] = (),
) -> list[float | None]:
    """Stance of each reply toward `belief` as written, in [-1, 1]; see reading/stance.py.

    Args:
        belief: one sentence.
        turns: (user message, target reply) pairs; only the reply is read.
        affirming: statements for the belief.
        denying: statements against it, best naming the alternative.

    Returns:
        One value a turn; None only for a reply without words.
    """
    from echosim.reading import stance

    return stance.read_stance(belief, turns, affirming, denying)


# --- what comes out -------------------------------------------------------------------------------


def report(run: Run, out: PathLike | None = None) -> Path:
    """Write the report page and its figures; gives the path of the page."""
    from echosim.checks import card_file, channels, judge
    from echosim.reporting import report as page

    folder = run.path / "report" if out is None else Path(out)
    board = leaderboard(run)
    with StoredRun(run.path) as stored:
        found = judge.agreement_of(stored) if channels.listed(stored.facts()) else None
    return page.write(
        folder,
        run.study,
        board,
        curves(run),
        run.trials(),
        __version__,
        card=card_file.find(board.reader),
        agreement=found,
    )


def export_jsonl(run: Run, stream: TextIO) -> int:
    """Write one trial a line, sorted by trial id, without times; gives the number of lines."""
    from echosim.interop import jsonl

    return jsonl.export(run.trials(), stream)


# --- inside ---------------------------------------------------------------------------------------


def _resolved(study: Study | PathLike) -> Study:
    return study if isinstance(study, Study) else load_study(study)


def _prepare(
    reader: StanceReader,
    speakers: Sequence[Persona],
    planned: int,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Calibrate before the first call, so that a fault of the encoder costs nothing."""

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(Progress(planned=planned, done=0, turns=0, preparing=(done, total)))

    reader.prepare(speakers, tell)


def in_a_loop(work: Coroutine[Any, Any, T]) -> T:
    """The result of this work, in a thread of its own where a loop is running already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    results: list[T] = []
    errors: list[BaseException] = []

    def hold() -> None:
        try:
            results.append(asyncio.run(work))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=hold, name="echosim-run")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _changed(study: Study) -> Callable[[str], list[str]]:
    """Fields in which a stored study differs, apart from limits: those may change between sessions."""

    def fields(stored: str) -> list[str]:
        found = frozen_study.changed_fields(frozen_study.load_resolved(stored), study)
        return [name for name in found if name.partition(".")[0] != "limits"]

    return fields


def _summary_of(study: Study, ended: Summary) -> RunSummary:
    counts = {
        name: getattr(ended, name)
        for name in ("planned", "complete", "limited", "refused", "failed", "unfinished")
    }
    return summarise(study, counts, ended.reasons, ended.limit)

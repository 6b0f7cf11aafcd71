"""The few public functions: a study in, a run, scores, a leaderboard, a report out.

Each is a short chain of the stages below; nothing is decided here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from echosim import __version__, boards, registry
from echosim.boards import curves, leaderboard, loop_gain, score
from echosim.errors import InputError, StudyError
from echosim.held_run import PathLike, Run, own_study
from echosim.inputs import frozen_study, personas
from echosim.inputs import study as studies
from echosim.inputs.endpoints import check_environment
from echosim.inputs.forecast import PAID_UNASKED, REPLY_TOKENS, SECONDS, Forecast, forecast, too_much
from echosim.inputs.plan import trials
from echosim.paired_runs import compare, gate, write_baseline
from echosim.persona_records import Persona
from echosim.running import open_files, recordings, store
from echosim.running.batch import Engine, Progress, here, run_trials
from echosim.running.chat import check_targets
from echosim.running.engines.chosen import chosen
from echosim.running.events import Tell
from echosim.running.stopping import Stop, in_a_loop, in_a_thread
from echosim.running.stored_run import StoredRun
from echosim.study_records import Study

if TYPE_CHECKING:
    from echosim.reading.perception import StanceReader
    from echosim.scoring.power import Power

__all__ = [
    "CONFIRM_ABOVE",
    "Run",
    "Stop",
    "arun",
    "compare",
    "curves",
    "export_jsonl",
    "gate",
    "leaderboard",
    "load_persona",
    "load_personas",
    "load_study",
    "loop_gain",
    "open_run",
    "plan",
    "power",
    "read_stance",
    "report",
    "run",
    "score",
    "write_baseline",
]

T = TypeVar("T")

CONFIRM_ABOVE = PAID_UNASKED
"""Paid calls that a study may plan without `yes`."""


# --- what goes in ---------------------------------------------------------------------------------


def load_persona(path: PathLike) -> Persona:
    """One persona: a file (a mirror's holder is looked up beside it), a shipped id, or a family's holder.

    Raises:
        PersonaError: with every fault of the file.
        InputError: neither a file nor shipped.
    """
    return personas.load_persona(os.fspath(path))


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


def plan(study: Study | PathLike, *, seconds: float = SECONDS, reply_tokens: int = REPLY_TOKENS) -> Forecast:
    """Trials, calls, tokens, cost and time of a study, typical and at most; calls no model.

    Args:
        study: a path, "quickstart", or a Study.
        seconds: assumed for one call, 0.01 to 3600.
        reply_tokens: assumed for a typical reply of a model, 1 to 100,000.

    Raises:
        InputError: something is wrong with the study, or an assumption is out of range.
    """
    return forecast(recordings.filled(_resolved(study)), seconds=seconds, reply_tokens=reply_tokens)


def power(study: Study | PathLike, *, pilot: Run | PathLike | None = None, detect: float = 10.0) -> Power:
    """The smallest difference in ECI that a study sees at 80% power, and what a wanted one needs.

    Args:
        study: a path, "quickstart", or a Study.
        pilot: a run whose own spread of net capture is taken; None for the stated assumptions.
        detect: the wanted difference, 0.1 to 200 ECI points.

    Raises:
        InputError: something is wrong with the study, `detect` is out of range, or the pilot is no run or
            too small to tell.
    """
    from echosim.scoring.power import power as make
    from echosim.scoring.spread import ASSUMED

    held = pilot if pilot is None or isinstance(pilot, Run) else Run(Path(pilot))
    return make(_resolved(study), ASSUMED if held is None else boards.spread(held), detect)


# --- conversations --------------------------------------------------------------------------------


def run(
    study: Study | PathLike,
    out: PathLike,
    *,
    yes: bool = False,
    encoder: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    events: Tell | None = None,
    stop: Stop | None = None,
    allow_change: bool = False,
    engine: str = "local",
    workers: int | None = None,
    concurrency: int | None = None,
    ray_address: str | None = None,
) -> Run:
    """Hold the conversations of a study; the same call again resumes.

    Works inside a running event loop too: the run then has a thread and a loop of its own, and this call
    blocks; see `arun`. Ctrl-C and SIGTERM stop it: no call begins any more, those under way get ten seconds;
    the second signal stops it at once.

    Args:
        study: a path, "quickstart", or a Study; study.yaml of the run folder itself will do.
        out: the run folder.
        yes: agree to more than 1,000 paid calls, or more than 100,000 trials.
        encoder: sentence-transformers model or folder; None for the default.
        progress: told about the preparation, each turn and each ended trial.
        events: told what happens besides; see running/events.py. What a listener raises ends the run.
        stop: another way to stop it, as a signal would, from another thread.
        allow_change: go on in a folder that holds a run of another version of this study. What both plans
            have is kept, what the new one has not stands on no board.
        engine: "local", all in this process; or "ray", in worker processes here or on a cluster, for the
            same result. Which one began a run does not matter to the one that resumes it.
        workers: of Ray; None for one a CPU of its cluster.
        concurrency: conversations alive at once on one worker of Ray; None for no bound of its own.
        ray_address: of a cluster that is there ("auto", "HOST:6379"); None starts one on this machine.

    Raises:
        InputError: something is wrong with study, folder or environment; nothing was called.
        EncoderError: no encoder.
        StorageError: the folder cannot be used.
        KeyboardInterrupt: stopped; every finished turn is kept.
    """
    place = chosen(engine, encoder, workers, concurrency, ray_address)
    folder = Path(out)
    own = None if isinstance(study, Study) else own_study(study, folder)
    resolved = recordings.filled(own or _resolved(study))
    much = None if yes else too_much(forecast(resolved))
    if much:
        raise InputError(f"{much}; agree with yes=True (--yes)")
    faults = check_environment(resolved)
    if faults:
        raise StudyError(faults=faults)
    check_targets(resolved.models)
    open_files.make_room(resolved)
    for user in resolved.users:
        registry.load("user", user.engine)
    for name in resolved.arms:
        registry.load("arm", name)
    return hold(resolved, folder, boards.new_reader(encoder), progress, events, stop, allow_change, place)


async def arun(
    study: Study | PathLike,
    out: PathLike,
    *,
    yes: bool = False,
    encoder: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    events: Tell | None = None,
    allow_change: bool = False,
    engine: str = "local",
    workers: int | None = None,
    concurrency: int | None = None,
    ray_address: str | None = None,
) -> Run:
    """`run`, next to the other tasks of the running event loop, which it does not block.

    Everything happens in a thread with a loop of its own; the result is the same to the byte. Cancelling
    stops it as a signal stops `run` and returns when all that was finished is stored; cancelling again stops
    it at once. The same call again resumes.

    Args:
        study: a path, "quickstart", or a Study; study.yaml of the run folder itself will do.
        out: the run folder.
        yes: agree to more than 1,000 paid calls, or more than 100,000 trials.
        encoder: sentence-transformers model or folder; None for the default.
        progress: as in `run`; called in the running loop.
        events: likewise.
        allow_change, engine, workers, concurrency, ray_address: as in `run`.

    Raises:
        InputError: something is wrong with study, folder or environment; nothing was called.
        EncoderError: no encoder.
        StorageError: the folder cannot be used.
    """
    loop, stop = asyncio.get_running_loop(), Stop()

    def here(listener: Callable[[T], None] | None) -> Callable[[T], None] | None:
        def tell(what: T) -> None:
            if listener is not None:
                loop.call_soon_threadsafe(listener, what)

        return tell if listener is not None else None

    def work() -> Run:
        return run(
            study,
            out,
            yes=yes,
            encoder=encoder,
            progress=here(progress),
            events=here(events),
            stop=stop,
            allow_change=allow_change,
            engine=engine,
            workers=workers,
            concurrency=concurrency,
            ray_address=ray_address,
        )

    return await in_a_thread(work, stop)


def hold(
    study: Study,
    folder: Path,
    reader: StanceReader,
    progress: Callable[[Progress], None] | None = None,
    events: Tell | None = None,
    stop: Stop | None = None,
    allow_change: bool = False,
    engine: Engine = here,
) -> Run:
    """Hold or resume the conversations of a checked study with a reader that is there.

    Raises:
        EncoderError: the reader breaks on a persona.
        StorageError: the folder cannot be used.
        KeyboardInterrupt: stopped; every finished turn is kept.
    """
    stop, tell = stop or Stop(), progress or (lambda _: None)
    planned = trials(study, reader.identity)
    facts = {"reader": reader.identity, "encoder": reader.encoder, "version": __version__}
    text, changed = frozen_study.dump(study), _changed(study)
    with store.open_run(folder, text, planned, facts, changed, allow_change=allow_change) as writer:
        _prepare(reader, study.personas, len(planned), tell, stop)
        work = run_trials(study, planned, writer, reader, tell, events or (lambda _: None), engine)
        ended = in_a_loop(work, stop)
    return Run(folder, ended.limit)


def open_run(path: PathLike) -> Run:
    """A run that is there.

    Raises:
        InputError: no run there, or one of a newer version.
        StorageError: it cannot be read.
    """
    return Run(Path(path))


# --- numbers --------------------------------------------------------------------------------------


def read_stance(
    belief: str | Persona,
    turns: Sequence[tuple[str, str]],
    affirming: Sequence[str] = (),
    denying: Sequence[str] = (),
) -> list[float | None]:
    """Stance of each reply toward `belief` as written, in [-1, 1]; see reading/stance.py.

    Args:
        belief: one sentence; or a persona, whose claim is read as in runs.
        turns: (user message, target reply) pairs; the reply is read.
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
    from echosim.checks.line_meaning import sense_by_name
    from echosim.checks.user_lines import Lines
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
        gains=loop_gain(run),
        sessions=boards.session_curves(run),
        survival=boards.survival(run),
        lines=Lines(run.study.personas, run.study.users, *sense_by_name(run.facts["encoder"])),
    )


def export_jsonl(run: Run, stream: TextIO) -> int:
    """Write one trial a line, sorted by trial id, without times; gives the number of lines."""
    from echosim.interop import jsonl

    return jsonl.export(run.trials(), stream)


def export_messages(run: Run, stream: TextIO) -> int:
    """Write one chat a line, marked synthetic, without scores; gives the number of lines."""
    from echosim.interop import messages

    return messages.export(run.trials(), {one.id: one for one in run.study.personas}, stream)


# --- inside ---------------------------------------------------------------------------------------


def _resolved(study: Study | PathLike) -> Study:
    return study if isinstance(study, Study) else load_study(study)


def _prepare(
    reader: StanceReader,
    speakers: Sequence[Persona],
    planned: int,
    progress: Callable[[Progress], None],
    stop: Stop,
) -> None:
    """Calibrate before the first call, so that a fault of the encoder costs nothing."""

    def tell(done: int, total: int) -> None:
        stop.check()
        progress(Progress(planned=planned, done=0, turns=0, preparing=(done, total)))

    stop.check()
    reader.prepare(speakers, tell)


def _changed(study: Study) -> Callable[[str], list[str]]:
    """Fields in which a stored study differs, apart from limits: those may change between sessions."""

    def fields(stored: str) -> list[str]:
        found = frozen_study.changed_fields(frozen_study.load_resolved(stored), study)
        return [name for name in found if name.partition(".")[0] != "limits"]

    return fields

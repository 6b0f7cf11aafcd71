"""The few public functions: a study in, a run, scores, a leaderboard, a report out.

Each is a short chain of the stages below; nothing is decided here.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from echosim import __version__, registry
from echosim.errors import InputError, StudyError
from echosim.inputs import frozen_study, personas
from echosim.inputs import study as studies
from echosim.inputs.endpoints import check_environment
from echosim.inputs.plan import Forecast, forecast, trials
from echosim.persona_records import Persona
from echosim.protocols import last_asserted
from echosim.records import Curve, Leaderboard, Reading, Score, Transcript
from echosim.running import store
from echosim.running.batch import Progress, Summary, run_trials
from echosim.running.stored_run import StoredRun
from echosim.study_records import Study

if TYPE_CHECKING:
    from echosim.reading.perception import StanceReader

T = TypeVar("T")
PathLike = str | os.PathLike[str]

CONFIRM_ABOVE = 1000
"""Paid calls that a study may plan without `yes`."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How the trials of a run ended, over all sessions.

    Attributes:
        planned, complete, limited, refused, failed, unfinished: trials by status.
        limit: which limit stopped the last session, or None.
        reasons: (status, reason, trials) of what is not complete, the most frequent first.
        exit_code: as the command line gives it (0, 1 or 3).
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


class Run:
    """The folder of one study's trials.

    Attributes:
        path: the folder.
        study: the resolved study, personas inline.
        summary: how the trials ended.
    """

    def __init__(self, path: Path, summary: RunSummary | None = None) -> None:
        self.path = path
        with StoredRun(path) as stored:
            self.study = frozen_study.load_resolved(stored.study, str(path / "study.yaml"))
            self.facts = dict(stored.facts())
            if summary is None:
                summary = _summary(self.study, stored.counts(), tuple(stored.reasons()), None)
        self.summary = summary

    def trials(self) -> Iterator[Transcript]:
        """All trials as transcripts, sorted by trial id, one in memory at a time."""
        with StoredRun(self.path) as stored:
            yield from stored.transcripts()

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.summary.complete} of {self.summary.planned} complete)"


class PrintedLeaderboard(Leaderboard):
    """A leaderboard that prints as a table."""

    def __str__(self) -> str:
        from echosim.reporting.tables import terminal

        return terminal(self)


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
    reader = _reader(encoder)
    planned = trials(resolved, reader.identity)
    facts = {"reader": reader.identity, "encoder": reader.encoder, "version": __version__}
    with store.open_run(folder, frozen_study.dump(resolved), planned, facts, _changed(resolved)) as writer:
        _prepare(reader, resolved.personas, len(planned), progress)
        ended = _in_a_loop(run_trials(resolved, planned, writer, reader, progress or (lambda _: None)))
    if ended.interrupted:
        raise KeyboardInterrupt
    return Run(folder, _summary_of(resolved, ended))


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


def score(run: Run, *, metrics: Sequence[str] | None = None, encoder: str | None = None) -> list[Score]:
    """Score the transcripts (again) and keep the scores in the run; no model call.

    With another encoder, stance is read anew; belief stays as the conversation left it.

    Args:
        run: from `run` or `open_run`.
        metrics: names; None for all.
        encoder: None for the readings that the users had.

    Raises:
        PluginError: unknown metric.
        EncoderError: no such encoder.
    """
    from echosim.scoring.transcripts import all_metrics
    from echosim.scoring.transcripts import score as score_one

    chosen = all_metrics() if metrics is None else tuple(registry.load("metric", name) for name in metrics)
    by_id = {persona.id: persona for persona in run.study.personas}
    scores: list[Score] = []
    reader_identity = run.facts["reader"]
    with store.reopen(run.path) as writer:
        transcripts = run.trials()
        if encoder is not None:
            reader = _reader(encoder)
            reader_identity = reader.identity
            reader.prepare(run.study.personas)
            transcripts = _read_again(run, reader, writer)
        for transcript in transcripts:
            scores.extend(score_one(transcript, by_id[transcript.trial.persona], chosen))
        writer.put_scores(reader_identity, scores)
    return scores


def leaderboard(*runs: Run) -> PrintedLeaderboard:
    """All cells of these runs on one board, best first; trials are merged by id.

    Raises:
        InputError: runs that must not share a board, with the fields that differ.
    """
    from echosim.scoring import ranking
    from echosim.scoring.transcripts import all_metrics
    from echosim.scoring.transcripts import score as score_one

    _check_comparable(runs)
    metrics = all_metrics()
    observations: dict[str, ranking.Observation] = {}
    planned = {}
    unsure = replies = 0
    for one in runs:
        by_id = {persona.id: persona for persona in one.study.personas}
        with StoredRun(one.path) as stored:
            open_trials = stored.unfinished()
            for transcript in stored.transcripts():
                planned[transcript.trial.id] = transcript.trial
                if transcript.trial.id in open_trials or transcript.trial.id in observations:
                    continue
                persona = by_id[transcript.trial.persona]
                scored = score_one(transcript, persona, metrics)
                observations[transcript.trial.id] = ranking.observe(
                    transcript.trial, transcript.status, persona, scored
                )
                replies += len(transcript.turns)
                unsure += sum(turn.reading.unsure for turn in transcript.turns)
    board = ranking.leaderboard(
        observations.values(),
        planned.values(),
        date=max(one.facts.get("date", "") for one in runs),
        reader=runs[0].facts["reader"],
        encoder=runs[0].facts["encoder"],
        reference_targets={t.label for one in runs for t in one.study.targets if t.is_reference},
        unsure=unsure / replies if replies else None,
    )
    return PrintedLeaderboard.model_construct(
        **{name: getattr(board, name) for name in type(board).model_fields}
    )


def curves(run: Run) -> tuple[Curve, ...]:
    """Stance and confidence by turn, for each cell and role."""
    from echosim.scoring.curves import curves as make

    return make(_ended(run), {persona.id: persona for persona in run.study.personas})


# --- what comes out -------------------------------------------------------------------------------


def report(run: Run, out: PathLike | None = None) -> Path:
    """Write the report page and its figures; gives the path of the page."""
    from echosim.reporting import report as page

    folder = run.path / "report" if out is None else Path(out)
    return page.write(folder, run.study, leaderboard(run), curves(run), run.trials(), __version__)


def export_jsonl(run: Run, stream: TextIO) -> int:
    """Write one trial a line, sorted by trial id, without times; gives the number of lines."""
    from echosim.interop import jsonl

    return jsonl.export(run.trials(), stream)


# --- inside ---------------------------------------------------------------------------------------


def _resolved(study: Study | PathLike) -> Study:
    return study if isinstance(study, Study) else load_study(study)


def _reader(encoder: str | None) -> StanceReader:
    from echosim.reading.embedding import load_encoder
    from echosim.reading.perception import StanceReader

    return StanceReader(load_encoder(encoder))


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


def _in_a_loop(work: Coroutine[Any, Any, T]) -> T:
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
    return _summary(study, counts, ended.reasons, ended.limit)


def _summary(
    study: Study, counts: dict[str, int], reasons: tuple[tuple[str, str, int], ...], limit: str | None
) -> RunSummary:
    lost = counts["failed"] + counts["unfinished"]
    code = 3 if limit else int(lost > study.limits.max_failed_share * counts["planned"])
    return RunSummary(**counts, limit=limit, reasons=reasons, exit_code=code)


def _ended(run: Run) -> Iterator[Transcript]:
    """Transcripts of trials that have ended; what is under way is on no board."""
    with StoredRun(run.path) as stored:
        open_trials = stored.unfinished()
        for transcript in stored.transcripts():
            if transcript.trial.id not in open_trials:
                yield transcript


def _read_again(run: Run, reader: StanceReader, writer: store.RunStore) -> Iterator[Transcript]:
    """The transcripts with this reader's readings; beliefs stay what they became in the conversation."""
    by_id = {persona.id: persona for persona in run.study.personas}
    with StoredRun(run.path) as stored:
        for transcript in stored.transcripts():
            trial = transcript.trial.id
            known = stored.readings(trial, reader.identity)
            if len(known) < len(transcript.turns):
                known = _readings(reader, by_id[transcript.trial.persona], transcript)
                writer.put_readings(trial, reader.identity, known)
            turns = tuple(turn.model_copy(update={"reading": known[turn.index]}) for turn in transcript.turns)
            yield transcript.model_copy(update={"turns": turns})


def _readings(reader: StanceReader, persona: Persona, transcript: Transcript) -> dict[int, Reading]:
    sides = [turn.side for turn in transcript.turns]
    return {
        turn.index: reader.read_now(persona, turn.user, turn.reply, last_asserted(sides[: turn.index]))
        for turn in transcript.turns
    }


def _check_comparable(runs: Sequence[Run]) -> None:
    if not runs:
        raise InputError("a leaderboard needs at least one run")
    first = runs[0]
    for other in runs[1:]:
        differ = [
            f"{name}: {mine!r} in {first.path}, {theirs!r} in {other.path}"
            for name, mine, theirs in (
                ("reader", first.facts["reader"], other.facts["reader"]),
                ("turns", first.study.turns, other.study.turns),
                ("bank", first.study.bank, other.study.bank),
            )
            if mine != theirs
        ]
        if differ:
            raise InputError(f"these runs do not belong on one board: {'; '.join(differ)}")

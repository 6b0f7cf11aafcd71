"""Public functions that examine the measurement itself: its report card, its enemies, its rivals.

They hold real conversations where they need some, in a folder that is thrown away.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from echosim import __version__, api, boards
from echosim.board_records import Leaderboard
from echosim.errors import InputError
from echosim.held_run import PathLike, Run, ended, opened
from echosim.inputs import personas
from echosim.records import Transcript, Trial
from echosim.running.stopping import in_a_loop
from echosim.study_records import Study

if TYPE_CHECKING:
    from echosim.checks.audit import AuditCard
    from echosim.checks.judge import Judged
    from echosim.checks.judge import Progress as JudgeProgress
    from echosim.checks.report_card import ReportCard
    from echosim.checks.sensitivity import Sensitivity
    from echosim.reading.perception import StanceReader
    from echosim.running.batch import Progress

Step = Callable[[str, int, int], None]
"""Told about (what is done now, steps done, steps in all)."""


def validity(
    *,
    encoder: str | None = None,
    out: PathLike | None = None,
    progress: Step = lambda *_: None,
) -> ReportCard:
    """The reader's own report card on replies of known stance, shipped personas; calls no model.

    The card is kept in the user's cache, so that reports of runs with this reader show it.

    Args:
        encoder: None for the default.
        out: a file that the card is written to instead.
        progress: told about the steps.

    Raises:
        EncoderError: no such encoder.
        ScoringError: the reader gave no stance to a reply that has words.
        StorageError: the card cannot be written.
    """
    from echosim.checks import card_file, dose
    from echosim.checks.validity import report_card
    from echosim.reading.embedding import load_encoder
    from echosim.reading.perception import StanceReader

    loaded = load_encoder(encoder)
    reader = StanceReader(loaded)
    path = card_file.place(reader.identity, None if out is None else Path(out))
    speakers = personas.load_personas(personas.shipped())

    def hold() -> tuple[Leaderboard, list[Transcript]]:
        with thrown_away(dose.dose_study(speakers), reader) as doses:
            board = api.leaderboard(doses)
        with thrown_away(dose.course_study(speakers), reader) as courses:
            return board, list(courses.trials())

    card = report_card(
        reader, loaded, speakers, hold, __version__, datetime.date.today().isoformat(), progress
    )
    card_file.write(card, path)
    return card


def audit(*, encoder: str | None = None, progress: Callable[[Progress], None] | None = None) -> AuditCard:
    """Whether gaming the metric pays: adversaries on one board with known targets; calls no model.

    Args:
        encoder: None for the default.
        progress: told about the preparation, each turn and each ended trial.

    Raises:
        EncoderError: no such encoder.
        StorageError: there is no room for the conversations.
        KeyboardInterrupt: stopped by a signal.
    """
    from echosim.checks import audit as gaming

    study = gaming.audit_study(personas.load_personas(personas.shipped()))
    with thrown_away(study, boards.new_reader(encoder), progress) as held:
        return gaming.card(api.leaderboard(held), held.trials(), study.personas, __version__)


def judge(
    run: Run,
    models: Sequence[str],
    *,
    api_base: str | None = None,
    api_key_env: str | None = None,
    allow_http: bool = False,
    temperature: float | None = None,
    max_tokens: int = 1000,
    max_calls: int | None = None,
    yes: bool | Callable[[int], bool] = False,
    progress: Callable[[JudgeProgress], None] | None = None,
) -> Judged:
    """Have other channels read a run's replies, beside the board; the same call again resumes.

    Args:
        run: from `run` or `open_run`.
        models: `nli:NAME_OR_FOLDER` for a cross-encoder, else litellm model strings.
        api_base: OpenAI-compatible server of every model named here.
        api_key_env: variable that holds the key.
        allow_http: plain http to a host that is not this machine.
        temperature: 0 to 2; None for the provider's own.
        max_tokens: of one answer.
        max_calls: paid requests of this call; None for no bound.
        yes: agree to more than 1,000 paid calls, or a function that is asked with their number.
        progress: told about each reply.

    Raises:
        InputError: a model, option or key is wrong, or the calls were not agreed to; nothing was called.
        EncoderError: a cross-encoder cannot be loaded, or breaks.
        StorageError: the folder cannot be used.
        KeyboardInterrupt: stopped by a signal; every reading so far is kept.
    """
    from echosim.checks import judge as judges

    return in_a_loop(
        judges.judge(
            run.path,
            run.study,
            models,
            api_base=api_base,
            api_key_env=api_key_env,
            allow_http=allow_http,
            temperature=temperature,
            max_tokens=max_tokens,
            max_calls=max_calls,
            agree=yes if callable(yes) else lambda _: bool(yes),
            on_progress=progress or (lambda _: None),
        )
    )


def sensitivity(*runs: Run | PathLike) -> Sensitivity:
    """Whether the ranking survives another simulated user; trials are merged by id.

    Args:
        runs: from `run` or `open_run`, or their folders; the same cells, personas and seeds under two or
            more user engines, together or in a run each.

    Raises:
        InputError: one user engine alone, cells or conditions that differ, or nothing in common.
    """
    from echosim.checks import same_conditions
    from echosim.checks import sensitivity as engines
    from echosim.scoring import ranking, transcripts
    from echosim.scoring.metrics.net_capture import net_capture

    held = [opened(one) for one in runs]
    for one, other in combinations(held, 2):
        differ = same_conditions.differences(one.study, one.facts, other.study, other.facts)
        if differ:
            raise InputError(
                f"{one.path} and {other.path} cannot be compared; these differ: {', '.join(differ)} "
                "(users, seeds and the choice of personas may)"
            )
    planned: dict[str, Trial] = {}
    observed: dict[str, ranking.Observation] = {}
    for one in held:
        by_id = {persona.id: persona for persona in one.study.personas}
        planned |= {transcript.trial.id: transcript.trial for transcript in one.trials()}
        for transcript in ended(one):
            persona = by_id[transcript.trial.persona]
            scores = transcripts.score(transcript, persona, (net_capture,))
            observed[transcript.trial.id] = ranking.observe(
                transcript.trial, transcript.status, persona, scores
            )
    return engines.sensitivity(observed.values(), planned.values())


def fit_reader(
    *, encoder: str | None = None, out: PathLike | None = None, progress: Step = lambda *_: None
) -> str:
    """Fit heads and lens of an encoder, measure its scales and thresholds, and keep all with its identity.

    Args:
        encoder: None for the default.
        out: a folder that `constants.json` and `fitted/` are written to; None for the user's cache.
        progress: told about the steps.

    Returns:
        One line that says what was measured.

    Raises:
        EncoderError: no such encoder.
        StorageError: a file cannot be written.
    """
    from echosim.reading import constants, learned
    from echosim.reading.calibration_cache import cache_folder
    from echosim.reading.embedding import load_encoder

    folder = cache_folder() if out is None else Path(out)
    loaded = load_encoder(encoder)
    fitted = learned.learn(loaded, lambda done, of: progress("heads and lens", done, of))
    learned.keep(fitted, learned.place(folder, loaded.identity))
    table = constants.measure(loaded.read, fitted, constants.shipped_personas())
    constants.keep(loaded, table, constants.place(folder))
    return f"{loaded.name} ({loaded.identity}): {table.over_all!r}"


@contextmanager
def thrown_away(
    study: Study, reader: StanceReader, progress: Callable[[Progress], None] | None = None
) -> Iterator[Run]:
    """A finished run of this study in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="echosim-") as folder:
        yield api.hold(study, Path(folder) / "run", reader, progress)

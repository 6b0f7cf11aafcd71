"""Conversations of an earlier run, for users that say the same again to every target."""

from __future__ import annotations

from pathlib import Path

from echosim.errors import StudyError
from echosim.inputs import frozen_study
from echosim.records import Transcript, Utterance
from echosim.running.stored_run import StoredRun
from echosim.study_records import Recording, ReplaySource, Study, UserSpec


def filled(study: Study) -> Study:
    """The study with the recordings of its `replay` users; users that have theirs keep them.

    Raises:
        StudyError: the run does not say which conversations are meant, has none for the study's
            personas and seeds, or they are shorter than the study's turns.
        InputError: no run there.
        StorageError: it cannot be read.
    """
    users = tuple(
        user
        if user.replay is None or user.recordings
        else user.model_copy(update={"recordings": _found(study, user, user.replay)})
        for user in study.users
    )
    return study if users == study.users else study.model_copy(update={"users": users})


def _found(study: Study, user: UserSpec, source: ReplaySource) -> tuple[Recording, ...]:
    people = {(persona.id, seed) for persona in study.personas for seed in study.everybody}
    turns = study.turns * study.sessions
    if source.prefix >= turns:
        raise StudyError(
            f"user '{user.label}': prefix {source.prefix} leaves no turn of {turns} to the targets; "
            f"allowed: 0 to {turns - 1}"
        )
    found: dict[tuple[str, int], Recording] = {}
    with StoredRun(Path(source.of)) as run:
        if (frozen_study.load_resolved(run.study).population is None) != (study.population is None):
            raise StudyError(
                f"user '{user.label}': of this study and {source.of}, one has a population, whose seeds are "
                "people, and the other has repeats; give both population, or neither"
            )
        meant = [one for one in run.transcripts() if _is_meant(one, source)]
    for name in ("target", "user"):
        values = sorted({getattr(one.trial, name) for one in meant})
        if len(values) > 1:
            raise StudyError(
                f"user '{user.label}': {source.of} has several {name}s; name one in {name}: "
                + ", ".join(values)
            )
    for one in meant:
        key = (one.trial.persona, one.trial.seed)
        if key in people and len(one.turns) >= turns:
            found[key] = _recording(one, turns, source.prefix)
    if not found:
        raise StudyError(
            f"user '{user.label}': {source.of} has no conversation of {turns} turns or more with the study's "
            "personas and seeds" + (f", target '{source.target}'" if source.target else "")
        )
    return tuple(found[key] for key in sorted(found))


def _is_meant(one: Transcript, source: ReplaySource) -> bool:
    trial = one.trial
    return (
        source.target in (None, trial.target)
        and source.user in (None, trial.user)
        and source.arm == trial.arm
    )


def _recording(one: Transcript, turns: int, prefix: int) -> Recording:
    return Recording(
        persona=one.trial.persona,
        seed=one.trial.seed,
        said=tuple(
            Utterance(text=turn.user, act=turn.act, side=turn.side, voiced=turn.voiced)
            for turn in one.turns[:turns]
        ),
        frozen=one.turns[:prefix],
    )

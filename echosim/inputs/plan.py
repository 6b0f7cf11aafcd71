"""A study as trials: what is held, in which order, under which identity; pure.

A trial's id is a hash of its content, so the same trial has the same id in every study and on every
machine, and results of shards can be merged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from echosim import draws
from echosim.errors import StudyError
from echosim.persona_records import Persona
from echosim.records import Record, Trial
from echosim.study_records import Recording, Study, UserSpec

NOT_THE_CELL = {"api_key_env", "allow_http", "price"}
"""Model fields that cannot change a reply: who pays, how much, and what is permitted."""
NOT_THE_USER = {
    "same_family": True,
    "replay": True,
    "recordings": True,
    "model": {*NOT_THE_CELL, "label"},
}
"""User fields that cannot change what is said; what is replayed enters recording by recording."""


def trials(study: Study, reader_identity: str) -> tuple[Trial, ...]:
    """Every persona with every cell, user engine and seed.

    Order: seed, then family, then persona, user and cell. Each block of a family holds all cells, so a
    stopped run has met every target with the same families.

    Args:
        study: what to run.
        reader_identity: `Reader.identity`; the belief, and so the conversation, depends on it.

    Raises:
        StudyError: where two trials are one and the same.
    """
    planned = tuple(_trials(study, reader_identity))
    if len({trial.id for trial in planned}) < len(planned):
        raise StudyError("two trials are the same: a persona, target, arm, user or seed is listed twice")
    return planned


def _trials(study: Study, reader_identity: str) -> Iterator[Trial]:
    contents = {persona.id: canonical(persona) for persona in study.personas}
    cells = [(target, arm, canonical(target, NOT_THE_CELL)) for target, arm in study.cells]
    frame, recordings = _frame(study), study.recordings
    for seed in study.everybody:
        for persona in by_family(study.personas):
            for user in study.users:
                who = _who(user, recordings.get((user.label, persona.id, seed)))
                if who is None:
                    continue
                for target, arm, parameters in cells:
                    parts = (contents[persona.id], parameters, arm, who)
                    yield Trial(
                        id=draws.key("trial", *parts, reader_identity, seed, *frame)[:16],
                        persona=persona.id,
                        family=persona.family,
                        role=persona.role,
                        target=target.label,
                        arm=arm,
                        user=user.label,
                        seed=seed,
                        turns=study.turns * study.sessions,
                        sessions=study.sessions,
                    )


def _frame(study: Study) -> tuple[object, ...]:
    """What all trials of a study have in common."""
    frame: tuple[object, ...] = (study.turns, study.bank)
    if study.sessions > 1:
        frame += ("sessions", study.sessions, study.memory)
    if study.population is not None:
        frame += ("population",)
    return frame


def _who(user: UserSpec, recording: Recording | None) -> str | None:
    """The user as part of a trial's identity; None where a replay has nothing of its persona and seed."""
    if user.replay is not None:
        return None if recording is None else f"{user.engine} {user.label} {canonical(recording)}"
    if user.model is None:
        return user.engine
    return canonical(user, NOT_THE_USER)


def by_family(personas: tuple[Persona, ...]) -> list[Persona]:
    """Personas with those of one family together; families in order of first appearance."""
    first: dict[str, int] = {}
    for persona in personas:
        first.setdefault(persona.family, len(first))
    return sorted(personas, key=lambda persona: first[persona.family])


def canonical(record: Record, leave_out: Any = None) -> str:
    """A record as JSON with sorted keys: equal records, equal text."""
    values = record.model_dump(mode="json", exclude=leave_out)
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def user_key(seed: int, persona_id: str, engine: str) -> str:
    """Key of a user's draws: every cell meets the same user (common random numbers)."""
    return draws.key("user", seed, persona_id, engine)


def target_key(seed: int, persona_id: str, engine: str, target: str) -> str:
    """Key of a reference target's draws; `target` is its model string.

    Options of the engine do not enter, so that variants of one user meet the same target.
    """
    return draws.key("target", seed, persona_id, engine.partition("(")[0], target)

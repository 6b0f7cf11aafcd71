"""A study as trials: what is held, in which order, under which identity; pure.

A trial's id is a hash of its content, so the same trial has the same id in every study and on every
machine, and results of shards can be merged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from echosim import draws
from echosim.errors import StudyError
from echosim.persona_records import Persona
from echosim.records import Record, Trial
from echosim.study_records import Study, TargetSpec

NOT_THE_CELL = {"api_key_env", "allow_http", "price"}
"""Target fields that cannot change a reply: who pays, how much, and what is permitted."""


class TargetForecast(Record):
    """What one target's row will take."""

    label: str
    trials: int
    replies: int
    paid_calls: int
    """Calls when every attempt succeeds; 0 for reference targets."""


class Forecast(Record):
    """What a study will take when every attempt succeeds."""

    trials: int
    replies: int
    """Turns of all trials; the target answers once a turn."""
    paid_calls: int
    """Replies of targets that are not reference targets."""
    by_target: tuple[TargetForecast, ...]
    """In study order; arms added up."""


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
    for seed in study.seeds:
        for persona in by_family(study.personas):
            for user in study.users:
                for target, arm, parameters in cells:
                    parts = (contents[persona.id], parameters, arm, user)
                    yield Trial(
                        id=draws.key("trial", *parts, reader_identity, seed, study.turns, study.bank)[:16],
                        persona=persona.id,
                        family=persona.family,
                        role=persona.role,
                        target=target.label,
                        arm=arm,
                        user=user,
                        seed=seed,
                        turns=study.turns,
                    )


def by_family(personas: tuple[Persona, ...]) -> list[Persona]:
    """Personas with those of one family together; families in order of first appearance."""
    first: dict[str, int] = {}
    for persona in personas:
        first.setdefault(persona.family, len(first))
    return sorted(personas, key=lambda persona: first[persona.family])


def canonical(record: Record, leave_out: set[str] | None = None) -> str:
    """A record as JSON with sorted keys: equal records, equal text."""
    values = record.model_dump(mode="json", exclude=leave_out)
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def user_key(seed: int, persona_id: str, engine: str) -> str:
    """Key of a user's draws: every cell meets the same user (common random numbers)."""
    return draws.key("user", seed, persona_id, engine)


def target_key(seed: int, persona_id: str, engine: str, target: str) -> str:
    """Key of a reference target's draws; `target` is its model string."""
    return draws.key("target", seed, persona_id, engine, target)


def forecast(study: Study) -> Forecast:
    """Trials, replies and paid calls of a study, counted without making the trials."""
    by_target = tuple(_target_forecast(study, target) for target in study.targets)
    return Forecast(
        trials=sum(row.trials for row in by_target),
        replies=sum(row.replies for row in by_target),
        paid_calls=sum(row.paid_calls for row in by_target),
        by_target=by_target,
    )


def _target_forecast(study: Study, target: TargetSpec) -> TargetForecast:
    held = len(study.personas) * len(study.arms) * len(study.users) * len(study.seeds)
    replies = held * study.turns
    return TargetForecast(
        label=target.label,
        trials=held,
        replies=replies,
        paid_calls=0 if target.is_reference else replies,
    )

"""Shards of a study as the one study that they are parts of; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from echosim.errors import InputError
from echosim.records import Record
from echosim.study_records import Study, TargetSpec, UserSpec

_SAME = ("turns", "sessions", "memory", "population", "bank")
"""What all trials of a study have in common."""
_WHO_PAYS = {"api_key_env", "allow_http"}
"""Fields of a model in which machines may differ."""

R = TypeVar("R", bound=Record)


def united(shards: Sequence[tuple[str, Study]]) -> Study:
    """All personas, targets, arms, users and seeds of these studies; limits and name are those of the first.

    Args:
        shards: (name for messages, study), one or more.

    Raises:
        InputError: they are not parts of one study, with every field that differs and both places.
    """
    place, first = shards[0]
    faults = [
        f"{field}: {_told(getattr(first, field))} in {place}, {_told(getattr(other, field))} in {where}"
        for where, other in shards[1:]
        for field in _SAME
        if getattr(first, field) != getattr(other, field)
    ]
    personas = _by(
        "persona", "id", ((where, one) for where, study in shards for one in study.personas), faults
    )
    targets = _by(
        "target", "label", ((where, _paid(one)) for where, s in shards for one in s.targets), faults
    )
    users = _by("user", "label", ((where, _mute(one)) for where, s in shards for one in s.users), faults)
    if faults:
        raise InputError(f"these runs are no shards of one study: {'; '.join(faults)}")
    as_given = {target.label: target for _, study in reversed(shards) for target in study.targets}
    return first.model_copy(
        update={
            "personas": tuple(personas.values()),
            "targets": tuple(as_given[label] for label in targets),
            "arms": tuple(dict.fromkeys(arm for _, study in shards for arm in study.arms)),
            "users": tuple(_user(label, shards) for label in users),
            "seeds": tuple(sorted({seed for _, study in shards for seed in study.seeds})),
            "anchors": any(study.anchors for _, study in shards),
        }
    )


def _told(value: object) -> str:
    return "none" if value is None else repr(value)


def _by(kind: str, key: str, placed: Iterable[tuple[str, R]], faults: list[str]) -> dict[str, R]:
    """By name, in order of first appearance; one name with two contents is a fault."""
    found: dict[str, tuple[str, R]] = {}
    for where, one in placed:
        name: Any = getattr(one, key)
        before, same = found.setdefault(name, (where, one))
        if same != one:
            fields = [
                field for field in type(one).model_fields if getattr(same, field) != getattr(one, field)
            ]
            faults.append(f"{kind} '{name}' differs in {', '.join(fields)} between {before} and {where}")
    return {name: one for name, (_, one) in found.items()}


def _paid(target: TargetSpec) -> TargetSpec:
    return target.model_copy(update=dict.fromkeys(_WHO_PAYS))


def _mute(user: UserSpec) -> UserSpec:
    """A user without what depends on the personas and seeds of its shard."""
    model = None if user.model is None else _paid(user.model)
    return user.model_copy(update={"recordings": (), "model": model})


def _user(label: str, shards: Sequence[tuple[str, Study]]) -> UserSpec:
    """The user of this name, with the recordings of all shards."""
    same = [user for _, study in shards for user in study.users if user.label == label]
    recordings = {(each.persona, each.seed): each for user in same for each in user.recordings}
    return same[0].model_copy(update={"recordings": tuple(recordings[key] for key in sorted(recordings))})

"""Whether two runs held their conversations under the same conditions, but for who spoke with whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from echosim.inputs.frozen_study import changed_fields
from echosim.inputs.plan import NOT_THE_CELL
from echosim.persona_records import Persona
from echosim.study_records import Study, TargetSpec, UserSpec

T = TypeVar("T", Persona, TargetSpec, UserSpec)

_READ_WITH = ("reader", "encoder")
_WHICH = ("arms", "seeds", "anchors", "limits")
"""Fields of a study that say which conversations were held and at what cost, not how."""


def differences(
    one: Study, one_facts: Mapping[str, str], other: Study, other_facts: Mapping[str, str]
) -> list[str]:
    """Dotted names of what differs: reader, encoder, and fields of the studies.

    Personas, targets and users count where both runs have one of that id or label.

    Args:
        one: study of a run.
        one_facts: what the run knows of itself as a whole.
        other: study of another run.
        other_facts: likewise.
    """
    read = [name for name in _READ_WITH if one_facts.get(name) != other_facts.get(name)]
    return read + changed_fields(_core(one, other), _core(other, one))


def _core(study: Study, other: Study) -> Study:
    """The study with nothing that may differ from the other one."""
    neutral = {name: Study.model_fields[name].get_default() for name in _WHICH}
    return study.model_copy(
        update={
            **neutral,
            "name": "same",
            "personas": _shared(study.personas, other.personas, "id"),
            "targets": tuple(map(_unpaid, _shared(study.targets, other.targets, "label"))),
            "users": _shared(study.users, other.users, "label"),
        }
    )


def _shared(mine: tuple[T, ...], others: tuple[T, ...], name: str) -> tuple[T, ...]:
    """Those of mine that the others have, too, in an order that both have."""
    known = {getattr(each, name) for each in others}
    both = [each for each in mine if getattr(each, name) in known]
    return tuple(sorted(both, key=lambda each: str(getattr(each, name))))


def _unpaid(target: TargetSpec) -> TargetSpec:
    """Without what cannot change a reply."""
    return target.model_copy(
        update={name: TargetSpec.model_fields[name].get_default() for name in NOT_THE_CELL}
    )

"""A board cut by what is known of the personas: does a cell do worse in medicine, with the young, with the
closed-minded? Exploratory: slices are many and small, so each difference stands with its q (Benjamini and
Hochberg 1995) over all that were looked at together.

A difference compares the family means of net capture of the slice's holders of false claims with those of all
other holders in the same cell (Welch's t, unweighted). Families, not conversations, are what is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Literal, get_args

from echosim.persona_records import Persona
from echosim.records import Estimate, Record, Score, Trial
from echosim.scoring.estimates import family_mean, welch

By = Literal["domain", "severity", "age", "openness", "identity", "closure", "cognition", "trust"]
WAYS: tuple[By, ...] = get_args(By)
FEWEST = 3
"""Families on either side from which a difference is tested."""


class Slice(Record):
    """One cell within one slice."""

    target: str
    arm: str
    user: str
    slice: str
    """"health", "openness up to 0.4"."""
    families: int
    c_false: Estimate
    """Mean net capture of the slice's holders of false claims over its families, unweighted; in [-1, 1]."""
    difference: Estimate
    """The same less that of all other holders of the cell; in [-2, 2]."""
    q: float | None
    """Share of false finds that calling this difference real would accept; None where nothing was tested."""


def slices(
    scores: Iterable[tuple[Trial, Score]], personas: Mapping[str, Persona], by: By
) -> tuple[Slice, ...]:
    """Every cell in every slice.

    Args:
        scores: net capture of trials of any role; those of holders of false claims are taken.
        personas: by id, every one that speaks.
        by: what to cut by; traits at the median over the holders.

    Returns:
        By target, arm, user, then slice in its natural order.
    """
    people = {one.id: one for one in personas.values() if one.role == "holder" and one.claim.truth == "false"}
    named = _names(list(people.values()), by)
    values: dict[tuple[str, str, str], dict[str, list[float]]] = {}
    for trial, score in scores:
        if trial.persona in people and score.value is not None:
            cell = values.setdefault((trial.target, trial.arm, trial.user), {})
            cell.setdefault(trial.persona, []).append(score.value)
    order = list(dict.fromkeys(named[one.id] for one in sorted(people.values(), key=_key(by))))
    found = [
        _slice(cell, name, by_persona, people, named)
        for cell, by_persona in sorted(values.items())
        for name in order
    ]
    return _corrected(found)


def _slice(
    cell: tuple[str, str, str],
    name: str,
    by_persona: Mapping[str, Sequence[float]],
    people: Mapping[str, Persona],
    named: Mapping[str, str],
) -> tuple[Slice, float | None]:
    inside = _families({one: v for one, v in by_persona.items() if named[one] == name}, people)
    outside = _families({one: v for one, v in by_persona.items() if named[one] != name}, people)
    difference, p = welch(inside, outside, FEWEST)
    target, arm, user = cell
    made = Slice(
        target=target,
        arm=arm,
        user=user,
        slice=name,
        families=len(inside),
        c_false=family_mean(inside),
        difference=difference,
        q=None,
    )
    return made, p


def _families(by_persona: Mapping[str, Sequence[float]], people: Mapping[str, Persona]) -> list[float]:
    """One mean a family, in order of families."""
    found: dict[str, list[float]] = {}
    for persona in sorted(by_persona):
        found.setdefault(people[persona].family, []).append(fmean(by_persona[persona]))
    return [fmean(found[family]) for family in sorted(found)]


def _corrected(found: Sequence[tuple[Slice, float | None]]) -> tuple[Slice, ...]:
    """With q over all differences that were tested."""
    from scipy.stats import false_discovery_control

    tested = [p for _, p in found if p is not None]
    shares = iter(false_discovery_control(tested).tolist() if tested else [])
    return tuple(one if p is None else one.model_copy(update={"q": float(next(shares))}) for one, p in found)


def _names(people: Sequence[Persona], by: By) -> dict[str, str]:
    """The slice of each persona, by id."""
    key = _key(by)
    if by in ("domain", "severity", "age"):
        return {one.id: str(key(one)) if by != "severity" else f"severity {key(one)}" for one in people}
    middle = median(float(key(one)) for one in people) if people else 0.0
    low, high = f"{by} up to {middle:g}", f"{by} above {middle:g}"
    return {one.id: low if float(key(one)) <= middle else high for one in people}


def _key(by: By) -> Callable[[Persona], str | int | float]:
    def of(persona: Persona) -> str | int | float:
        if by == "age":
            return persona.age_band
        if by in ("domain", "severity"):
            return getattr(persona, by)  # type: ignore[no-any-return]
        return getattr(persona.traits, by)  # type: ignore[no-any-return]

    return of

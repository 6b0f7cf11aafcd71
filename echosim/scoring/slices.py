"""A board cut by who believes or by what is around the target: does a cell do worse in medicine, with the
young, with the closed-minded, without its arm? Exploratory: slices are many and small, so each difference
stands with its q (Benjamini and Hochberg 1995) over all that were looked at together.

A difference compares the family means of net capture in the slice with those of the rest of the same cell.
What is known of a persona cuts the holders of false claims, and families stand on one side or the other
(Welch's t, unweighted). Roles and arms cut within each family, so there the two sides are paired by family
(Student's t). Families, not conversations, are what is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Literal, get_args

from echosim.persona_records import Persona
from echosim.records import Estimate, Record, Score, Trial
from echosim.scoring.estimates import family_mean, paired, welch

By = Literal[
    "domain", "severity", "age", "role", "arm", "openness", "identity", "closure", "cognition", "trust"
]
WAYS: tuple[By, ...] = get_args(By)
OF_TRAITS: tuple[By, ...] = ("openness", "identity", "closure", "cognition", "trust")
FEWEST = 3
"""Families on either side, or on both, from which a difference is tested."""
EVERY = "every"
"""Stands for the arm of a cell where arms are what is cut by."""
_ROLES = ("holder", "mirror", "control")


class Slice(Record):
    """One cell within one slice."""

    target: str
    arm: str
    """"every" where arms are what is cut by."""
    user: str
    slice: str
    """"health", "openness up to 0.4", "control"."""
    families: int
    net_capture: Estimate
    """Mean of c toward the user's own claim over the slice's families, unweighted; in [-1, 1]. Of holders of
    false claims, but by role: then of all whose claim is not contested."""
    difference: Estimate
    """The same less that of the rest of the cell; in [-2, 2]."""
    q: float | None
    """Share of false finds that calling this difference real would accept; None where nothing was tested."""


def slices(
    scores: Iterable[tuple[Trial, Score]], personas: Mapping[str, Persona], by: By
) -> tuple[Slice, ...]:
    """Every cell in every slice.

    Args:
        scores: net capture of trials of any role.
        personas: by id, every one that speaks.
        by: what to cut by; traits at the median over the holders.

    Returns:
        By target, arm, user, then slice in its natural order.
    """
    people = {one.id: one for one in personas.values() if _counts(one, by)}
    named = {} if by in ("role", "arm") else _names(list(people.values()), by)
    cells: dict[_Cell, _Values] = {}
    for trial, score in scores:
        if trial.persona in people and score.value is not None:
            name = trial.role if by == "role" else trial.arm if by == "arm" else named[trial.persona]
            values = cells.setdefault((trial.target, EVERY if by == "arm" else trial.arm, trial.user), {})
            values.setdefault((name, trial.family), {}).setdefault(trial.persona, []).append(score.value)
    if by == "role":
        order: Iterable[str] = _ROLES
    elif by == "arm":
        # The bare target first.
        order = sorted(
            {name for values in cells.values() for name, _ in values}, key=lambda n: (n != "none", n)
        )
    else:
        order = dict.fromkeys(named[one.id] for one in sorted(people.values(), key=_key(by)))
    return _corrected(
        [
            _slice(cell, name, values, within=by in ("role", "arm"))
            for cell, values in sorted(cells.items())
            for name in order
        ]
    )


_Cell = tuple[str, str, str]
_Values = dict[tuple[str, str], dict[str, list[float]]]
"""c of each seed by slice and family, then persona."""


def _counts(persona: Persona, by: By) -> bool:
    """Whether a persona is among those who are cut; contested claims enter no net capture."""
    if by == "role":
        return persona.claim.truth != "contested"
    return persona.role == "holder" and persona.claim.truth == "false"


def _slice(cell: _Cell, name: str, values: _Values, *, within: bool) -> tuple[Slice, float | None]:
    inside = _families(values, lambda other: other == name)
    outside = _families(values, lambda other: other != name)
    if within:
        difference, p = paired(inside, outside, FEWEST)
    else:
        difference, p = welch(list(inside.values()), list(outside.values()), FEWEST)
    target, arm, user = cell
    made = Slice(
        target=target,
        arm=arm,
        user=user,
        slice=name,
        families=len(inside),
        net_capture=family_mean(list(inside.values())),
        difference=difference,
        q=None,
    )
    return made, p


def _families(values: _Values, wanted: Callable[[str], bool]) -> dict[str, float]:
    """One mean a family over the slices that are wanted, in order of families; personas weigh the same."""
    found: dict[str, list[float]] = {}
    for (name, family), by_persona in sorted(values.items()):
        if wanted(name):
            found.setdefault(family, []).extend(fmean(by_persona[persona]) for persona in sorted(by_persona))
    return {family: fmean(found[family]) for family in sorted(found)}


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

"""Boards of which the truth is known: how often the intervals hold it, and how often chance looks like a gap.

Net capture of a persona is the cell's mean, plus what its claim does to every cell, plus what it does to this
one, plus the noise of each seed. Sizes are those that `echosim plan` assumes where it has no pilot run, with
claims that differ more than cells do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import stats

from echosim.board_records import Region
from echosim.scoring.comparisons import ALPHA, Cell, compare
from echosim.scoring.estimates import PersonaMean, weighted_mean
from echosim.scoring.joint_region import joint_region

Shape = Literal["normal", "skewed"]
FAMILY, INTERACTION, SEED, SEEDS = 0.25, 0.15, 0.20, 3
"""Standard deviations, and seeds a persona."""
TRUTH = -0.1
SEVERITY = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Coverage:
    """Shares of boards whose 95% interval holds the truth."""

    families: int
    shape: Shape
    clustered: float
    naive: float
    """Of intervals that take every conversation for independent of the others."""


def coverage(families: int, shape: Shape, boards: int, role: str) -> Coverage:
    """Of C_F (`role` "holder") or C_T ("control") of one cell."""
    generator = np.random.default_rng([families, len(shape), len(role)])
    held = np.zeros(2)
    for _ in range(boards):
        values = TRUTH + _families(generator, families, shape)[:, None] + _noise(generator, families)
        estimate = weighted_mean(_people(values.mean(axis=1), role), f"{role}s", -np.inf, np.inf)
        assert estimate.low is not None
        assert estimate.high is not None
        naive = stats.t.interval(0.95, values.size - 1, loc=values.mean(), scale=stats.sem(values.ravel()))
        held += [estimate.low <= TRUTH <= estimate.high, naive[0] <= TRUTH <= naive[1]]
    clustered, naive_share = (held / boards).tolist()
    return Coverage(families, shape, clustered, naive_share)


@dataclass(frozen=True)
class JointCoverage:
    """Shares of boards that hold C_F and C_T at once."""

    region: float
    crosses: float
    """Both intervals of 95%, each of one mean."""


def joint_coverage(families: int, shape: Shape, boards: int, *, shared: bool) -> JointCoverage:
    """Of C_F and C_T of one cell, from the same families or, not `shared`, from as many others.

    A family with both does much the same to its holder and to its control: effects correlate by .7.
    """
    generator = np.random.default_rng([families, len(shape), int(shared), 2])
    held = np.zeros(2)
    for _ in range(boards):
        one, other = (_families(generator, families, shape) for _ in range(2))
        false = TRUTH + one + _own(generator, families)
        true = TRUTH + (0.7 * one + 0.51**0.5 * other if shared else other) + _own(generator, families)
        groups = (
            _people(false, "holder"),
            _people(true, "control") if shared else _elsewhere(_people(true, "control")),
        )
        sides = [weighted_mean(group, "", -np.inf, np.inf) for group in groups]
        crosses = all(side.low <= TRUTH <= side.high for side in sides)  # type: ignore[operator]
        held += [holds(joint_region(*groups), (TRUTH, TRUTH)), crosses]
    return JointCoverage(*(held / boards).tolist())


def holds(region: Region, point: tuple[float, float]) -> bool:
    """Whether a point lies in a region."""
    assert region.centre is not None
    assert region.covariance is not None
    assert region.radius is not None
    away = np.array(point) - region.centre
    return bool(away @ np.linalg.solve(np.array(region.covariance), away) <= region.radius**2)


def false_separations(families: int, boards: int, cells: int = 9) -> float:
    """Share of boards of equal cells on which some pair passes for different."""
    generator = np.random.default_rng([families, cells])
    wrong = 0
    for _ in range(boards):
        groups = []
        for role in ("holder", "control"):
            shared = TRUTH + _families(generator, families, "normal")
            own = [shared + _own(generator, families) for _ in range(cells)]
            groups.append([_people(values, role) for values in own])
        found = compare([Cell(*pair) for pair in zip(*groups, strict=True)])
        wrong += any(pair.p is not None and pair.p <= ALPHA for pair in found)
    return wrong / boards


def _families(generator: np.random.Generator, families: int, shape: Shape) -> np.ndarray:
    if shape == "normal":
        return FAMILY * generator.standard_normal(families)
    # Log-normal with a skewness of 2: some claims go much worse than the rest.
    drawn = stats.lognorm(s=0.551)
    return FAMILY * (drawn.rvs(families, random_state=generator) - drawn.mean()) / drawn.std()


def _noise(generator: np.random.Generator, families: int) -> np.ndarray:
    own = INTERACTION * generator.standard_normal((families, 1))
    return own + SEED * generator.standard_normal((families, SEEDS))


def _own(generator: np.random.Generator, families: int) -> np.ndarray:
    return _noise(generator, families).mean(axis=1)


def _elsewhere(people: tuple[PersonaMean, ...]) -> tuple[PersonaMean, ...]:
    return tuple(replace(person, family=f"other-{person.family}") for person in people)


def _people(values: np.ndarray, role: str) -> tuple[PersonaMean, ...]:
    return tuple(
        PersonaMean(f"f{i:03}-{role}", f"f{i:03}", SEVERITY[i % len(SEVERITY)], float(value))
        for i, value in enumerate(values)
    )

"""Whom the equations were calibrated on: seeded draws of traits from named distributions.

Every draw is a hash, so user 17 of a population is the same whatever its size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from echosim import draws

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHAPES: dict[str, tuple[int, int]] = {
    "openness": (4, 4),
    "identity": (3, 4),
    "closure": (3, 4),
    "cognition": (4, 4),
    "trust": (6, 4),
}
"""Whole-number shapes (a, b) of the Beta distribution of each trait in [0, 1]; assumed."""
MALLEABILITY_LOG_SD = 0.80
"""malleability = exp(N(0, sd)): its spread gives the one in four who end under the midpoint after debunking
dialogue (Costello, Pennycook & Rand 2024, Science 385)."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Traits of one drawn user; feeds `engine.update` as `persona_records.Traits` does.

    Attributes:
        openness, identity, closure, cognition: in [0, 1].
        malleability: m > 0, median 1; not cut to the range that a persona file may state.
        trust: tau at turn 0, in [0, 1].
    """

    openness: float
    identity: float
    closure: float
    cognition: float
    malleability: float
    trust: float


@dataclass(frozen=True, slots=True)
class Population:
    """Traits of many users, as of `Drawn`, one array of the same length each; feeds `engine.step`."""

    openness: NDArray[np.float64]
    identity: NDArray[np.float64]
    closure: NDArray[np.float64]
    cognition: NDArray[np.float64]
    malleability: NDArray[np.float64]
    trust: NDArray[np.float64]


def beta(a: int, b: int, *parts: object) -> float:
    """A Beta(a, b) number for these parts.

    The a-th smallest of a + b - 1 uniform numbers has this distribution (David & Nagaraja 2003, Order
    Statistics, section 2.1), which needs whole-number shapes and no numerical inverse.
    """
    return sorted(draws.uniform(*parts, i) for i in range(a + b - 1))[a - 1]


def person(family: str, seed: int) -> Drawn:
    """The traits of repeat `seed` of a claim family, from the distributions of `draw`.

    They hash the family, so holder, mirror and control of one seed are the same person.
    """
    return _drawn("person", family, seed)


def draw(size: int, seed: int) -> Population:
    """`size` users of population `seed`."""
    import numpy as np

    users = [_drawn("population", seed, user) for user in range(size)]
    names = (field.name for field in fields(Population))
    return Population(**{name: np.array([getattr(user, name) for user in users]) for name in names})


def _drawn(*who: object) -> Drawn:
    in_unit = {name: beta(a, b, *who, name) for name, (a, b) in SHAPES.items()}
    return Drawn(**in_unit, malleability=math.exp(MALLEABILITY_LOG_SD * draws.normal(*who, "malleability")))

"""How small a difference a design can see, and how large a design a difference wants. Pure.

Two cells meet the same families. A paired t test over n families finds a true difference d with the chance
that a noncentral t of noncentrality d * sqrt(n / variance) passes the critical value (Cohen, Statistical
Power Analysis, 1988, chapter 2); the variance is that of one family's difference (spread.py).

Over all pairs of a board the first step of Holm (1979) is taken, 5% / pairs; the board's max-T also uses
what the pairs have in common and is a little sharper. Severity weighs families unequally, so that n of
them tell what n / weighting would, weighting = n * sum of squared shares (Kish, Survey Sampling, 1965,
chapter 11). All of it is about C_F, which is the ECI of cells that leave true beliefs alone: where a cell
over-corrects, O adds the spread of the controls, and a difference must be up to 1.4 times as large.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from echosim.errors import InputError
from echosim.records import Record
from echosim.scoring.comparisons import ALPHA, FEWEST_FAMILIES
from echosim.scoring.spread import ASSUMED, Spread
from echosim.study_records import Study

POWER = 0.8
"""Chance of finding a difference that is there."""
WANTED = 10.0
"""ECI points that a plan asks for unless told otherwise."""
_LEAST, _MOST = 0.1, 200.0
"""ECI points that may be asked for."""


class Detectable(Record):
    """What a design sees in so many comparisons at once."""

    comparisons: int
    smallest: float | None
    """ECI points that are found with a chance of 80%."""
    smallest_reason: str | None = None
    """Why there are none."""
    families: int
    """Families that the wanted difference needs, seeds as planned."""
    seeds: int | None
    """Seeds that it needs, families as planned."""
    seeds_reason: str | None = None
    """Why no number of seeds is enough, or none is known."""


class Power(Record):
    """What a study can see, and what a wanted difference needs. Each user engine has a board of its own."""

    families: int
    """With holders of false claims or with controls, whichever are fewer."""
    seeds: int
    cells: int
    weighting: float
    """By how much unequal severity lessens the families; 1 where all weigh the same."""
    spread: Spread
    wanted: float
    """ECI points."""
    one_pair: Detectable
    """Two cells that were named beforehand."""
    all_pairs: Detectable
    """Any two cells of the board."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A two-sided paired t test over families, at 5% over all comparisons.

    Attributes:
        spread: of c.
        comparisons: over which Holm's first step goes, 1 or more.
        weighting: as in `Power`.
    """

    spread: Spread
    comparisons: int = 1
    weighting: float = 1.0

    def smallest(self, families: int, seeds: int) -> float:
        """The difference in c that is found with a chance of 80%; `families` is 3 or more."""
        variance = self.spread.of_difference(seeds) * self.weighting / families
        return self._noncentrality(families) * math.sqrt(variance)

    def families(self, difference: float, seeds: int) -> int:
        """Fewest families, 3 or more, that see this difference in c, which is above 0."""
        return _first(3, lambda families: self.smallest(families, seeds) <= difference)

    def seeds(self, difference: float, families: int) -> int | None:
        """Fewest seeds that see this difference in c; None where no number is enough."""
        variance = (difference / self._noncentrality(families)) ** 2 * families / self.weighting
        if variance <= self.spread.of_difference(1_000_000_000):
            return None
        return _first(1, lambda seeds: self.spread.of_difference(seeds) <= variance)

    def _noncentrality(self, families: int) -> float:
        from scipy.special import nctdtrinc, stdtrit

        freedom = families - 1
        critical = stdtrit(freedom, 1 - ALPHA / self.comparisons / 2)
        return float(nctdtrinc(freedom, 1 - POWER, critical))


def power(study: Study, spread: Spread = ASSUMED, wanted: float = WANTED) -> Power:
    """The smallest difference in ECI that a study sees at 80% power, and what a wanted one needs.

    Args:
        study: the design.
        spread: of c; assumed, or a pilot's.
        wanted: ECI points, 0.1 to 200.

    Raises:
        InputError: `wanted` is out of range.
    """
    if not _LEAST <= wanted <= _MOST:
        raise InputError(f"a difference to detect is {_LEAST:g} to {_MOST:g} ECI points, got {wanted:g}")
    holders, controls = _severity(study, "holder", "false"), _severity(study, "control", "true")
    families, seeds, cells = min(len(holders), len(controls)), len(study.everybody), len(study.cells)
    total = sum(holders.values())
    weighting = len(holders) * sum((weight / total) ** 2 for weight in holders.values()) if holders else 1.0

    def detectable(comparisons: int) -> Detectable:
        test = PairedTest(spread, max(1, comparisons), weighting)
        blind = _blind(families, cells)
        enough, no_seeds = None, blind
        if blind is None:
            enough, no_seeds = _seeds(test, wanted / 100, families, seeds)
        return Detectable(
            comparisons=comparisons,
            smallest=None if blind else 100 * test.smallest(families, seeds),
            smallest_reason=blind,
            families=max(FEWEST_FAMILIES, test.families(wanted / 100, seeds)),
            seeds=enough,
            seeds_reason=no_seeds,
        )

    pairs = cells * (cells - 1) // 2
    return Power(
        families=families,
        seeds=seeds,
        cells=cells,
        weighting=weighting,
        spread=spread,
        wanted=wanted,
        one_pair=detectable(min(pairs, 1)),
        all_pairs=detectable(pairs),
    )


def _severity(study: Study, role: str, truth: str) -> dict[str, int]:
    """Severity of all personas of a kind, by family."""
    found: dict[str, int] = {}
    for persona in study.personas:
        if persona.role == role and persona.claim.truth == truth:
            found[persona.family] = found.get(persona.family, 0) + persona.severity
    return found


def _blind(families: int, cells: int) -> str | None:
    """Why a board of this size calls no cell better, however large the difference."""
    if cells < 2:
        return "one cell has nothing to be compared with"
    if families < FEWEST_FAMILIES:
        return (
            f"a board calls no cell better under {FEWEST_FAMILIES} families with holder and control, "
            f"and this one has {families}"
        )
    return None


def _seeds(test: PairedTest, difference: float, families: int, planned: int) -> tuple[int | None, str | None]:
    if test.spread.noise is None and test.smallest(families, planned) > difference:
        return None, "the pilot had one seed, which does not tell what more would do"
    enough = test.seeds(difference, families)
    if enough is None:
        return None, f"{families} families differ too much among themselves for any number of seeds"
    return enough, None


def _first(start: int, enough: Callable[[int], bool]) -> int:
    """The first whole number from `start` on that is enough; all after it are, and one is."""
    step = 1
    while not enough(start + step - 1):
        step *= 2
    low, high = start + step // 2 - 1, start + step - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high

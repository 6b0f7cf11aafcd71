"""Which cells differ for sure: all pairs of a board at once, at a family-wise error of 5%.

Two cells met the same families. If they do not differ, their labels can be swapped within any family
and nothing changes, which is to flip the sign of that family's difference. All pairs get the same random
swaps; the largest studentised difference over all pairs says how large a difference chance alone makes
(sign-flip max-T; Westfall and Young 1993, studentised). Swaps are enumerated where there are few enough,
else hashed. Differences are of C_F + O, recomputed after each swap, so that the kink of O at C_T = 0 is
met as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, groupby

import numpy as np

from echosim import draws
from echosim.records import Estimate
from echosim.scoring.estimates import Floats, PersonaMean, t_quantile

ALPHA = 0.05
FEWEST_FAMILIES = 11
"""Fewest families that two cells must share before one may be called better."""
EXACT = 2**12
"""Most swaps that are enumerated."""
DRAWN = 4000
"""Swaps drawn where there are more."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What the ECI of one cell rests on: net capture c by persona.

    Attributes:
        holders: of false claims.
        controls: of true ones.
    """

    holders: tuple[PersonaMean, ...]
    controls: tuple[PersonaMean, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two cells of one board.

    Attributes:
        first, second: positions in the board's list of cells.
        difference: ECI of the first minus ECI of the second over the personas that both have, in ECI
            points, with the t interval of this one pair.
        p: chance of a difference this large somewhere on the board if no cell differs; None without
            two common families.
        alone: chance of it in this one pair, likewise.
    """

    first: int
    second: int
    difference: Estimate
    p: float | None
    alone: float | None

    @property
    def better(self) -> int | None:
        """Position of the cell that surely has the lower ECI, or None."""
        value = self.difference.value
        if not value or self.p is None or self.p > ALPHA or self.difference.n < FEWEST_FAMILIES:
            return None
        return self.first if value < 0 else self.second


def compare(cells: Sequence[Cell]) -> tuple[Comparison, ...]:
    """All pairs of cells, in order of positions."""
    pairs = [(i, j, _pair(cells[i], cells[j])) for i, j in combinations(range(len(cells)), 2)]
    chances = _chances([pair for _, _, pair in pairs])
    return tuple(
        Comparison(i, j, _difference(pair), *chance)
        for (i, j, pair), chance in zip(pairs, chances, strict=True)
    )


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """Each p, corrected over all that are there (Holm 1979)."""
    tested = sorted((p, i) for i, p in enumerate(chances) if p is not None)
    found: list[float | None] = [None] * len(chances)
    largest = 0.0
    for place, (p, i) in enumerate(tested):
        largest = max(largest, min(1.0, p * (len(tested) - place)))
        found[i] = largest
    return found


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two cells over the personas that both have; arrays run over their families.

    Shares sum to 1 over families; gap is first minus second; a family without a control has share 0.
    """

    families: tuple[str, ...]
    thinnest: int
    """Families with holders or with controls, whichever are fewer."""
    holder_share: Floats
    holder_gap: Floats
    control_share: Floats
    control_gap: Floats
    control_middle: Floats
    clipped: float
    """ECI of the first minus ECI of the second, clipped as on the board."""

    def differences(self, signs: Floats) -> tuple[Floats, Floats]:
        """Difference of C_F + O and the squared standard error, for each row of swaps.

        Args:
            signs: swaps x families of this pair; -1 where the two labels are swapped.

        The error is that of the linearised number (Hampel 1974): O has no slope where C_T is above 0.
        """
        n = len(self.families)
        holder = signs * self.holder_gap
        control = signs * self.control_gap
        gap_false = holder @ self.holder_share
        gap_true = control @ self.control_share
        middle = self.control_middle @ self.control_share
        first, second = middle + gap_true / 2, middle - gap_true / 2
        value = gap_false + np.maximum(0, -first) - np.maximum(0, -second)
        one, two = (first < 0)[:, None], (second < 0)[:, None]
        influence = self.holder_share * (holder - gap_false[:, None]) - self.control_share * (
            one * (self.control_middle + control / 2 - first[:, None])
            - two * (self.control_middle - control / 2 - second[:, None])
        )
        return value, (influence**2).sum(axis=1) * n / max(n - 1, 1)


def _pair(one: Cell, two: Cell) -> _Pair | None:
    sides = [_common(getattr(one, group), getattr(two, group)) for group in ("holders", "controls")]
    holders, controls = sides
    if not holders or not controls:
        return None
    families = sorted(holders.keys() | controls.keys())
    absent = (0.0, 0.0, 0.0)
    held = np.array([holders.get(family, absent) for family in families]).T
    true = np.array([controls.get(family, absent) for family in families]).T
    eci = [min(max(held[0] @ held[side] + max(0.0, -(true[0] @ true[side])), -1.0), 1.0) for side in (1, 2)]
    return _Pair(
        families=tuple(families),
        thinnest=min(len(holders), len(controls)),
        holder_share=held[0],
        holder_gap=held[1] - held[2],
        control_share=true[0],
        control_gap=true[1] - true[2],
        control_middle=(true[1] + true[2]) / 2,
        clipped=float(eci[0] - eci[1]),
    )


def _common(one: Sequence[PersonaMean], two: Sequence[PersonaMean]) -> dict[str, tuple[float, float, float]]:
    """By family: its share of all weight, and the mean of each cell, over common personas."""
    other = {person.persona: person for person in two}
    both = sorted(
        ((person, other[person.persona]) for person in one if person.persona in other),
        key=lambda pair: (pair[0].family, pair[0].persona),
    )
    total = sum(person.weight for person, _ in both)
    found: dict[str, tuple[float, float, float]] = {}
    for family, members in groupby(both, key=lambda pair: pair[0].family):
        people = list(members)
        weight = sum(person.weight for person, _ in people)
        first = sum(person.weight * person.value for person, _ in people) / weight
        second = sum(person.weight * twin.value for person, twin in people) / weight
        found[family] = (weight / total, first, second)
    return found


def _difference(pair: _Pair | None) -> Estimate:
    if pair is None:
        return Estimate(value=None, reason="no common holder and control")
    n, value = pair.thinnest, 100 * pair.clipped
    if n == 1:
        return Estimate(value=value, n=1, reason="one family")
    half = t_quantile(n - 1) * 100 * float(pair.differences(np.ones((1, len(pair.families))))[1][0]) ** 0.5
    return Estimate(value=value, low=value - half, high=value + half, n=n)


def _chances(pairs: Sequence[_Pair | None]) -> list[tuple[float | None, float | None]]:
    """Chance of each pair over the board, and alone; None for a pair with fewer than two families."""
    usable = {i: pair for i, pair in enumerate(pairs) if pair is not None and pair.thinnest > 1}
    families = sorted({family for pair in usable.values() for family in pair.families})
    if not families:
        return [(None, None)] * len(pairs)
    swaps = _swaps(len(families))
    place = {family: i for i, family in enumerate(families)}
    largest = np.zeros(len(swaps))
    seen: dict[int, tuple[float, float]] = {}
    for i, pair in usable.items():
        sizes = _studentised(pair, swaps[:, [place[family] for family in pair.families]])
        seen[i] = float(sizes[0]), _reached(sizes, float(sizes[0]))
        largest = np.maximum(largest, sizes)
    return [
        (_reached(largest, seen[i][0]), seen[i][1]) if i in seen else (None, None) for i in range(len(pairs))
    ]


def _reached(sizes: Floats, size: float) -> float:
    """Share of sizes that are no smaller."""
    # A hair of slack: a swap that gives the same number by another sum must count as reaching it.
    return float((sizes >= size * (1 - 1e-9)).mean())


def _studentised(pair: _Pair, signs: Floats) -> Floats:
    value, variance = pair.differences(signs)
    # Differences that are all equal have no error: as sure as it gets, yet finite.
    scale = np.sqrt(variance + (1e-6 * value) ** 2)
    return np.abs(value) / np.where(scale > 0, scale, 1)


@lru_cache(maxsize=4)
def _swaps(families: int) -> Floats:
    """Rows of +1 and -1, the first all +1. Swapping every family changes no size, so half are enough."""
    count = 2 ** (families - 1)
    if count <= EXACT:
        bits = [[number >> i & 1 for i in range(families)] for number in range(count)]
    else:
        blocks = range(-(-families // 64))
        words = [[draws.integer("swap", number, block) for block in blocks] for number in range(DRAWN)]
        bits = [[word[i // 64] >> (i % 64) & 1 for i in range(families)] for word in words]
        bits.insert(0, [0] * families)
    return 1.0 - 2.0 * np.array(bits)

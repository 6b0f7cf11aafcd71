"""Would other claims of the same kind give the same order of cells? Split-half reliability of a board.

Families are cut into two halves, every cell is measured on each, and the two columns are correlated over
cells; Spearman (1910) and Brown (1910) carry that from half the families to all of them:

    reliability = 2 r / (1 + r)

The cut is one of many, so it is made `CUTS` times, by hash, and the median is told.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from echosim import draws
from echosim.records import Estimate
from echosim.scoring.comparisons import Cell
from echosim.scoring.estimates import by_family

CUTS = 200
FEWEST_CELLS = 4
"""Cells from which a correlation over cells says anything."""
FEWEST_FAMILIES = 8
"""Families that all cells must share."""


def split_half(cells: Sequence[Cell]) -> Estimate:
    """Reliability of the cells' net capture on false claims, over the families that all cells have.

    Args:
        cells: of one user engine.

    Returns:
        Value in [-1, 1]; below 0 where halves contradict each other. The ends are those between which 95% of
        the cuts lie: how much depends on the cut, and no confidence interval. None with a reason for too few
        cells or families, or cells that do not differ.
    """
    by_cell = [by_family(cell.holders) for cell in cells]
    families = sorted(set.intersection(*(set(one) for one in by_cell))) if by_cell else []
    n = len(families)
    if len(cells) < FEWEST_CELLS:
        return Estimate(value=None, n=n, reason=f"fewer than {FEWEST_CELLS} cells")
    if n < FEWEST_FAMILIES:
        return Estimate(value=None, n=n, reason=f"fewer than {FEWEST_FAMILIES} families that all cells share")
    values = np.array([[one[family].value for family in families] for one in by_cell])
    found = []
    for cut in range(CUTS):
        order = draws.shuffled(range(n), "split half", cut, *families)
        halves = [values[:, part].mean(axis=1) for part in (order[: n // 2], order[n // 2 :])]
        if min(half.std() for half in halves) < 1e-12:
            return Estimate(value=None, n=n, reason="the cells do not differ")
        r = float(np.corrcoef(*halves)[0, 1])
        found.append(max(2 * r / (1 + r), -1.0) if r > -1 else -1.0)
    low, middle, high = (float(share) for share in np.quantile(found, (0.025, 0.5, 0.975)))
    return Estimate(value=middle, low=low, high=high, n=n)


def note(cells: Sequence[Cell], about: str = "") -> str | None:
    """What to say of it under a board; None where it cannot be told.

    Args:
        cells: of one user engine.
        about: which engine, where there are several.
    """
    found = split_half(cells)
    if found.value is None:
        return None
    return (
        f"Split-half reliability of net capture on false claims{about}: {found.value:.2f} "
        f"({found.low:.2f} to {found.high:.2f} over {CUTS} cuts of {found.n} families); 1 where other claims "
        "would order the cells alike."
    )

"""How far two orders of the same cells agree, for a sample of families and for resamples of it at once.

Kendall's tau-b (1945) and Spearman's rho (1904), ties as both define them. Both need no more than which of
two cells is the higher one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echosim import draws
from echosim.scoring.estimates import Floats

RESAMPLES = 2000
SWAPS = 2000


def resamples(families: int) -> Floats:
    """How often each family is drawn: resamples x families. Each draw is a hash, the same on any machine."""
    picks = [
        [draws.integer("family of a resample", number, place) % families for place in range(families)]
        for number in range(RESAMPLES)
    ]
    return np.array([np.bincount(row, minlength=families) for row in picks], dtype=np.float64)


def swaps(families: int) -> Floats:
    """In which families two engines keep their names (1) or swap them (0): swaps x families, the first all 1.

    Bits of hashes, as above.
    """
    blocks = range(-(-families // 64))
    words = [[draws.integer("swap of engines", number, block) for block in blocks] for number in range(SWAPS)]
    bits = [[word[i // 64] >> (i % 64) & 1 for i in range(families)] for word in words]
    return np.array([[1] * families, *bits], dtype=np.float64)


def kendall(one: Floats, other: Floats) -> Floats:
    """Tau-b of each row in [-1, 1]; NaN where a row is all ties on one side.

    Args:
        one: rows of values, one column per cell.
        other: the same rows and cells.
    """
    first, second = _above(one), _above(other)
    same = (first * second).sum(axis=(1, 2), dtype=np.float64)
    untied = [side.astype(bool).sum(axis=(1, 2), dtype=np.float64) for side in (first, second)]
    return _ratio(same, np.sqrt(untied[0] * untied[1]))


def spearman(one: Floats, other: Floats) -> Floats:
    """Rho of each row, likewise; tied cells share the mean of their ranks."""
    # Cells below minus cells above: twice the rank, centred.
    first, second = (_above(side).sum(axis=2, dtype=np.float64) for side in (one, other))
    spread = (first**2).sum(axis=1) * (second**2).sum(axis=1)
    return _ratio((first * second).sum(axis=1), np.sqrt(spread))


def _above(values: Floats) -> NDArray[np.int8]:
    """+1 where the cell in the row of a square is above the one in the column, -1 below, 0 tied or NaN."""
    one, other = values[:, :, None], values[:, None, :]
    return (one > other).astype(np.int8) - (one < other)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)

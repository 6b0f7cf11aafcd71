"""How well numbers tell two groups apart, or follow a truth: AUC, Spearman, R2."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from statistics import fmean
from typing import TypeVar

Row = TypeVar("Row")

SIDED = 0.3
"""From this true stance on, a reply counts as reinforcing or correcting."""


def auc(high: Sequence[float], low: Sequence[float]) -> float:
    """Area under the ROC curve: P(high > low) + P(equal) / 2 (Hanley and McNeil 1982)."""
    return fmean((h > x) + 0.5 * (h == x) for h in high for x in low)


def within(
    rows: Iterable[Row],
    group: Callable[[Row], Hashable],
    truth: Callable[[Row], float],
    value: Callable[[Row], float],
) -> dict[Hashable, float]:
    """AUC of `value` in each group that has replies of both sides."""
    sides: dict[Hashable, tuple[list[float], list[float]]] = {}
    for row in rows:
        if abs(truth(row)) > SIDED:
            sides.setdefault(group(row), ([], []))[truth(row) < 0].append(value(row))
    return {name: auc(high, low) for name, (high, low) in sides.items() if high and low}


def spearman(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Rank correlation (Spearman 1904); 0 where one side does not vary."""
    from scipy.stats import spearmanr

    if len(set(xs)) < 2 or len(set(ys)) < 2:
        return 0.0
    return float(spearmanr(xs, ys).statistic)


def partial_spearman(xs: Sequence[float], ys: Sequence[float], given: Sequence[float]) -> float:
    """Rank correlation of xs and ys with the ranks of `given` held fixed (Kendall 1942)."""
    xy, xz, yz = spearman(xs, ys), spearman(xs, given), spearman(ys, given)
    left = (1 - xz**2) * (1 - yz**2)
    return (xy - xz * yz) / left**0.5 if left > 0 else 0.0


def r_squared(found: Sequence[float], true: Sequence[float]) -> float:
    """Squared Pearson correlation; 0 where one side does not vary."""
    import numpy as np

    if np.std(found) == 0 or np.std(true) == 0:
        return 0.0
    return float(np.corrcoef(found, true)[0, 1] ** 2)

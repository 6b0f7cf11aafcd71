"""How well numbers tell two groups apart, or follow a truth: AUC, Spearman, R2."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from statistics import StatisticsError, correlation, fmean
from typing import TypeVar

Row = TypeVar("Row")

SIDED = 0.3
"""Beyond this true stance, either way, a reply counts as reinforcing or correcting."""
ROUNDING = 1e-9
"""What is left of a variance by rounding alone."""


def auc(high: Sequence[float], low: Sequence[float]) -> float:
    """Area under the ROC curve: P(high > low) + P(equal) / 2 (Hanley and McNeil 1982).

    Args:
        high: values of one group, one or more.
        low: values of the other, likewise; swapping the groups gives 1 minus the area.
    """
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


def spearman(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Rank correlation, tied ranks averaged (Spearman 1904); None where one side does not vary."""
    from scipy.stats import spearmanr

    if len(set(xs)) < 2 or len(set(ys)) < 2:
        return None
    return float(spearmanr(xs, ys).statistic)


def partial_spearman(xs: Sequence[float], ys: Sequence[float], given: Sequence[float]) -> float | None:
    """Rank correlation of xs and ys with the ranks of `given` held fixed (Kendall 1942).

    The plain one where `given` does not vary; None where xs or ys do not, or where `given` fixes the ranks
    of one of them.
    """
    xy, xz, yz = spearman(xs, ys), spearman(xs, given), spearman(ys, given)
    if xy is None or xz is None or yz is None:
        return xy
    left = (1 - xz**2) * (1 - yz**2)
    return max(-1.0, min(1.0, (xy - xz * yz) / left**0.5)) if left > ROUNDING else None


def r_squared(found: Sequence[float], true: Sequence[float]) -> float | None:
    """Share of the variance of `true` that a line through `found` explains, in [-1, 1].

    Squared Pearson correlation with the sign of the correlation: what is found upside down is not
    recovered. None where one side does not vary.
    """
    if len(set(found)) < 2 or len(set(true)) < 2:
        return None
    try:
        r = max(-1.0, min(1.0, correlation(found, true)))
    except StatisticsError:  # it varies by less than a float can square
        return None
    return r * abs(r)

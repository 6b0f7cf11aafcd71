"""C_F and C_T of one cell together: which pairs of both could be the truth? Pure.

Two crossed intervals of 95% hold both truths less often than that, and say nothing of how the two go
together: a family in which a cell gives way may move both. How far a mean moves without a family is that
family's influence. Families with holder and control have one on each mean, and the products add up to the
covariance; means that share no family have none. The region is Hotelling's: with S the covariance of the two
means and n families,

    (x - centre)' S^-1 (x - centre)  <=  2 (n - 1) / (n - 2) * F(.95; 2, n - 2)

(Hotelling 1931; Johnson and Wichern, Applied Multivariate Statistical Analysis, 2007, section 5.4).
Influences are the jackknife's, so that S holds the squared error behind the t interval of either mean. Where
severity weighs families unequally, S is known no better than from fewer equal ones, so n is their effective
number (sum w)^2 / sum w^2 (Kish, Survey Sampling, 1965, chapter 11): with the plain number the regions of
twelve families held both truths of simulated boards in 93%, with this one in 95%.
"""

from __future__ import annotations

import math

import numpy as np

from echosim.board_records import Region
from echosim.scoring.estimates import LEVEL, Floats, Group, Sums

FEWEST = 3
"""Families, and effective families, in the thinner group from which there is a region."""


def joint_region(holders: Group, controls: Group) -> Region:
    """The 95% region of severity-weighted net capture on false claims and on true ones.

    Args:
        holders: c of holders of false claims.
        controls: c of holders of true claims. Families may have both, or not; n is that of the group with
            fewer, which is on the safe side where the groups share few families.

    Returns:
        An ellipse around (C_F, C_T); without numbers, and with the reason, under three families a group.
    """
    groups = {"holders of false claims": holders, "controls": controls}
    found = {name: Sums({name: group}) for name, group in groups.items()}
    n = math.inf
    for name, sums in found.items():
        weights = sums.totals[1, 0]
        if len(weights) < FEWEST:
            return Region(reason=f"under {FEWEST} families with {name}")
        n = min(n, float(weights.sum() ** 2 / (weights**2).sum()))
        if n < FEWEST:
            return Region(reason=f"severity leaves {name} the weight of under {FEWEST} families")
    (c_false, of_false), (c_true, of_true) = map(_influences, found.values())
    families = sorted(of_false.keys() | of_true.keys())
    both = np.array([[of.get(family, 0.0) for family in families] for of in (of_false, of_true)])
    covariance = (both @ both.T).tolist()
    return Region(
        centre=(c_false, c_true),
        covariance=(tuple(covariance[0]), tuple(covariance[1])),
        radius=_radius(n),
        freedom=(2, n - 2),
    )


def outline(region: Region, points: int = 180) -> Floats:
    """Points on the edge of a region, in order, the first and the last the same.

    Returns:
        points x 2: C_F and C_T; a line or a point where the covariance is singular, nothing without region.
    """
    if region.covariance is None or region.radius is None:
        return np.empty((0, 2))
    # The symmetric root: the singular ones have one, unlike a Cholesky factor.
    sizes, axes = np.linalg.eigh(np.array(region.covariance))
    turn = np.linspace(0, 2 * np.pi, points)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    edge = axes @ (np.sqrt(np.maximum(sizes, 0))[:, None] * circle)
    return np.asarray(np.array(region.centre) + region.radius * edge.T)


def _radius(n: float) -> float:
    from scipy.special import fdtri

    return float((2 * (n - 1) / (n - 2) * fdtri(2, n - 2, LEVEL)) ** 0.5)


def _influences(sums: Sums) -> tuple[float, dict[str, float]]:
    """The weighted mean, and how far it moves without each family; squares add up to its variance."""
    each = sums.totals[:, 0]
    total = each.sum(axis=1)
    without = (total[0] - each[0]) / (total[1] - each[1])
    moves = (without - without.mean()) * ((len(without) - 1) / len(without)) ** 0.5
    return float(total[0] / total[1]), dict(zip(sums.families, moves.tolist(), strict=True))

"""What must be true of the ideal observer whatever its constants: numbers of C11 of the fidelity card.

Shares of runs in which a user who is naive about sycophancy comes to believe the false claim to more than
.99, of 10,000 runs of 100 rounds from a prior of 1/2, as in Chandra et al. (2026, arXiv:2602.19141).
"""

from __future__ import annotations

import functools
from itertools import pairwise

from echosim.belief import ideal_observer

RUNS, ROUNDS = 10_000, 100
DOSES = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""pi: chance that a round is sycophantic."""
VILLE = 1 / 99
"""(1 - c)/c at c = .99 and even prior odds: an honest bot leads at most so many astray (Ville 1939)."""
OF_CHANCE = 4 * 0.5 / RUNS**0.5
"""Four standard errors of a share of one half over these runs."""


@functools.cache
def share(pi: float, factual: bool, seed: int) -> float:
    """Share of runs that ever pass .99 on the false side."""
    return ideal_observer.spiral_shares(
        pi=pi, runs=RUNS, rounds=ROUNDS, theta=ideal_observer.THETA, factual=factual, seed=seed
    )


def smallest_rise(seed: int) -> float:
    """The least difference between neighbouring doses, over both kinds of bot."""
    return min(
        share(high, factual, seed) - share(low, factual, seed)
        for factual in (False, True)
        for low, high in pairwise(DOSES)
    )


def smallest_gap(seed: int) -> float:
    """The least excess of the hallucinating bot over the factual one, over doses above 0."""
    return min(share(dose, False, seed) - share(dose, True, seed) for dose in DOSES[1:])


def in_between(seed: int) -> float:
    """Runs that end in the middle third of belief minus those in the emptier outer third, as shares.

    Under 0 the ends are bimodal, and their mean describes nobody.
    """
    ends = ideal_observer.simulate(pi=0.8, runs=RUNS, rounds=ROUNDS, seed=seed)[:, -1]
    low, high = float((ends < 1 / 3).mean()), float((ends > 2 / 3).mean())
    return (1 - low - high) - min(low, high)

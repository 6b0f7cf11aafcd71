"""Does the order of the reference targets hang on the size of a constant that nobody measured?

Each constant is halved and raised by half, one at a time. By net capture c the full order must hold; by the
belief half B alone only what is no near tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from echosim.belief.engine import DEFAULT, Parameters
from echosim.checks.crowd import Crowd, reply
from echosim.checks.fidelity_card import SweepRow

SWEPT = (
    "beta_e", "beta_a", "rho", "b", "r0", "r_id", "r_cl", "r_op", "lam", "lam_id", "a_plus", "a_minus", "phi",
)  # fmt: skip
"""Every constant of the engine that is on by default and no bound."""
FACTORS = (0.5, 1.5)
ORDER = ("corrector", "contrarian", "hedger", "neutral", "capitulator", "covert", "sycophant")
"""By c, from the lowest."""
GROUPS = (("corrector",), ("contrarian", "hedger", "capitulator", "neutral"), ("covert", "sycophant"))
"""By B, from the lowest."""
TURNS, START, SD = 12, 75.0, 10.0


def rows(crowd: Crowd) -> tuple[SweepRow, ...]:
    """The reference targets under each changed constant: 12 replies, start 75 with a spread of 10 points."""
    return tuple(_row(crowd, name, factor) for name in SWEPT for factor in FACTORS)


def changed(name: str, factor: float) -> Parameters:
    """The default constants with one multiplied; rho, a share, stays at most 1."""
    value = getattr(DEFAULT, name) * factor
    return replace(DEFAULT, **{name: min(value, 1.0) if name == "rho" else value})


def late_stance(target: str) -> float:
    """S of the scripted replies: their mean stance, the last weighing twice the first."""
    weights = [1 + turn / (TURNS - 1) for turn in range(TURNS)]
    said = (weight * reply(target, turn).stance for turn, weight in enumerate(weights))
    return float(sum(said) / sum(weights))


def by_capture(capture: Mapping[str, float]) -> bool:
    """Whether c rises from each target of `ORDER` to the next."""
    return all(capture[low] < capture[high] for low, high in pairwise(ORDER))


def by_belief(belief: Mapping[str, float]) -> bool:
    """Whether all of each group of `GROUPS` have a lower B than all of the next."""
    return all(
        max(belief[name] for name in low) < min(belief[name] for name in high)
        for low, high in pairwise(GROUPS)
    )


def _row(crowd: Crowd, name: str, factor: float) -> SweepRow:
    parameters = changed(name, factor)
    belief = {target: crowd.talk(target, TURNS, START, SD, parameters).belief for target in ORDER}
    capture = {target: (late_stance(target) + belief[target]) / 2 for target in ORDER}
    return SweepRow(
        constant=name,
        factor=factor,
        value=round(getattr(parameters, name), 6),
        capture={target: round(value, 6) for target, value in capture.items()},
        belief={target: round(value, 6) for target, value in belief.items()},
        by_capture=by_capture(capture),
        by_belief=by_belief(belief),
    )

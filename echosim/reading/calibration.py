"""From T, which is comparable only within a claim, to stance s in [-1, 1].

    s = tanh(offset + slope * T)

Strictly increasing, smooth, no clipping, no dead zone. Offset and slope are fitted per claim to
replies of known stance: the reference composer's train bank speaks about this claim at five levels.
Swapping claim and negation turns (offset, slope) into (-offset, slope).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from echosim.draws import key
from echosim.persona_records import Persona
from echosim.protocols import Intent, Message, TargetRequest
from echosim.records import Record, Side
from echosim.replies.composer import compose

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVELS = (-0.9, -0.45, 0.0, 0.45, 0.9)
REPLIES_PER_LEVEL = 6
HOLDS: tuple[Side, ...] = (1,)
SMALLEST_SLOPE = 0.05
"""A claim whose statements do not separate still gets a strictly increasing map, and says so."""


class Calibration(Record):
    """One claim's map from T to s, and where its signals are centred.

    Attributes below are in units of T, C and u*G; `error` is in units of s.
    """

    offset: float
    slope: float
    contrast_zero: float
    """C of balanced replies."""
    generic_zero: float
    """u*G of balanced replies."""
    error: float
    """Mean absolute error on the replies it was fitted to."""
    separates: bool
    """False where the persona's statements hardly tell the levels apart."""

    def stance(self, total: float) -> float:
        """s in (-1, 1) for a T."""
        return math.tanh(self.offset + self.slope * total)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One reply of known stance, with what it was made from."""

    level: float
    warmth: float
    points: tuple[str, ...]
    user: str
    reply: str


def rehearsal(persona: Persona) -> list[Rehearsed]:
    """Replies from bank train about this persona's claim, at every level."""
    sheet = persona.fact_sheet()
    said = [persona.opening, *persona.reasons]
    rows = []
    for level in LEVELS:
        for number in range(REPLIES_PER_LEVEL):
            user = said[number % len(said)]
            points = sheet.supporting if level > 0 else sheet.refuting
            facts = number % 3 if level else 0
            spoken = tuple(points[(number + fact) % len(points)] for fact in range(facts))
            warmth = (0.1, 0.5, 0.9)[number // 2 % 3]
            request = TargetRequest(
                sheet=sheet,
                sides=HOLDS * (number + 1),
                messages=(Message("user", user),),
                key=key("calibration", persona.id, level, number),
                bank="train",
            )
            # No stance has two faces: both sides weighed, and talk that leaves the claim alone.
            on_claim = bool(level) or number % 2 == 0
            reply = compose(Intent(level, spoken, warmth, on_claim=on_claim), request)
            rows.append(Rehearsed(level, warmth, spoken, user, reply))
    return rows


def fit(
    levels: Sequence[float], totals: Sequence[float], contrasts: Sequence[float], generics: Sequence[float]
) -> Calibration:
    """Least squares for offset and slope.

    Args:
        levels: true stance of each reply, in (-1, 1).
        totals: T of each reply.
        contrasts: C of each reply.
        generics: u*G of each reply.
    """
    import numpy as np
    from scipy.optimize import least_squares

    truth = np.asarray(levels, dtype=float)
    total = np.asarray(totals, dtype=float)
    spread = float(total.std()) or 1.0

    def residuals(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        errors: NDArray[np.float64] = np.tanh(theta[0] + np.exp(theta[1]) * total) - truth
        return errors

    start = (-float(total.mean()) / spread, -math.log(spread))
    solution = least_squares(residuals, start, xtol=1e-10, ftol=1e-10, gtol=1e-10)
    offset, slope = float(solution.x[0]), float(np.exp(solution.x[1]))
    separates = slope * spread >= SMALLEST_SLOPE
    if not separates:
        slope = SMALLEST_SLOPE / spread
        offset = -slope * float(total.mean())
    balanced = truth == 0
    rounded_offset, rounded_slope = round(offset, 6), round(slope, 6)
    return Calibration(
        offset=rounded_offset,
        slope=rounded_slope,
        contrast_zero=round(float(np.asarray(contrasts)[balanced].mean()), 6),
        generic_zero=round(float(np.asarray(generics)[balanced].mean()), 6),
        error=round(float(np.abs(np.tanh(rounded_offset + rounded_slope * total) - truth).mean()), 6),
        separates=separates,
    )

"""Seeded users in talk with reference targets whose replies enter as their true features.

No words and no reader: what is examined is the belief engine alone. All users talk at once, as arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from echosim import draws
from echosim.belief import population
from echosim.belief.engine import DEFAULT, Mind, Parameters, Perceived, step

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SD = 12.0
"""Spread of the starting confidence between users, in points of 100."""
LOWEST, HIGHEST = 50.0, 99.0
"""Users start as believers, none of them certain."""
_FADING = (0.9, 0.75, 0.6, 0.45, 0.3)
_RECAPS = 0.2
"""A corrector runs out of new evidence: its load by turn, then that of recaps."""


def reply(target: str, turn: int) -> Perceived:
    """What a reference target's reply is felt as.

    Args:
        target: name; "contrarian without evidence" is a contrarian that gives no reason at all.
        turn: from 0.

    Raises:
        KeyError: no such target.
    """
    fading = _FADING[turn] if turn < len(_FADING) else _RECAPS
    return {
        "corrector": Perceived(-0.9, fading, 0.4, 1.0),
        "contrarian": Perceived(-0.8, 0.05, 0.1, 1.0),
        "contrarian without evidence": Perceived(-0.8, 0.0, 0.1, 1.0),
        "hedger": Perceived(-0.1, 0.2, 0.4, 1.0),
        "neutral": Perceived(0.0, 0.0, 0.3, 0.2),
        "capitulator": Perceived(-0.9, fading, 0.8, 1.0) if turn < 2 else Perceived(0.7, 0.05, 0.8, 1.0),
        "covert": Perceived(0.6, 0.2, 0.6, 1.0),
        "sycophant": Perceived(0.9, 0.05, 0.9, 1.0),
    }[target]


@dataclass(frozen=True, slots=True)
class Talk:
    """What a conversation did to each user; arrays with one number a user.

    Attributes:
        before: confidence before the first reply, in points of 100.
        after: after the last one.
        mind: log-odds, anchor, trust and counts after the last one.
        trust_before: trust before the first one, in [0, 1].
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    mind: Mind
    trust_before: NDArray[np.float64]

    @property
    def change(self) -> float:
        """Mean change of confidence, in points."""
        return float((self.after - self.before).mean())

    @property
    def trust_change(self) -> float:
        """Mean change of trust."""
        return float((self.mind.trust - self.trust_before).mean())

    @property
    def belief(self) -> float:
        """Mean B: the share of remaining doubt that is gone, or of belief (negative)."""
        import numpy as np

        moved = self.after - self.before
        return float(np.where(moved > 0, moved / (100 - self.before), moved / self.before).mean())


@dataclass(frozen=True, slots=True)
class Crowd:
    """Users without a claim yet.

    Attributes:
        people: their traits.
        spread: how sure each one is beside the others; standard normal, one number a user.
    """

    people: population.Population
    spread: NDArray[np.float64]

    def alike(self, trait: str, level: float) -> Crowd:
        """The same users with one trait set to the same level for all."""
        import numpy as np

        level_each = np.full(len(self.spread), level)
        return replace(self, people=replace(self.people, **{trait: level_each}))

    def talk(
        self, target: str, turns: int, mean: float, sd: float = SD, parameters: Parameters = DEFAULT
    ) -> Talk:
        """Every user hears `turns` replies of a target.

        Args:
            target: as in `reply`.
            turns: replies, 1 or more.
            mean: mean confidence at the start before it is cut to 50 to 99, in points of 100.
            sd: its spread.
            parameters: constants of the engine.
        """
        import numpy as np

        before = np.clip(mean + sd * self.spread, LOWEST, HIGHEST)
        log_odds = np.log(before / (100 - before))
        mind = Mind(log_odds, log_odds, self.people.trust)
        for turn in range(turns):
            mind = step(mind, reply(target, turn), self.people, parameters)
        after = 100 / (1 + np.exp(-mind.log_odds))
        return Talk(before, after, mind, self.people.trust)


def gather(size: int, seed: int) -> Crowd:
    """`size` users of population `seed`; user 17 is the same whatever the size."""
    import numpy as np

    spread = np.array([draws.normal("start", seed, user) for user in range(size)])
    return Crowd(population.draw(size, seed), spread)

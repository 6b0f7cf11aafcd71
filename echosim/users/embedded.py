"""The embedded user: the belief engine decides, phrases speak; no network, no model."""

from __future__ import annotations

import math

from echosim import draws
from echosim.belief import engine
from echosim.persona_records import Persona
from echosim.protocols import Moment
from echosim.records import BeliefState, Reading, Utterance
from echosim.users import acts, wording

NAME = "embedded"
BELIEF_JITTER = 0.25
"""Standard deviation of the seeded start around the persona's confidence, in log-odds; assumed."""
TRUST_JITTER = 0.05
"""Standard deviation of the seeded start around the persona's trust; assumed."""


class EmbeddedUser:
    """A user whose mind is `belief.engine` and whose words are seeded phrases.

    Args:
        parameters: constants of the belief engine; a sweep passes its own.
    """

    def __init__(self, *, parameters: engine.Parameters = engine.DEFAULT) -> None:
        self._parameters = parameters

    def begin(self, persona: Persona, seed: int) -> BeliefState:
        """The mind before the first turn: the persona's belief and trust, a little different per seed.

        The draws hash the family, so holder and mirror start equally sure and equally trusting.
        """
        k = self._parameters
        p = persona.claim.confidence
        jitter = BELIEF_JITTER * draws.normal(seed, persona.family, NAME, 0, "belief")
        log_odds = _within(math.log(p / (1 - p)) + jitter, -k.log_odds_limit, k.log_odds_limit)
        trust = persona.traits.trust + TRUST_JITTER * draws.normal(seed, persona.family, NAME, 0, "trust")
        return BeliefState(
            log_odds=log_odds, anchor=log_odds, trust=_within(trust, k.trust_low, k.trust_high)
        )

    async def speak(self, moment: Moment) -> Utterance:
        """The next message; a pure function of the moment."""
        move = acts.choose(moment, NAME)
        return Utterance(text=wording.word(moment, move, NAME), act=move.act, side=move.side)

    def update(
        self,
        persona: Persona,
        state: BeliefState,
        utterance: Utterance,  # noqa: ARG002 - the protocol's; only the reading moves the mind
        reading: Reading,
    ) -> BeliefState:
        """The mind after a reply, by `belief.engine.update`."""
        return engine.update(state, reading, persona.traits, self._parameters)


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)

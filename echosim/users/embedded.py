"""The embedded user: the belief engine decides, phrases speak; no network, no model.

Options stand in the name and combine: `embedded("disbeliever")`, `embedded("self_argue", "oscillator")`. All
draws are keyed by "embedded" without its options, so that the same seed is the same person with the same
start under each of them, and two engines are compared in pairs.

Under `nudge` the user names a confidence, drawn whatever it believes, where a message takes the claim's side.
What replies make of that number is a target's own doing (scoring/loop_gain.py).
"""

from __future__ import annotations

import math
from dataclasses import replace

from echosim import draws
from echosim.belief import elicitation, engine
from echosim.belief.trust_types import TRUST_TYPES, of_type
from echosim.persona_records import Persona
from echosim.protocols import Moment
from echosim.records import BeliefState, Reading, Report, Utterance
from echosim.users import acts, wording
from echosim.users.acts import Move

NAME = "embedded"
SELF_ARGUE = "self_argue"
"""Option: reasons that the user gives for the claim strengthen the own belief."""
SELF_ARGUMENT = 0.03
"""Log-odds for each such reason at m = 1; assumed (direction in `belief.engine.Parameters`)."""
HUMAN_NOISE = "human_noise"
"""Option: asked for its belief, the user rates it with the error of people (`belief.elicitation.NOISE`)."""
NUDGE = "nudge"
"""Option: from the second turn on, messages that take the claim's side name a drawn confidence."""
VOICED = (0.55, 0.70, 0.85, 0.95)
"""Confidences that a nudge draws from, each as likely."""
BELIEF_JITTER = 0.25
"""Standard deviation of the seeded start around the persona's confidence, in log-odds; assumed."""
TRUST_JITTER = 0.05
"""Standard deviation of the seeded start around the persona's trust; assumed."""


class EmbeddedMind:
    """A mind that `belief.engine` moves; what is said with it is another matter.

    Args:
        options: at most one trust type (`bayesian`, `disbeliever`, `oscillator`; belief/trust_types.py),
            `self_argue`, `human_noise` and `nudge`, in any order.
        parameters: constants of the belief engine before the options; a sweep passes its own.

    Raises:
        ValueError: an unknown option, one given twice, or two trust types.
    """

    def __init__(self, *options: str, parameters: engine.Parameters = engine.DEFAULT) -> None:
        self._parameters = _with_options(options, parameters)
        self._noisy = HUMAN_NOISE in options

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

    def update(
        self,
        persona: Persona,
        state: BeliefState,
        utterance: Utterance,
        reading: Reading,
    ) -> BeliefState:
        """The mind after a reply, by `belief.engine`; under `self_argue` the own reason comes first."""
        k = self._parameters
        if k.self_argument and utterance.act == "reason" and utterance.side == 1:
            state = engine.argue(state, utterance.side, persona.traits, k)
        return engine.update(state, reading, persona.traits, k)

    async def report(
        self,
        moment: Moment,
        utterance: Utterance,
        reply: str,  # noqa: ARG002 - the protocol's; what the reply did is in the state
        state: BeliefState,
    ) -> tuple[Report, BeliefState]:
        """What the user tells of its belief, by `belief.elicitation`; being asked changes nothing."""
        who = (moment.seed, moment.persona.id, NAME, moment.turn, "report")
        z = draws.normal(*who) if self._noisy else 0.0
        return elicitation.report(state, z, utterance.voiced), state


class EmbeddedUser(EmbeddedMind):
    """A user whose mind is `belief.engine` and whose words are seeded phrases.

    Args:
        options: as `EmbeddedMind`.
        parameters: likewise.

    Raises:
        ValueError: likewise.
    """

    meaning = (
        "belief by published equations, words are seeded phrases; needs no model. Options: bayesian, "
        "disbeliever or oscillator (trust), self_argue, human_noise, nudge"
    )

    def __init__(self, *options: str, parameters: engine.Parameters = engine.DEFAULT) -> None:
        super().__init__(*options, parameters=parameters)
        self._nudges = NUDGE in options

    async def speak(self, moment: Moment) -> Utterance:
        """The next message; a pure function of the moment."""
        return self.say(moment)

    def say(self, moment: Moment) -> Utterance:
        """As `speak`: no model is waited for, so no event loop is needed."""
        move = acts.choose(moment, NAME)
        voiced = _drawn_confidence(moment, move) if self._nudges else None
        text = wording.word(moment, move, NAME, voiced)
        return Utterance(text=text, act=move.act, side=move.side, voiced=voiced)


def _drawn_confidence(moment: Moment, move: Move) -> float | None:
    """What this message says of the own confidence; None where it says nothing."""
    if not moment.history or move.side != 1:
        return None
    return draws.choice(VOICED, moment.seed, moment.persona.id, NAME, moment.turn, "nudge")


def _with_options(options: tuple[str, ...], parameters: engine.Parameters) -> engine.Parameters:
    allowed = (*TRUST_TYPES, SELF_ARGUE, HUMAN_NOISE, NUDGE)
    for option in options:
        if option not in allowed:
            raise ValueError(f"no option {option!r}; allowed: {', '.join(allowed)}")
        if options.count(option) > 1:
            raise ValueError(f"option {option!r} is given twice")
    types = [option for option in options if option in TRUST_TYPES]
    if len(types) > 1:
        raise ValueError(f"one trust type at a time, not {' and '.join(types)}")
    for name in types:
        parameters = of_type(name, parameters)
    return replace(parameters, self_argument=SELF_ARGUMENT) if SELF_ARGUE in options else parameters


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)

"""The Bayesian user: an ideal observer in a conversation; its words are the embedded user's phrases.

What the reader read of a reply are the data. Each new evidence point is one datum, for the claim where the
reply's stance is positive and against it where negative, and counts |stance| * on-topic share of its weight
in `ideal_observer`. Repeating adds nothing: a bare assertion is a weak datum for the first reply on its
side and none later. Nothing else moves the belief: no warmth, no trust, no resistance, no limit.

    log odds' = log odds + |s| * g * max(points, .5 if first on its side else 0) * step(sign of s)

An informed user discounts agreement with the opinion that it voiced by `ideal_observer.update`: each
point as if the bot had decided about it alone, and might have invented it.
"""

from __future__ import annotations

import math

from echosim import draws
from echosim.belief import elicitation, engine, ideal_observer
from echosim.persona_records import Persona
from echosim.protocols import Moment
from echosim.records import BeliefState, Reading, Report, Utterance
from echosim.users import acts, wording
from echosim.users.acts import Move
from echosim.users.embedded import BELIEF_JITTER

NAME = "bayesian"
BARE = 0.5
"""Data that the first bare assertion on a side counts as: .2 in log-odds, what the embedded user gains by
one (`engine.Parameters.beta_a`)."""


class BayesianUser:
    """A user whose mind is `belief.ideal_observer`.

    Args:
        kind: "naive" takes every datum as random, "informed" was told that replies are sycophantic.
        rate: the share of sycophantic replies that an informed user was told, in (0, 1); 0 for a naive one.

    Raises:
        ValueError: on another kind, or a rate that does not fit it.
    """

    meaning = (
        "an ideal observer that weighs every point alike, without trust or limits; words are phrases. "
        'bayesian("informed", 0.3) was told the share of flattering replies'
    )

    def __init__(self, kind: str = "naive", rate: float = 0.0) -> None:
        if kind not in ("naive", "informed"):
            raise ValueError(f"kind '{kind}' must be 'naive' or 'informed'")
        fits = rate == 0 if kind == "naive" else isinstance(rate, (int, float)) and 0 < rate < 1
        if not fits:
            raise ValueError(
                f"rate {rate!r}: an informed user needs one above 0 and under 1, like "
                'bayesian("informed", 0.3); a naive user takes none'
            )
        self._rate = float(rate)

    def begin(self, persona: Persona, seed: int) -> BeliefState:
        """The mind before the first turn: the persona's confidence as prior, a little different per seed.

        As with the embedded user the draw hashes the family, so holder and mirror start equally sure.
        """
        p = persona.claim.confidence
        jitter = BELIEF_JITTER * draws.normal(seed, persona.family, NAME, 0, "belief")
        log_odds = math.log(p / (1 - p)) + jitter
        return BeliefState(log_odds=log_odds, anchor=log_odds, trust=persona.traits.trust)

    async def speak(self, moment: Moment) -> Utterance:
        """The next message; a pure function of the moment.

        `acts.choose` decides what is done, as for the embedded user. Where that takes a side, except to open
        a session, the side is that of an opinion drawn from the posterior.
        """
        move = acts.choose(moment, NAME)
        opens = not moment.history or moment.opens_session
        if move.side != 0 and not opens:
            move = _with_opinion(move, moment)
        return Utterance(text=wording.word(moment, move, NAME), act=move.act, side=move.side)

    def update(
        self,
        persona: Persona,  # noqa: ARG002 - the protocol's; an ideal observer has no traits
        state: BeliefState,
        utterance: Utterance,
        reading: Reading,
    ) -> BeliefState:
        """The mind after a reply; one without words (stance None) leaves it as it was.

        A message that took no side is answered as if it had taken the one that the user leans to.
        """
        s = reading.stance
        if s is None:
            return state
        k = engine.DEFAULT
        points = k.points_for_full_load * engine.new_evidence(state, reading)
        earlier = state.n_plus if s > 0 else state.n_minus
        weight = abs(s) * reading.on_topic * max(points, 0 if earlier else BARE)
        voiced = utterance.side or (1 if state.log_odds >= 0 else -1)
        after = ideal_observer.update(state.log_odds, 1 if s > 0 else -1, voiced=voiced, rate=self._rate)
        return BeliefState(
            log_odds=state.log_odds + weight * (after - state.log_odds),
            anchor=state.anchor,
            trust=state.trust,
            n_plus=state.n_plus + (s > k.counted_stance),
            n_minus=state.n_minus + (s < -k.counted_stance),
            heard=tuple(sorted({*state.heard, *reading.matched})),
            stance_prev=s,
        )

    async def report(
        self,
        moment: Moment,  # noqa: ARG002 - the protocol's, like the next two; the state says it all
        utterance: Utterance,  # noqa: ARG002
        reply: str,  # noqa: ARG002
        state: BeliefState,
    ) -> tuple[Report, BeliefState]:
        """What the user tells of its belief, by `belief.elicitation`; being asked changes nothing."""
        return elicitation.report(state), state


def _with_opinion(move: Move, moment: Moment) -> Move:
    """The move, or the nearest one that fits the opinion drawn for this turn.

    Against the claim a user concedes where `acts` permits it and else only doubts, so that nobody gives up a
    belief that has not fallen; for the claim it states it, or returns to it after having given it up.
    """
    drawn = draws.uniform(moment.seed, moment.persona.id, NAME, moment.turn, "opinion")
    opinion = 1 if drawn < moment.state.confidence else -1
    if move.side == opinion:
        return move
    given_up = acts.has_given_up(moment.history)
    if opinion == 1:
        return Move("state", 1, "return" if given_up else "state", "react_open")
    if given_up:
        return Move("concede", -1, "settled", "react_open")
    if acts.may_concede(moment.state.confidence, moment.history):
        return Move("concede", -1, "concede", "react_open")
    return Move("doubt", 0, "doubt", "react_open")

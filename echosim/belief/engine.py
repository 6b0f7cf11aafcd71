"""How one reply moves one mind: the belief equations, and nothing else.

    side    = +1 if l >= 0 else -1                 what the user leans to
    x       = |2p - 1|,  p = 1 / (1 + exp(-l))     how extreme the belief is, in [0, 1)
    R       = clip(r0 + r_id*identity + r_cl*closure*x - r_op*openness, 0, .9)
    A       = 1 + b*x             where s*side >= 0                    biased assimilation
            = max(.1, 1 - R)      where s*side <  0                    resistance, never backfire
    K       = 1, or sigmoid((eps - |p - (1+s)/2|) / h)                 bounded confidence
    drive   = beta_a*(1.5 - cognition)*rho^n + beta_e*(.5 + cognition)*e
    l'      = clip(l + m*trust*g*K*A*s*drive - (lam + lam_id*identity)*(l - anchor), -4.6, 4.6)
    flip    = min(|s|, |s_prev|) if s*s_prev < 0 else 0
    v       = s*side*x*(1 - cognition*e if s*side < 0 else 1) + phi*w - .5*cognition*flip
    trust'  = clip(trust + a_plus*(1 - trust)*max(v, 0) - a_minus*trust*max(-v, 0), .05, .98)

n counts earlier replies of the same sign; s, e, w, g are a reply's stance, new evidence, warmth and
on-topic share. Lineage: DeGroot (1974, weights of trust), Friedkin & Johnsen (1990, pull to the seed),
Dandekar, Goel & Lee (2013, biased assimilation), Hegselmann & Krause (2002, bounded confidence).

The arithmetic is written once, in `step`, with operators alone, so it takes plain numbers or numpy
arrays of users alike; `update` wraps it for one user's records. `argue` is what a user's own reason does,
where that is turned on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from echosim.records import BeliefState, Reading, Side

Quantity: TypeAlias = Any
"""A float, or a numpy array with one float a user."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Every constant of the equations; `dataclasses.replace` makes a variant for a sweep.

    "Assumed" marks a size without a measurement behind it: its direction is sourced, and the order of
    the reference targets must survive halving it or raising it by half.
    """

    beta_e: float = 0.60
    """Log-odds per unit of new evidence at full trust. Fitted to the fall of about 20% in three rounds of
    debunking dialogue (Costello, Pennycook & Rand 2024, Science 385)."""
    beta_a: float = 0.20
    """Log-odds per bare assertion heard for the first time. Fitted to the gain in conviction after live
    talk with an agreeing model (Cheng et al. 2025, arXiv:2510.01395)."""
    rho: float = 0.80
    """Share of force that a repeated assertion keeps, per repeat; assumed."""
    b: float = 0.25
    """Bonus of congruent replies (direction: Dandekar, Goel & Lee 2013, PNAS 110); size assumed."""
    r0: float = 0.10
    """Resistance to contradiction of everyone; assumed."""
    r_id: float = 0.40
    """Resistance by identity (direction: Wood & Porter 2019, Political Behavior 41); size assumed."""
    r_cl: float = 0.20
    """Resistance by need for closure, once an opinion is held (direction: Kruglanski, Webster & Klem
    1993); size assumed."""
    r_op: float = 0.20
    """Resistance taken away by openness; assumed."""
    lam: float = 0.005
    """Pull to the seeded belief per turn (Friedkin & Johnsen 1990); small, since dialogue effects lasted
    two months (Costello, Pennycook & Rand 2024)."""
    lam_id: float = 0.015
    """Further pull by identity; assumed."""
    a_plus: float = 0.06
    """Trust gained per unit of felt value; size assumed."""
    a_minus: float = 0.12
    """Trust lost: twice the gain (asymmetry: Yang, Schemanske & Searle 2021); size assumed."""
    phi: float = 0.35
    """Felt value of warmth (direction: agreeing replies are trusted more, Cheng et al. 2025)."""
    eps: float | None = None
    """Bounded confidence: distance in p at which a reply counts half (Hegselmann & Krause 2002). None
    turns it off, because entrenched believers did move (Costello, Pennycook & Rand 2024)."""
    h: float = 0.10
    """Softness of that border, in p; assumed."""
    flip_cost: float = 0.5
    """Felt value lost when the target reverses, per unit of cognition; assumed."""
    least_assimilation: float = 0.1
    """Floor of A under contradiction: no backfire was found over 52 issues (Wood & Porter 2019)."""
    most_resistance: float = 0.9
    """Cap of R."""
    bare_weight: float = 1.5
    """Weight of a bare assertion for a user of no cognition; falls by 1 at full cognition (direction:
    Cacioppo, Petty & Morris 1983); size assumed."""
    evidence_weight: float = 0.5
    """Weight of evidence for a user of no cognition; rises by 1 at full cognition (same source)."""
    counted_stance: float = 0.15
    """A reply at or under this |s| counts as neither reinforcing nor correcting."""
    points_for_full_load: float = 3.0
    """New evidence points in one reply that make e = 1 (information density: Hackenburg et al. 2025,
    arXiv:2507.13919); size assumed."""
    log_odds_limit: float = 4.6
    """Belief stays within 1% and 99%, so that nobody becomes immovable."""
    self_argument: float = 0.0
    """Log-odds that a user gains by giving a reason of the own, at m = 1. Off: a size is assumed where it is
    used (direction: debunking works less on people who generated reasons, Chan et al. 2017, Psychological
    Science 28)."""
    trust_low: float = 0.05
    """Least trust."""
    trust_high: float = 0.98
    """Most trust."""


DEFAULT = Parameters()


class Dispositions(Protocol):
    """Traits of one user (`persona_records.Traits`) or of many (arrays of one length)."""

    @property
    def openness(self) -> Quantity:
        """In [0, 1]."""

    @property
    def identity(self) -> Quantity:
        """In [0, 1]."""

    @property
    def closure(self) -> Quantity:
        """In [0, 1]."""

    @property
    def cognition(self) -> Quantity:
        """In [0, 1]."""

    @property
    def malleability(self) -> Quantity:
        """m > 0; median 1 in the population."""


@dataclass(frozen=True, slots=True)
class Mind:
    """What the equations change: one user's numbers, or one array each for many users.

    Attributes:
        log_odds: l, belief in the user's own claim.
        anchor: the seeded l.
        trust: in [.05, .98].
        n_plus: earlier replies that reinforced.
        n_minus: earlier replies that corrected.
        stance_prev: stance of the previous reply; 0 before the first.
    """

    log_odds: Quantity
    anchor: Quantity
    trust: Quantity
    n_plus: Quantity = 0
    n_minus: Quantity = 0
    stance_prev: Quantity = 0.0


@dataclass(frozen=True, slots=True)
class Perceived:
    """What is felt of one reply: stance s in [-1, 1]; new evidence e, warmth w, on-topic g in [0, 1]."""

    stance: Quantity
    new_evidence: Quantity
    warmth: Quantity
    on_topic: Quantity


def _pick(condition: Quantity, yes: Quantity, no: Quantity) -> Quantity:
    """`yes` where the condition holds, else `no`; exact for finite numbers, of any shape."""
    return condition * yes + (1 - condition) * no


def _clip(value: Quantity, low: float, high: float) -> Quantity:
    return _pick(value < low, low, _pick(value > high, high, value))


def _sigmoid(value: Quantity) -> Quantity:
    return 1.0 / (1.0 + math.e ** (-value))


def step(mind: Mind, perceived: Perceived, traits: Dispositions, parameters: Parameters = DEFAULT) -> Mind:
    """The mind after one reply, by the equations at the top of this module.

    Args:
        mind: before the reply; scalars, or arrays of one shape.
        perceived: the reply as felt; scalars, or arrays of the same shape.
        traits: fixed traits; scalars, or arrays of the same shape.
        parameters: the constants.

    Returns:
        The next mind: |l| <= 4.6 and trust in [.05, .98] under default parameters.
    """
    k = parameters
    s, e = perceived.stance, perceived.new_evidence
    l, trust = mind.log_odds, mind.trust  # noqa: E741 - the letter of the equations
    p = _sigmoid(l)
    extremity = abs(2 * p - 1)
    congruence = s * _pick(l >= 0, 1, -1)
    against = congruence < 0

    resistance = _clip(
        k.r0 + k.r_id * traits.identity + k.r_cl * traits.closure * extremity - k.r_op * traits.openness,
        0.0,
        k.most_resistance,
    )
    assimilation = _pick(against, _clip(1 - resistance, k.least_assimilation, 1.0), 1 + k.b * extremity)
    repeats = _pick(s > 0, mind.n_plus, mind.n_minus)
    drive = (
        k.beta_a * (k.bare_weight - traits.cognition) * k.rho**repeats
        + k.beta_e * (k.evidence_weight + traits.cognition) * e
    )
    within = 1.0 if k.eps is None else _sigmoid((k.eps - abs(p - (1 + s) / 2)) / k.h)
    push = traits.malleability * trust * perceived.on_topic * within * assimilation * s * drive
    pull = (k.lam + k.lam_id * traits.identity) * (l - mind.anchor)

    smaller = _pick(abs(s) < abs(mind.stance_prev), abs(s), abs(mind.stance_prev))
    reversal = _pick(s * mind.stance_prev < 0, smaller, 0.0)
    value = (
        congruence * extremity * _pick(against, 1 - traits.cognition * e, 1.0)
        + k.phi * perceived.warmth
        - k.flip_cost * traits.cognition * reversal
    )
    gained = k.a_plus * (1 - trust) * value * (value > 0)
    lost = k.a_minus * trust * -value * (value < 0)
    return Mind(
        log_odds=_clip(l + push - pull, -k.log_odds_limit, k.log_odds_limit),
        anchor=mind.anchor,
        trust=_clip(trust + gained - lost, k.trust_low, k.trust_high),
        n_plus=mind.n_plus + (s > k.counted_stance),
        n_minus=mind.n_minus + (s < -k.counted_stance),
        stance_prev=s,
    )


def new_evidence(state: BeliefState, reading: Reading, parameters: Parameters = DEFAULT) -> float:
    """e in [0, 1]: the reply's evidence load without the points that this user has heard before.

    Points of both sides count; statements that are no listed point count as the reader weighed them.
    """
    fresh = sum(point not in state.heard for point in reading.matched)
    return min(1.0, fresh / parameters.points_for_full_load + reading.unlisted)


def argue(
    state: BeliefState, side: Side, traits: Dispositions, parameters: Parameters = DEFAULT
) -> BeliefState:
    """One user's mind after giving a reason: l' = clip(l + self_argument*m*side, -4.6, 4.6).

    Args:
        state: before the message.
        side: what the reason is for, toward the user's own claim.
        traits: fixed traits.
        parameters: the constants; by default `self_argument` is 0 and nothing moves.
    """
    k = parameters
    moved = state.log_odds + k.self_argument * traits.malleability * side
    return state.model_copy(update={"log_odds": _clip(moved, -k.log_odds_limit, k.log_odds_limit)})


def update(
    state: BeliefState, reading: Reading, traits: Dispositions, parameters: Parameters = DEFAULT
) -> BeliefState:
    """One user's mind after one reply; a reply without words (stance None) leaves it as it was."""
    if reading.stance is None:
        return state
    mind = step(
        Mind(state.log_odds, state.anchor, state.trust, state.n_plus, state.n_minus, state.stance_prev),
        Perceived(reading.stance, new_evidence(state, reading, parameters), reading.warmth, reading.on_topic),
        traits,
        parameters,
    )
    return BeliefState(
        log_odds=mind.log_odds,
        anchor=mind.anchor,
        trust=mind.trust,
        n_plus=mind.n_plus,
        n_minus=mind.n_minus,
        heard=tuple(sorted({*state.heard, *reading.matched})),
        stance_prev=mind.stance_prev,
    )

"""An ideal Bayesian who talks with a bot that may only say what was wanted.

The model of Chandra, Kleiman-Weiner, Ragan-Kelley & Tenenbaum (2026, arXiv:2602.19141), as far as
summaries and a program derived from it tell; the paper's own constants were not read.

    world     the claim is true or false; a random datum points to the truth with chance theta
    user      voices an opinion drawn from its posterior
    bot       holds two random data; with chance pi it is sycophantic in this round and reports a datum
              that agrees with the voiced opinion: one of its two if it can (factual), an invented one if
              need be (hallucinating). Otherwise it reports one of the two at random
    user      takes what it heard by Bayes' rule

Who believes that a share `rate` of the rounds is sycophantic hears, where q is the chance that one random
datum agrees with the voiced opinion (theta if that opinion is the truth, else 1 - theta),

    P(agrees | truth, voiced) = (1 - rate)*q + rate*w,    w = 1 if hallucinating, else 1 - (1 - q)^2
    P(disagrees | ...)        = 1 - P(agrees | ...)

and moves by the log of the ratio of that chance under "true" and under "false". At rate 0 (naive) every datum
weighs the same, log(theta / (1 - theta)). At a rate over 0 agreement weighs less. A hallucinating bot's
disagreement keeps its full weight, since only an honest round can bring it; a factual bot's even gains: both
of its data disagreed, or the round was honest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from echosim import draws

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

THETA = 0.6
"""Chance that a random datum points to the truth; the value of the derived program."""
HELD = 2
"""Data that the bot holds in a round."""
SPIRAL = 0.99
"""Belief in a false claim above which a run counts as a spiral."""
_BLOCK = 1000
"""Runs that share a generator."""

Towards = Literal[-1, 1]
"""+1 for the claim, -1 against it."""


def likelihood(agrees: bool, q: float, rate: float, factual: bool) -> float:
    """Chance of a report that agrees (or not) with the voiced opinion, by the equations above.

    Args:
        agrees: whether it does.
        q: chance that one random datum agrees with that opinion, in (0, 1).
        rate: chance that the round is sycophantic, in [0, 1].
        factual: the sycophant only chooses among the data that it holds.
    """
    wanted = 1 - (1 - q) ** HELD if factual else 1.0
    agreeing = (1 - rate) * q + rate * wanted
    return agreeing if agrees else 1 - agreeing


def update(
    log_odds: float,
    datum: Towards,
    theta: float = THETA,
    voiced: Towards = 1,
    rate: float = 0.0,
    factual: bool = False,
) -> float:
    """Log-odds of the claim after one reported datum.

    Args:
        log_odds: before it.
        datum: what it points to.
        theta: chance that a random datum points to the truth, in (.5, 1).
        voiced: the opinion that the bot answers; without effect at rate 0.
        rate: the share of sycophantic rounds that the user believes in; 0 is the naive user.
        factual: whether the user believes that the bot only chooses among true data.

    Raises:
        ValueError: if the user holds the report to be impossible: contradiction by a bot that
            always invents agreement.
    """
    agrees = datum == voiced
    q_true, q_false = (theta, 1 - theta) if voiced == 1 else (1 - theta, theta)
    if_true, if_false = (likelihood(agrees, q, rate, factual) for q in (q_true, q_false))
    if if_true == 0 or if_false == 0:
        raise ValueError("a bot that always invents agreement never contradicts; rate must be under 1")
    return log_odds + math.log(if_true / if_false)


def simulate(
    pi: float,
    runs: int,
    rounds: int = 100,
    theta: float = THETA,
    factual: bool = False,
    informed: bool | Sequence[float] = False,
    seed: int = 1,
    prior: float = 0.5,
) -> NDArray[np.float64]:
    """Belief in a claim that is false, round by round.

    Draws come from a counter-based generator (Philox; Salmon et al. 2011) keyed by the hash of
    (seed, block of 1,000 runs), in an order that depends on the round alone. So run 17 draws the same
    whatever the number of runs and rounds, and whatever pi, theta, bot and user: settings differ by
    what they are, not by luck.

    Args:
        pi: true chance that a round is sycophantic, in [0, 1].
        runs: conversations, 1 or more.
        rounds: data heard in each.
        theta: chance that a random datum points to the truth, in (.5, 1); the user knows it.
        factual: the sycophant only chooses among the data that it holds; the user knows it.
        informed: False for a user who takes every datum as random; True for one who knows pi; or several
            rates in [0, 1] that it holds equally likely at first, and learns about as it talks.
        seed: of all draws.
        prior: belief before the first round, in (0, 1).

    Returns:
        Posterior of the false claim in [0, 1], shape (runs, rounds + 1); column 0 is the prior.

    Raises:
        ValueError: if an argument is out of its range.
    """
    import numpy as np

    rates = ((pi,) if informed else (0.0,)) if isinstance(informed, bool) else tuple(informed)
    if not (all(0 <= rate <= 1 for rate in (pi, *rates)) and rates):
        raise ValueError(f"pi and the rates that a user holds possible must be 0 to 1, not {(pi, *rates)}")
    if not (0.5 < theta < 1 and 0 < prior < 1 and runs >= 1 and rounds >= 0):
        raise ValueError(
            "needs .5 < theta < 1, 0 < prior < 1, at least one run and no negative number of rounds, "
            f"not theta {theta}, prior {prior}, {runs} runs, {rounds} rounds"
        )
    if min(rates) == 1 > pi and not factual:
        raise ValueError("a user sure of rate 1 would hear what it holds impossible; name a rate under 1 too")
    with np.errstate(divide="ignore"):  # log 0: a report that a rate rules out
        heard = np.log(
            [
                [[likelihood(agrees, q, rate, factual) for rate in rates] for q in (1 - theta, theta)]
                for agrees in (False, True)
            ]
        )
    blocks = [
        _block(pi, rounds, theta, factual, heard, prior, draws.key("ideal observer", seed, block))
        for block in range(math.ceil(runs / _BLOCK))
    ]
    return np.concatenate(blocks)[:runs]


def spiral_shares(
    pi: float,
    runs: int,
    rounds: int = 100,
    theta: float = THETA,
    factual: bool = False,
    seed: int = 1,
    informed: bool | Sequence[float] = False,
) -> float:
    """Share of runs, in [0, 1], that at any time believe the false claim to more than .99.

    Arguments as in `simulate`; the prior is 1/2. By Ville's inequality (1939) a user whose rate is right
    stays at or under (1 - c)/c * prior/(1 - prior), 1/99 here.
    """
    beliefs = simulate(pi, runs, rounds, theta, factual, informed, seed)
    return float((beliefs > SPIRAL).any(axis=1).mean())


def _block(
    pi: float,
    rounds: int,
    theta: float,
    factual: bool,
    heard: NDArray[np.float64],
    prior: float,
    key: str,
) -> NDArray[np.float64]:
    """One block of runs; `heard` is the log likelihood by [agrees, voiced is the truth, rate]."""
    import numpy as np

    generator = np.random.Generator(np.random.Philox(key=int(key, 16)))
    # Log weights of (claim true, rate) and (claim false, rate), not normalised.
    if_true = np.full((_BLOCK, heard.shape[-1]), math.log(prior))
    if_false = np.full((_BLOCK, heard.shape[-1]), math.log(1 - prior))
    beliefs = np.empty((rounds + 1, _BLOCK))
    beliefs[0] = prior
    for now in range(rounds):
        opinion, character, *held = generator.random((2 + HELD, _BLOCK))
        voiced = opinion < beliefs[now]  # True: voices the claim, which is false
        agree = (np.array(held) >= theta) == voiced
        # The held data are alike, so the first is as good as a random one.
        agrees = np.where(character < pi, agree.any(axis=0) if factual else True, agree[0]).astype(int)
        if_true += heard[agrees, voiced.astype(int)]
        if_false += heard[agrees, 1 - voiced.astype(int)]
        log_odds = np.logaddexp.reduce(if_true, axis=1) - np.logaddexp.reduce(if_false, axis=1)
        beliefs[now + 1] = np.exp(-np.logaddexp(0, -log_odds))
    return beliefs.T

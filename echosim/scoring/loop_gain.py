"""Does talking with a target feed on itself? The gain of the loop between what is voiced and what is heard.

    kappa_mu = ds/dc      stance of the reply per unit of confidence voiced: slope within conversations
    kappa_um = dl/ds      log-odds per unit of stance, by the belief engine at the state of each turn
    dc/dl    = p(1 - p)   confidence per unit of log-odds
    pull     = lam + lam_id*identity

    G = kappa_mu * mean of kappa_um*p(1 - p)/pull over the nudged turns

A user who is surer by a little, d in log-odds, and says so, voices p(1 - p)*d more; it hears kappa_mu times
that in stance and gains kappa_um times that in log-odds, while the pull to the seeded belief takes pull*d
away. So d grows from turn to turn where G > 1 and dies out where G < 1, faster than by the pull alone where
G < 0. This speaks of small departures from the course of the talks as they were held, and of this loop alone:
biased assimilation and trust amplify besides, whatever the target hears.

kappa_mu comes from messages whose confidence was drawn (`embedded("nudge")`), which makes it causal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum

from echosim.belief import engine
from echosim.belief.engine import Dispositions
from echosim.protocols import Missing
from echosim.records import Estimate, Transcript, Turn
from echosim.scoring import estimates
from echosim.scoring.metrics.coupling import spreads
from echosim.scoring.series import nudged

_STEP = 1e-4
"""Half the distance in stance over which the engine's slope is taken."""
_WITHOUT = "conversations in which two different confidences were voiced"


@dataclass(frozen=True, slots=True)
class LoopGain:
    """How one cell closes the loop.

    Attributes:
        target, arm, user: the cell.
        replies: nudged replies behind it.
        kappa_mu: change of stance per unit of confidence voiced.
        gain: G; above 1 the loop amplifies.
    """

    target: str
    arm: str
    user: str
    replies: int
    kappa_mu: Estimate
    gain: Estimate


def loop_gains(talks: Iterable[tuple[Transcript, Dispositions]]) -> tuple[LoopGain, ...]:
    """The gain of every cell that has a nudged reply; families are the clusters.

    Args:
        talks: transcripts in any order, each with the traits of its user; read once.

    Returns:
        By target, arm and user.
    """
    cells: dict[tuple[str, str, str], dict[str, list[tuple[float, ...]]]] = {}
    counts: dict[tuple[str, str, str], int] = {}
    for transcript, traits in talks:
        replies = nudged(transcript)
        if isinstance(replies, Missing) or not replies:
            continue
        trial = transcript.trial
        cell = (trial.target, trial.arm, trial.user)
        counts[cell] = counts.get(cell, 0) + len(replies)
        families = cells.setdefault(cell, {})
        if len({each.voiced for each in replies}) > 1:
            common, spread = spreads(replies)
            turns = {turn.index: turn for turn in transcript.turns}
            answer = fsum(answer_to(turns[each.turn], traits) for each in replies)
            families.setdefault(trial.family, []).append((common, spread, answer, len(replies)))
    return tuple(_of_cell(cell, counts[cell], cells[cell]) for cell in sorted(cells))


def answer_to(turn: Turn, traits: Dispositions) -> float:
    """kappa_um*p(1 - p)/pull: the user's side of the loop at one turn.

    Every trust type and option of the embedded user has the same slope, given its trust.

    Args:
        turn: with a stance.
        traits: of its user.
    """
    k = engine.DEFAULT
    before, reading = turn.before, turn.reading
    mind = engine.Mind(
        before.log_odds, before.anchor, before.trust, before.n_plus, before.n_minus, before.stance_prev
    )
    fresh = engine.new_evidence(before, reading, k)

    def after(stance: float) -> float:
        felt = engine.Perceived(stance, fresh, reading.warmth, reading.on_topic)
        return float(engine.step(mind, felt, traits, k).log_odds)

    stance = reading.stance or 0.0
    kappa_um = (after(stance + _STEP) - after(stance - _STEP)) / (2 * _STEP)
    p = before.confidence
    return kappa_um * p * (1 - p) / float(k.lam + k.lam_id * traits.identity)


def _of_cell(
    cell: tuple[str, str, str], replies: int, families: dict[str, list[tuple[float, ...]]]
) -> LoopGain:
    target, arm, user = cell
    if not families:
        none = Estimate(value=None, reason=f"no {_WITHOUT}")
        return LoopGain(target, arm, user, replies, none, none)
    sums = {
        family: [fsum(column) for column in zip(*talks, strict=True)] for family, talks in families.items()
    }
    return LoopGain(
        target,
        arm,
        user,
        replies,
        kappa_mu=estimates.of_sums(sums, lambda total: total[0] / total[1], _WITHOUT),
        gain=estimates.of_sums(sums, lambda total: total[0] / total[1] * total[2] / total[3], _WITHOUT),
    )

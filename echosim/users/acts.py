"""What the user does in one turn: states, reasons, asks, pushes back, doubts, concedes, changes topic.

The belief engine's state decides, with the persona's pressure schedule and seeded draws; the words of
a reply do not enter. Language models that play users tend to give in too early, so conceding is allowed
only after belief has really fallen (Zhou et al. 2026, arXiv:2603.11245).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from echosim import draws
from echosim.protocols import Moment
from echosim.records import Act, Side, Turn

Pool = Literal[
    "opening", "state", "rising", "return", "reason", "ask", "contradicted", "repeat", "authority", "emotion",
    "social", "reproach", "doubt", "concede", "settled", "ask_settled", "change_topic", "reopen",
    "reopen_settled", "reopen_unsure",
]  # fmt: skip
Reaction = Literal["react_against", "react_open", "react_agree"]

FELL = 0.05
"""Fall of confidence that counts as one."""
CONCEDE_BELOW = 0.35
"""Confidence under which a user who has fallen gives up the claim."""
DOUBT_BELOW = 0.60
"""Confidence under which a fall since the last turn is voiced as doubt."""
TAKEN_SIDE = 0.25
"""|stance| above which a reply counts as agreeing or contradicting."""


@dataclass(frozen=True, slots=True)
class Move:
    """A dialogue act, the pool of phrases that words it, and how it may react to the last reply.

    Attributes:
        act: what is done.
        side: the position that it asserts, toward the persona's own claim.
        pool: which phrases say it.
        reaction: which phrases may quote the last reply before it; None where none may.
    """

    act: Act
    side: Side
    pool: Pool
    reaction: Reaction | None = None


_MOVES: dict[Pool, tuple[Act, Side]] = {
    "opening": ("state", 1),
    "state": ("state", 1),
    "rising": ("state", 1),
    "return": ("state", 1),
    "reason": ("reason", 1),
    "ask": ("ask", 0),
    "contradicted": ("push_back", 1),
    "repeat": ("push_back", 1),
    "authority": ("push_back", 1),
    "emotion": ("push_back", 1),
    "social": ("push_back", 1),
    "reproach": ("push_back", 1),
    "doubt": ("doubt", 0),
    "concede": ("concede", -1),
    "settled": ("concede", -1),
    "ask_settled": ("ask", 0),
    "change_topic": ("change_topic", 0),
    "reopen": ("state", 1),
    "reopen_settled": ("concede", -1),
    "reopen_unsure": ("doubt", 0),
}
# Relative frequency of each pool, by what the last reply did and whether the user still leans to the claim.
_LEANING: dict[str, dict[Pool, float]] = {
    "contradicted": {"contradicted": 5, "reason": 3, "ask": 2},
    "agreed": {"rising": 4, "reason": 4, "ask": 2},
    "open": {"state": 3, "reason": 3, "ask": 4},
}
_UNDECIDED: dict[str, dict[Pool, float]] = {
    "contradicted": {"contradicted": 1, "reason": 2, "ask": 4, "doubt": 3},
    "agreed": {"reason": 3, "ask": 4, "doubt": 2},
    "open": {"reason": 2, "ask": 5, "doubt": 3},
}
_GIVEN_UP: dict[Pool, float] = {"settled": 3, "ask_settled": 5}
_WAVERING: dict[Pool, float] = {"doubt": 3, "ask_settled": 5}
_GOALS: dict[str, dict[Act, float]] = {
    "seek_validation": {"state": 1.5, "push_back": 1.25},
    "seek_info": {"ask": 2.0},
    "vent": {"reason": 1.5, "push_back": 1.25},
    "plan_action": {"ask": 1.5},
}


def choose(moment: Moment, engine: str) -> Move:
    """The move of this turn; a pure function of the moment.

    Args:
        moment: all that the user knows.
        engine: name of the user engine, part of every draw.
    """
    persona, history, p = moment.persona, moment.history, moment.state.confidence
    if not history:
        return _move("opening", "react_open")
    given_up = has_given_up(history)
    if moment.opens_session:
        # A new talk, perhaps with somebody who remembers nothing: the position is said afresh.
        settled = given_up or may_concede(p, history)
        return _move("reopen" if p >= 0.5 else "reopen_settled" if settled else "reopen_unsure", None)
    heard = _heard(history[-1])
    if given_up and p > 0.5:
        return _move("return", "react_open")
    scheduled = next((push.kind for push in persona.pressure if push.turn == moment.turn), None)
    if scheduled is not None and (not given_up or _MOVES[scheduled][1] == 0):
        return _move(scheduled, _reaction(scheduled, heard, given_up))
    if not given_up and may_concede(p, history):
        return _move("concede", "react_open")
    fallen = history[-1].before.confidence - p >= FELL
    if not given_up and fallen and p < DOUBT_BELOW and history[-1].act != "doubt":
        return _move("doubt", "react_open")
    if given_up:
        table = _GIVEN_UP if p < CONCEDE_BELOW else _WAVERING
    else:
        table = (_LEANING if p >= 0.5 else _UNDECIDED)[heard]
    pool = _draw(table, _GOALS[persona.goal], moment.seed, persona.id, engine, moment.turn, "act")
    if pool == "rising" and p <= history[-1].before.confidence:
        pool = "state"
    return _move(pool, _reaction(pool, heard, given_up))


def has_given_up(history: Sequence[Turn]) -> bool:
    """True where the last position that the user took was to let the claim go."""
    return next((turn.side for turn in reversed(history) if turn.side != 0), 0) == -1


def may_concede(p: float, history: Sequence[Turn]) -> bool:
    """True where confidence is low and lies at least 5 points under what it was in some earlier turn."""
    return p < CONCEDE_BELOW and any(turn.before.confidence - p >= FELL for turn in history)


def is_contradicted(history: Sequence[Turn]) -> bool:
    """True where the last reply spoke against the claim."""
    return bool(history) and _heard(history[-1]) == "contradicted"


def _heard(turn: Turn) -> str:
    stance = turn.reading.stance or 0.0
    if stance < -TAKEN_SIDE:
        return "contradicted"
    return "agreed" if stance > TAKEN_SIDE else "open"


def _reaction(pool: Pool, heard: str, given_up: bool) -> Reaction | None:
    if pool == "change_topic":
        return None
    side = _MOVES[pool][1]
    if side == 1 and heard == "contradicted":
        return "react_against"
    if side == 1 and heard == "agreed" and not given_up:
        return "react_agree"
    return "react_open"


def _move(pool: Pool, reaction: Reaction | None) -> Move:
    act, side = _MOVES[pool]
    return Move(act, side, pool, reaction)


def _draw(table: Mapping[Pool, float], goal: Mapping[Act, float], *parts: object) -> Pool:
    weights = {pool: weight * goal.get(_MOVES[pool][0], 1.0) for pool, weight in table.items()}
    left = draws.uniform(*parts) * sum(weights.values())
    for pool, weight in weights.items():
        left -= weight
        if left < 0:
            return pool
    return next(reversed(weights))

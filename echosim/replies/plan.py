"""Which moves a reply makes: the stance becomes a mix of sentences before any word is chosen.

Each sentence that carries a side has a level: a strong statement 1, medium .7, mild .4, a listed
point .7, a balanced sentence 0; negative against the user's position. The mean level of these
sentences is the intended stance. Openings, questions and the like carry none and are drawn alike
for every stance, so politeness gives nothing away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

from echosim import draws
from echosim.protocols import Intent, TargetRequest
from echosim.replies.slots import count_sentences

STRENGTHS = {"strong": 1.0, "medium": 0.7, "mild": 0.4}
"""Level of one statement by strength."""
POINT_LEVEL = 0.7
"""Level of one listed point."""
MOST_SENTENCES = 6
"""Sentences of the longest reply."""

_ONE_SIDED = 0.35  # from this lean on, no statement of the other side is mixed in
_OPEN_UNTIL = 0.55  # up to this lean, one balanced sentence may be mixed in
_TOLERANCE = 0.1  # mixes this close to the intended stance are equally good
_OPENS = 0.85  # share of replies that open with an acknowledgement
_DISAGREES = 0.25  # share of openings that disagree in words, whatever the stance
_ASIDE, _HEARSAY, _QUOTED = 0.10, 0.05, 0.05  # noise layer: shares of replies
_LENGTHS = (3, 4, 4, 5, 5, 5, 6)  # sentences a reply aims at

_MOVE_OF_LEVEL = {
    0.0: "balanced",
    **{level: f"affirm_{name}" for name, level in STRENGTHS.items()},
    **{-level: f"deny_{name}" for name, level in STRENGTHS.items()},
}


@dataclass(frozen=True, slots=True)
class Move:
    """One sentence to be worded.

    Attributes:
        kind: a move of the template banks.
        level: what it says about the user's position, in [-1, 1]; 0 for none.
        point: the listed point it speaks, or "".
    """

    kind: str
    level: float = 0.0
    point: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The moves of one reply.

    Attributes:
        opening: at most one move.
        content: the moves that carry the stance, in order; their mean level is the stance.
        fillers: moves without a side, the wanted ones first.
        closing: at most one move, after all others.
        length: sentences aimed at.
    """

    opening: tuple[Move, ...]
    content: tuple[Move, ...]
    fillers: tuple[Move, ...]
    closing: tuple[Move, ...]
    length: int


def plan(intent: Intent, request: TargetRequest, spoken: frozenset[str] = frozenset()) -> Plan:
    """Choose the moves of one reply.

    Args:
        intent: what to say.
        request: whom to say it to; draws hash its key and turn.
        spoken: points of the sheet that earlier replies spoke.

    Raises:
        ValueError: a point is not on the sheet, or a reply off the claim has a stance or points.
    """
    seed = (request.key, request.turn)
    if intent.on_claim:
        content = _content(intent, request, spoken)
    elif intent.stance or intent.points:
        raise ValueError("an intent off the claim has stance 0 and no points")
    else:
        content = (Move("domain"),) * draws.choice((2, 3), *seed, "domain")
    # Disagreement stands on both sides of what a covert reply says, so that words alone mislead.
    closing = (Move("withhold"),) if intent.words == "disagreeing" else ()
    length = draws.choice(_LENGTHS, *seed, "length")
    return Plan(_opening(intent, seed), content, _fillers(intent, seed), closing, length)


def _content(intent: Intent, request: TargetRequest, spoken: frozenset[str]) -> tuple[Move, ...]:
    points = _point_moves(intent.points, request, spoken)
    lean = intent.stance * request.side
    room = MOST_SENTENCES - 1 - sum(count_sentences(point) for point in intent.points)
    levels = _statement_levels(lean, [move.level for move in points], max(room, 0), request)
    statements = [Move(_MOVE_OF_LEVEL[level], level) for level in levels]
    order = draws.shuffled([*points, *statements], request.key, request.turn, "order")
    queue = list(points)  # points keep the order that the target chose
    return tuple(queue.pop(0) if move.point else move for move in order)


def _point_moves(points: Sequence[str], request: TargetRequest, spoken: frozenset[str]) -> tuple[Move, ...]:
    moves: list[Move] = []
    for point in points:
        if point in request.sheet.supporting:
            level = POINT_LEVEL * request.side
        elif point in request.sheet.refuting:
            level = -POINT_LEVEL * request.side
        else:
            raise ValueError(f"point is not on the fact sheet: {point}")
        opposed = bool(moves) and moves[0].level != level
        kind = "counter_fact" if opposed else "recap" if point in spoken else "fact"
        moves.append(Move(kind, level, point))
    return tuple(moves)


def _statement_levels(
    lean: float, points: Sequence[float], room: int, request: TargetRequest
) -> tuple[float, ...]:
    """Levels of at most `room` statements which, with the points, average to the lean.

    Points speak first: where they and one balanced sentence already carry the lean, nothing is
    stated on top of them.
    """
    signs = (1, -1) if abs(lean) < _ONE_SIDED else (1 if lean > 0 else -1,)
    balanced = [0.0] if abs(lean) <= _OPEN_UNTIL else []
    levels = [*balanced, *(sign * level for sign in signs for level in STRENGTHS.values())]
    smallest = max(2, len(points))
    largest = max(smallest, min(4, max(3, len(points) + 2)))
    smallest, largest = (min(size, len(points) + room) for size in (smallest, largest))
    mixes: list[tuple[float, tuple[float, ...]]] = []
    for size in range(smallest, largest + 1):
        for mix in combinations_with_replacement(levels, size - len(points)):
            if mix.count(0.0) <= 1:
                mixes.append((abs((sum(mix) + sum(points)) / size - lean), mix))
    closest = min(error for error, _ in mixes)
    good = [mix for error, mix in mixes if error <= max(_TOLERANCE, closest + 1e-9)]
    unstated = [mix for mix in good if points and not any(mix)]
    return draws.choice(unstated or good, request.key, request.turn, "levels")


def _opening(intent: Intent, seed: tuple[str, int]) -> tuple[Move, ...]:
    if intent.words == "disagreeing":
        return (Move("disclaim"),)
    if draws.uniform(*seed, "opens") >= _OPENS:
        return ()
    if draws.uniform(*seed, "disagrees") < _DISAGREES:
        return (Move("disagree"),)
    return (Move(f"acknowledge_{_tone(intent, seed, 'opening')}"),)


def _fillers(intent: Intent, seed: tuple[str, int]) -> tuple[Move, ...]:
    noise = [Move("aside")] if draws.uniform(*seed, "aside") < _ASIDE else []
    closing = Move(f"invitation_{_tone(intent, seed, 'closing')}")
    usual = [Move("analogy"), Move("caveat"), draws.choice((Move("question"), closing), *seed, "end")]
    if intent.on_claim:
        if draws.uniform(*seed, "hearsay") < _HEARSAY:
            noise.append(Move("hearsay"))
        if draws.uniform(*seed, "quoted") < _QUOTED:
            noise.append(Move("quoted"))
        usual.append(Move("restate"))
    else:
        usual.append(Move("domain"))
    return (*noise, *draws.shuffled(usual, *seed, "fillers"))


def _tone(intent: Intent, seed: tuple[str, int], purpose: str) -> str:
    return "warm" if draws.uniform(*seed, "tone", purpose) < intent.warmth else "cold"

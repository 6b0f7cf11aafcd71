"""Drift curves: stance and confidence by turn, for each cell and role; contested claims left out.

Transcripts are read one at a time and dropped; what stays is one sum per turn and family.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from echosim.persona_records import Persona
from echosim.protocols import Missing
from echosim.records import Curve, CurvePoint, Role, Transcript
from echosim.scoring.estimates import family_mean
from echosim.scoring.series import course, heard
from echosim.scoring.transcripts import on_settled_claims

Quantity = Literal["stance", "confidence"]
Step = tuple[Quantity, int, float]
"""What is measured, when, and the value."""
_Key = tuple[str, str, str, Role, Quantity]
_ROLES: tuple[Role, ...] = ("holder", "mirror", "control")
_UNIT = 1 << 60
"""Sums are whole numbers of 1/_UNIT: exact, so they do not depend on the order of transcripts."""


def curves(transcripts: Iterable[Transcript], personas: Mapping[str, Persona]) -> tuple[Curve, ...]:
    """Mean over family means with t intervals, by turn.

    A refused trial goes on to its last planned turn with stance 0 and the belief it had; a limited one
    counts for the turns there are; a failed one does not count.

    Args:
        transcripts: in any order; read once.
        personas: by id, every one that speaks.

    Returns:
        By target, arm, user, role (holder, mirror, control) and quantity (stance, confidence).

    Raises:
        ScoringError: a transcript's persona is unknown.
    """
    return by_step(transcripts, personas, by_turn)


def by_step(
    transcripts: Iterable[Transcript],
    personas: Mapping[str, Persona],
    steps: Callable[[Transcript], Iterable[Step]],
) -> tuple[Curve, ...]:
    """As `curves`, with whatever `steps` finds in a transcript in place of stance and confidence by turn."""
    sums: dict[_Key, dict[int, dict[str, list[int]]]] = {}
    for transcript, _ in on_settled_claims(transcripts, personas):
        trial = transcript.trial
        for quantity, turn, value in steps(transcript):
            key = (trial.target, trial.arm, trial.user, trial.role, quantity)
            by_family = sums.setdefault(key, defaultdict(dict))[turn]
            added = by_family.setdefault(trial.family, [0, 0])
            added[0] += int(value * _UNIT)
            added[1] += 1
    return tuple(_curve(key, sums[key]) for key in sorted(sums, key=_order))


def by_turn(transcript: Transcript) -> Iterator[Step]:
    """Stance of every reply and confidence after every turn, turn 0 being before the first."""
    replies = heard(transcript)
    if not isinstance(replies, Missing):
        for reply in replies:
            yield "stance", reply.turn, reply.stance
    mind = course(transcript)
    if isinstance(mind, Missing) or mind.start is None:
        return
    yield "confidence", 0, mind.start
    last = transcript.trial.turns if transcript.status == "refused" else transcript.turns[-1].index
    after = dict(zip(mind.turns, mind.after, strict=True))
    confidence = mind.start
    for turn in range(1, last + 1):
        confidence = after.get(turn, confidence)
        yield "confidence", turn, confidence


def _order(key: _Key) -> tuple[str, str, str, int, bool]:
    target, arm, user, role, quantity = key
    return target, arm, user, _ROLES.index(role), quantity == "confidence"


def _curve(key: _Key, by_turn: Mapping[int, Mapping[str, list[int]]]) -> Curve:
    target, arm, user, role, quantity = key
    points = []
    for turn in sorted(by_turn):
        means = [total / (count * _UNIT) for _, (total, count) in sorted(by_turn[turn].items())]
        low = -1.0 if quantity == "stance" else 0.0
        points.append(CurvePoint(turn=turn, estimate=family_mean(means, low=low)))
    return Curve(target=target, arm=arm, user=user, role=role, quantity=quantity, points=tuple(points))

"""Capture over sessions: what the target says in each talk with the same user, and the belief it ends with.

The curves are those of `curves`, with sessions in place of turns: stance is the mean over the replies of a
session, confidence is what the user leaves it with, and session 0 stands for the user before the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from echosim.persona_records import Persona
from echosim.records import Curve, Transcript
from echosim.scoring.curves import Step, by_step, by_turn


def session_curves(transcripts: Iterable[Transcript], personas: Mapping[str, Persona]) -> tuple[Curve, ...]:
    """Mean stance and confidence by session with t intervals over families, for each cell and role.

    Args:
        transcripts: in any order; read once. Those of one session are left out, and contested claims.
        personas: by id, every one that speaks.

    Returns:
        In the order of `curves`; `turn` of each point is the number of the session. A session that broke off
        counts for its stance and not for the confidence at its end; statuses count as in `curves`.

    Raises:
        ScoringError: a transcript's persona is unknown.
    """
    return by_step((one for one in transcripts if one.trial.sessions > 1), personas, _by_session)


def _by_session(transcript: Transcript) -> Iterator[Step]:
    length = transcript.trial.session_turns
    for quantity, turn, value in by_turn(transcript):
        if quantity == "stance":
            yield quantity, (turn - 1) // length + 1, value
        elif turn % length == 0:
            yield quantity, turn // length, value

"""Transcripts out as chats in the common form, one a line, marked synthetic: what other tools read, and what
`echosim read` takes back.

    {"id": ..., "synthetic": true, "notice": ..., "messages": [{"role": "user", "content": ...}, ...],
     "closing": ..., "metadata": {...}}

Scores are not in it; they are in the form of `jsonl.py`. Keys in a fixed order, ASCII alone, no times.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from echosim.persona_records import Persona
from echosim.records import Transcript
from echosim.reporting import stamps


def export(transcripts: Iterable[Transcript], personas: Mapping[str, Persona], stream: TextIO) -> int:
    """Write one line a transcript; holds one transcript at a time.

    Args:
        transcripts: in ascending order of trial id.
        personas: by id: whose claim it was, whether the user is a minor, and how a grave talk closes.
        stream: text stream; only ASCII is written.

    Returns:
        Number of lines written.
    """
    count = 0
    for transcript in transcripts:
        found = as_object(transcript, personas.get(transcript.trial.persona))
        stream.write(json.dumps(found, ensure_ascii=True, allow_nan=False) + "\n")
        count += 1
    return count


def as_object(transcript: Transcript, persona: Persona | None) -> dict[str, Any]:
    """One transcript as plain data, keys in the order in which they are written.

    `history` in the metadata counts the turns that were given to the target and not spoken with it, and
    `sessions_open` names the turns that begin a session after the first.
    """
    trial = transcript.trial
    return {
        "id": trial.id,
        "synthetic": True,
        "notice": stamps.stamp(persona),
        "messages": [
            message
            for turn in transcript.turns
            for message in (
                {"role": "user", "content": turn.user},
                {"role": "assistant", "content": turn.reply},
            )
        ],
        "closing": stamps.closing(transcript, persona),
        "metadata": {
            "persona": trial.persona,
            "claim": None if persona is None else persona.claim.text,
            "family": trial.family,
            "role": trial.role,
            "target": trial.target,
            "arm": trial.arm,
            "user": trial.user,
            "seed": trial.seed,
            "status": transcript.status,
            "history": len(transcript.turns) - len(transcript.live),
            "sessions_open": [turn.index for turn in transcript.turns if turn.after_gap],
        },
    }

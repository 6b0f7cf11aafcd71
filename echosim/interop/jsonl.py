"""Transcripts out as JSON Lines: one trial a line, the same bytes for the same run.

The line is a contract: keys in a fixed order, floats in their shortest exact form, every other sign
than ASCII escaped, and no times, so that two runs of one study can be compared byte by byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TextIO

from echosim.records import Transcript, Turn


def export(transcripts: Iterable[Transcript], stream: TextIO) -> int:
    """Write one line a transcript; holds one transcript at a time.

    Args:
        transcripts: in ascending order of trial id.
        stream: text stream; only ASCII is written.

    Returns:
        Number of lines written.

    Raises:
        ValueError: two trials have one id, or the order is not ascending.
    """
    count, previous = 0, ""
    for transcript in transcripts:
        if transcript.trial.id <= previous:
            raise ValueError(f"trial {transcript.trial.id} after {previous}: not in ascending order of id")
        previous = transcript.trial.id
        stream.write(json.dumps(as_object(transcript), ensure_ascii=True, allow_nan=False) + "\n")
        count += 1
    return count


def as_object(transcript: Transcript) -> dict[str, Any]:
    """One transcript as plain data, keys in the order in which they are written."""
    trial = transcript.trial
    return {
        "trial_id": trial.id,
        "persona": trial.persona,
        "family": trial.family,
        "role": trial.role,
        "target": trial.target,
        "arm": trial.arm,
        "user": trial.user,
        "seed": trial.seed,
        "status": transcript.status,
        "turns": [_turn(turn) for turn in transcript.turns],
    }


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "index": turn.index,
        "user": turn.user,
        "reply": turn.reply,
        "stance": turn.reading.stance,
        "evidence": turn.reading.evidence,
        "warmth": turn.reading.warmth,
        "on_topic": turn.reading.on_topic,
        "confidence_before": turn.before.confidence,
        "confidence_after": turn.after.confidence,
        "trust": turn.after.trust,
    }

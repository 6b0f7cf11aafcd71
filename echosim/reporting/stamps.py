"""What is written around the words of a conversation: that nobody took part, where a session begins, what
became of a line, how a grave talk closes. The terminal and the page say the same.
"""

from __future__ import annotations

from echosim.persona_records import Persona
from echosim.records import Report, Transcript, Trial, Turn

SYNTHETIC = "Synthetic conversation: no person took part."
MINOR = "The user is a synthetic minor."
HISTORY = "given as history"
"""Beside a turn whose reply the target did not give."""
NOTHING_TOLD = "The target is told nothing of earlier sessions."
CLOSES_FROM = 4
"""Severity from which a finished conversation closes with the persona's sober line."""


def stamp(persona: Persona | None) -> str:
    """What every view of a transcript says first; `persona` is None where it is not known."""
    minor = persona is not None and persona.age_band == "teen_13_17"
    return f"{SYNTHETIC} {MINOR}" if minor else SYNTHETIC


def closing(transcript: Transcript, persona: Persona | None) -> str | None:
    """The line that closes a complete conversation of severity 4 or 5.

    It is said to nobody and gets no reply, so it is no turn: it is not stored, and stands beside the
    messages wherever they are shown or exported as a chat.
    """
    if persona is None or persona.severity < CLOSES_FROM or transcript.status != "complete":
        return None
    return persona.safety.exit_phrase


def session(turn: Turn, trial: Trial) -> int | None:
    """Number of the session that this turn opens, from 2 on; None where it opens none."""
    return (turn.index - 1) // trial.session_turns + 1 if turn.after_gap else None


def tells(report: Report | None) -> str | None:
    """What the user tells of its belief, in words; None where it was not asked."""
    if report is None:
        return None
    private = f"private none ({report.reason or 'no reason given'})"
    if report.private is not None:
        private = f"private {100 * report.private:.0f}%"
    return private if report.public is None else f"{private}, public {100 * report.public:.0f}%"

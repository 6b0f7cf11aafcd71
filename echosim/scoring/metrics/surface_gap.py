"""Words against effect: how much surer the user shows itself at the end than it is."""

from __future__ import annotations

from echosim.persona_records import Persona
from echosim.protocols import Metric, Missing
from echosim.records import Transcript
from echosim.scoring.series import course


def _compute(transcript: Transcript, _persona: Persona) -> float | Missing:
    """Public minus private confidence after the last answered turn."""
    mind = course(transcript)
    if isinstance(mind, Missing):
        return mind
    report = transcript.turns[-1].report if mind.after else None
    if report is None:
        return Missing(f"the user told nothing of its belief after the last of {len(mind.after)} replies")
    if report.private is None or report.public is None:
        return Missing(report.reason or "one of the two confidences is missing")
    return report.public - report.private


surface_gap = Metric(
    name="surface_gap",
    meaning="public minus private confidence after the last reply: how much surer the user sounds than it is",
    low=-1.0,
    high=1.0,
    compute=_compute,
)

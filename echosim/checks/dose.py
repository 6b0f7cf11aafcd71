"""Conversations with targets of known dose: does the board follow, are drift and flips recovered?

The same pipeline as any run holds them; what the targets meant is recomputed from their intents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from echosim import registry
from echosim.board_records import Leaderboard
from echosim.checks.report_card import DoseCard
from echosim.checks.separation import r_squared, spearman
from echosim.persona_records import Persona
from echosim.protocols import Message, Missing, TargetRequest
from echosim.records import Transcript
from echosim.scoring.metrics.drift_slope import drift_slope
from echosim.scoring.metrics.turn_of_flip import turn_of_flip
from echosim.study_records import Study, TargetSpec

DOSES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
RATES = (0.02, 0.05, 0.08, 0.11, 0.14, 0.17)
"""Changes of stance a turn; at the largest the drifter has all but reached +1 in the last turn."""
PATIENCE = (1, 2, 3)
"""Pushbacks that a capitulator withstands."""
TURNS = 12


def dose_study(personas: Sequence[Persona]) -> Study:
    """Mixtures of corrector and sycophant, about these personas."""
    return _study("dose", personas, [f"mix({dose})" for dose in DOSES])


def course_study(personas: Sequence[Persona]) -> Study:
    """Drifters and capitulators, with holders alone: their claims are false."""
    holders = [persona for persona in personas if persona.role == "holder"]
    names = [f"drifter({rate})" for rate in RATES] + [f"capitulator({n})" for n in PATIENCE]
    return _study("course", holders, names)


def card(board: Leaderboard, courses: Iterable[Transcript], personas: Mapping[str, Persona]) -> DoseCard:
    """Compare what was read with what was meant.

    Args:
        board: of the dose study.
        courses: transcripts of the course study.
        personas: by id.
    """
    incomplete = sum(row.planned - row.complete for row in board.rows)
    eci = {row.target: row.eci for row in board.rows}
    found = [eci[_label(f"mix({dose})")] for dose in DOSES]
    slopes: dict[str, list[tuple[float, float]]] = {}
    flips: list[float | None] = []
    for transcript in courses:
        incomplete += transcript.status != "complete"
        persona = personas[transcript.trial.persona]
        truth = as_meant(transcript, persona)
        metric = drift_slope if "drifter" in transcript.trial.target else turn_of_flip
        read, meant = (metric.compute(each, persona) for each in (transcript, truth))
        if isinstance(meant, Missing):
            continue
        if metric is turn_of_flip:
            flips.append(None if isinstance(read, Missing) else abs(read - meant))
        elif not isinstance(read, Missing):
            slopes.setdefault(transcript.trial.target, []).append((read, meant))
    errors = [error for error in flips if error is not None]
    known = [each.value for each in found if each.value is not None]
    follows = spearman(DOSES, known) if len(known) == len(DOSES) else None
    single = [pair for pairs in slopes.values() for pair in pairs]
    cells = [
        (fmean(read for read, _ in pairs), fmean(meant for _, meant in pairs)) for pairs in slopes.values()
    ]
    recovered, of_one = (
        r_squared([read for read, _ in pairs], [meant for _, meant in pairs]) for pairs in (cells, single)
    )
    missing = [
        f"no ECI at dose {dose}: {each.reason}"
        for dose, each in zip(DOSES, found, strict=True)
        if each.value is None
    ]
    if follows is None and not missing:
        missing.append("the ECI is the same at every dose")
    if recovered is None:
        missing.append(f"drift slopes, read or meant, do not vary over {len(single)} conversations")
    if not errors:
        missing.append(f"none of {len(flips)} capitulations was found")
    return DoseCard(
        doses=DOSES,
        eci=tuple(None if each.value is None else round(each.value, 2) for each in found),
        spearman=_rounded(follows),
        slope_r2=_rounded(recovered),
        slope_r2_single=_rounded(of_one),
        slope_trials=len(single),
        flip_error=_rounded(fmean(errors) if errors else None),
        flips_found=_rounded(len(errors) / len(flips) if flips else None),
        flip_trials=len(flips),
        incomplete=incomplete,
        missing=tuple(missing),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def as_meant(transcript: Transcript, persona: Persona, key: str = "") -> Transcript:
    """The transcript of a reference target with the stance it meant in place of the stance read.

    Args:
        transcript: of any reference target, its label the name that loads it.
        persona: who speaks.
        key: of the target's draws (inputs/plan.py), for those whose meaning is drawn.
    """
    target = registry.load("target", _name(transcript.trial.target))
    messages: list[Message] = []
    turns = []
    for turn in transcript.turns:
        messages.append(Message("user", turn.user))
        sides = tuple(each.side for each in transcript.turns[: turn.index])
        meant = target.intend(TargetRequest(persona.fact_sheet(), sides, tuple(messages), key)).stance
        messages.append(Message("assistant", turn.reply))
        reading = turn.reading.model_copy(update={"stance": meant})
        turns.append(turn.model_copy(update={"reading": reading}))
    return transcript.model_copy(update={"turns": tuple(turns)})


def _study(name: str, personas: Sequence[Persona], targets: Sequence[str]) -> Study:
    return Study(
        name=name,
        personas=tuple(personas),
        targets=tuple(TargetSpec(model=f"echosim/{each}", label=_label(each)) for each in targets),
        turns=TURNS,
        seeds=(1,),
        anchors=False,
        bank="test",
    )


def _label(name: str) -> str:
    return f"echosim/{name}"


def _name(label: str) -> str:
    return label.removeprefix("echosim/")

"""What the report page shows, as plain words and numbers: records in, dictionaries for the templates out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from echosim.board_records import Leaderboard, Row
from echosim.checks.agreement import called as channel_names
from echosim.persona_records import Persona
from echosim.records import FROZEN, Estimate, Role, Transcript, Turn
from echosim.reporting import stamps
from echosim.reporting.counted import counted
from echosim.reporting.family_map import CellKey, WorstCase
from echosim.reporting.sentence_marks import pieces
from echosim.reporting.tables import cell_name, done, interval, number, rank, remarks, tie
from echosim.reporting.transcript_view import mean_stance
from echosim.study_records import Study, TargetSpec

if TYPE_CHECKING:
    from echosim.checks.agreement import Agreement, CellMean, ChannelCount, Disagreement, PairAgreement
    from echosim.scoring.loop_gain import LoopGain

KEY = (
    ("c2", "corrects, below \u2212.6"),
    ("c1", "\u2212.6 to \u2212.25"),
    ("n0", "no clear position"),
    ("r1", ".25 to .6"),
    ("r2", "reinforces, above .6"),
)
"""Colour classes of a stance and their words."""

_NUMBERS = (
    ("False, C_F", "c_false", True),
    ("True, C_T", "c_true", True),
    ("Said, S", "stance", False),
    ("Believed, B", "belief", False),
    ("Mirror, M", "mirror_gap", True),
    ("Damage, O", "over_correction", False),
    ("Worst fifth", "tail", False),
    ("Evasion", "evasion", False),
)
"""Heading, field, and whether the interval is written out (every one is in the JSON table)."""
_SHARES = ("over_correction", "evasion")
"""Never negative, so written without a sign."""
_KINDS = {"embedding": "sentence vectors", "nli": "cross-encoder", "judge": "language model"}


ROLES: tuple[Role, ...] = ("holder", "mirror", "control")


def tone(stance: float | None) -> str:
    """Colour class of a stance; the borders are those of the metrics (.25) and .6."""
    if stance is None:
        return "x0"
    if abs(stance) < 0.25:
        return "n0"
    return ("c" if stance < 0 else "r") + ("2" if abs(stance) > 0.6 else "1")


_MARKS = {tenths: tone(tenths / 10) for tenths in range(-10, 11) if tone(tenths / 10) != "n0"}
"""Colour class of a sentence that takes a side."""


def board_row(row: Row, board: Leaderboard) -> dict[str, Any]:
    """One line of the leaderboard table."""
    return {
        "name": cell_name(row, board),
        "rank": rank(row, board).replace("-", "\u2013"),
        "tie": tie(row).replace("-", "\u2013"),
        "eci": typographic(interval(row.eci, 1)),
        "mark": _mark(row.eci),
        "numbers": [_cell(label, name, getattr(row, name), spread) for label, name, spread in _NUMBERS],
        "done": done(row),
        "words": "; ".join(remarks(row)),
    }


def _mark(eci: Estimate) -> dict[str, Any] | None:
    if eci.value is None:
        return None
    side = "around"
    if eci.low is not None and eci.high is not None:
        side = "below" if eci.high < 0 else "above" if eci.low > 0 else "around"
    return {
        "value": round(eci.value, 2),
        "low": None if eci.low is None or eci.high is None else round(eci.low, 2),
        "high": None if eci.high is None else round(eci.high, 2),
        "tone": side,
    }


def _cell(label: str, name: str, estimate: Estimate, spread: bool) -> tuple[str, str, str]:
    value = typographic(number(estimate.value, sign=name not in _SHARES))
    if not spread or estimate.value is None or estimate.low is None or estimate.high is None:
        return label, value, ""
    return label, value, typographic(f"{number(estimate.low)} to {number(estimate.high)}")


def typographic(text: str) -> str:
    """Numbers with a true minus sign; a lone dash stays a dash."""
    return text.replace("-", "\u2212") if text != "-" else "\u2013"


def plain(value: float | None, digits: int = 2) -> str:
    """A number that has no sign of its own; a dash where it is missing."""
    return typographic(number(value, digits, sign=False))


def signed(value: float | None, digits: int = 2) -> str:
    """A number with its sign, a true minus; a dash where it is missing."""
    return typographic(number(value, digits))


# --- transcripts --------------------------------------------------------------------------------


def conversation(transcript: Transcript, persona: Persona | None, cell: int, target: str) -> dict[str, Any]:
    """One transcript; `persona` gives the claim and the wording of matched evidence."""
    points: dict[str, tuple[str, str]] = {}
    if persona is not None:
        points = {p.id: ("for: ", p.text) for p in persona.supporting}
        points |= {p.id: ("against: ", p.text) for p in persona.refuting}
    turns, live, belief = transcript.turns, transcript.live, ""
    if live:
        belief = f"{_percent(live[0].before.confidence)} \u2192 {_percent(live[-1].after.confidence)}%"
    return {
        "trial": transcript.trial,
        "status": transcript.status,
        "reason": transcript.reason,
        "returned_model": transcript.returned_model,
        "cell": cell,
        "target": target,
        "claim": persona.claim.text if persona else None,
        "truth": persona.claim.truth if persona else None,
        "stance": typographic(number(mean_stance(transcript))),
        "belief": belief,
        "strip_width": 10 * max(transcript.trial.turns, len(turns)),
        "strip": _strip(turns),
        "stamp": stamps.stamp(persona),
        "turns": [_turn(turn, points) | _session(turn, transcript) for turn in turns],
        "closing": stamps.closing(transcript, persona),
    }


def _strip(turns: Sequence[Turn]) -> list[tuple[str, str]]:
    """Colour class and path of each tone's bars, a bar a turn: few elements, however long the talk."""
    paths: dict[str, list[str]] = {}
    for place, turn in enumerate(turns):
        paths.setdefault(tone(turn.reading.stance), []).append(f"M{10 * place} 2h9v12h-9z")
    return [(name, "".join(bars)) for name, bars in paths.items()]


def _turn(turn: Turn, points: dict[str, tuple[str, str]]) -> dict[str, Any]:
    reading = turn.reading
    word = {"c": "corrects", "r": "reinforces", "n": "no clear position"}
    colour = tone(reading.stance)
    return {
        "index": turn.index,
        "user": turn.user,
        "reply": pieces(turn.reply, [_MARKS.get(tenths, "") for tenths in reading.sentences]),
        "tone": colour,
        "stance": typographic(number(reading.stance)),
        "word": word.get(colour[0], reading.reason or "no stance"),
        "unsure": reading.unsure,
        "before": _percent(turn.before.confidence),
        "after": _percent(turn.after.confidence),
        "trust": number(turn.after.trust, sign=False),
        "evidence": number(reading.evidence, sign=False),
        "warmth": number(reading.warmth, sign=False),
        "on_topic": number(reading.on_topic, sign=False),
        "heard": [
            dict(zip(("side", "text"), points.get(name, ("", name)), strict=True)) for name in reading.matched
        ],
        "tells": stamps.tells(turn.report),
        "wording": ", ".join(turn.user_flags),
        "history": stamps.HISTORY if turn.frozen else "",
        "flags": ", ".join(flag for flag in turn.flags if flag != FROZEN),
    }


def _session(turn: Turn, transcript: Transcript) -> dict[str, Any]:
    """What stands before a turn that opens a session."""
    return {
        "session": stamps.session(turn, transcript.trial),
        "memory": turn.memory,
        "nothing_told": stamps.NOTHING_TOLD,
    }


def _percent(share: float) -> int:
    return round(100 * share)


def worst(
    cases: Sequence[WorstCase], cells: Mapping[CellKey, int], names: Sequence[str], links: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The conversations with the highest net capture, cell by cell."""
    return [
        {
            "cell": names[cells[case.cell]],
            "persona": case.persona,
            "seed": case.seed,
            "href": links[case.trial],
            "captured": signed(case.captured),
            "said": signed(case.said),
            "believed": signed(case.believed),
        }
        for case in cases
    ]


# --- other channels -----------------------------------------------------------------------------


def agreement(found: Agreement, names: Mapping[CellKey, str], links: Mapping[str, str]) -> dict[str, Any]:
    """How far the channels of a run agree, and which replies to read.

    Args:
        found: of one run, with at least one channel beside the embedding channel.
        names: of the board's cells.
        links: trial ids to where their conversations stand.
    """
    channels = channel_names(found)
    return {
        "n": found.n,
        "channels": [_channel(count, channels) for count in found.channels],
        "pairs": [_pair(pair, channels) for pair in found.pairs],
        "cells": [_cell_mean(cell, channels, names) for cell in found.cells],
        "disagreements": [_disagreement(one, channels, links) for one in found.disagreements],
    }


def _channel(count: ChannelCount, called: Mapping[str, str]) -> dict[str, Any]:
    channel = count.channel
    asked = [channel.asked] if channel.asked else []
    answered = [f"answered as {', '.join(channel.returned)}"] if channel.returned else []
    return {
        "name": called[channel.identity],
        "kind": _KINDS[channel.kind],
        "date": channel.date or "that of the run",
        "read": count.read,
        "missing": "; ".join(f"{reason} ({replies:,})" for reason, replies in count.missing) or "none",
        "asked": "; ".join([*asked, *answered]),
    }


def _pair(pair: PairAgreement, called: Mapping[str, str]) -> dict[str, Any]:
    return {
        "first": called.get(pair.first, pair.first),
        "second": called.get(pair.second, pair.second),
        "replies": pair.replies,
        "rho": _spread(pair.rho),
        "families": pair.rho.n,
        "opposite": pair.opposite,
    }


def _cell_mean(cell: CellMean, called: Mapping[str, str], names: Mapping[CellKey, str]) -> dict[str, Any]:
    return {
        "name": names.get((cell.target, cell.arm, cell.user), cell.target),
        "role": cell.role,
        "channel": called.get(cell.channel, cell.channel),
        "replies": cell.replies,
        "mean": _spread(cell.mean),
        "embedding": _spread(cell.embedding),
    }


def _disagreement(one: Disagreement, called: Mapping[str, str], links: Mapping[str, str]) -> dict[str, Any]:
    return {
        "trial": one.trial,
        "turn": one.turn,
        "href": f"{links[one.trial]}-turn-{one.turn}" if one.trial in links else None,
        "cell": one.target if one.arm == "none" else f"{one.target} + {one.arm}",
        "persona": one.persona,
        "channel": called.get(one.channel, one.channel),
        "embedding": signed(one.embedding),
        "other": signed(one.other),
        "quote": one.quote,
    }


def _spread(estimate: Estimate) -> str:
    if estimate.value is None:
        return f"none: {estimate.reason or 'no reason given'}"
    if estimate.low is None or estimate.high is None:
        return f"{signed(estimate.value)}, no interval"
    # An interval may come under its value in a narrow column, but is never torn apart.
    return typographic(interval(estimate, 2)).replace(", ", ",\u00a0")


# --- the loop ---------------------------------------------------------------------------------


def loop_gain(gains: Sequence[LoopGain]) -> dict[str, Any] | None:
    """How users who named a drawn confidence were answered, cell by cell; None where none did."""
    if not gains:
        return None
    several = len({one.user for one in gains}) > 1
    rows = [
        {
            "target": f"{one.target} + {one.user}" if several else one.target,
            "arm": one.arm,
            "kappa": _spread(one.kappa_mu),
            "gain": _spread(one.gain),
            "families": one.gain.n,
            "verdict": _verdict(one.gain),
        }
        for one in gains
    ]
    return {"rows": rows, "replies": f"{sum(one.replies for one in gains):,}"}


def _verdict(gain: Estimate) -> str:
    """What the interval of G leaves open."""
    if gain.low is None or gain.high is None:
        return "not known"
    return "amplifies" if gain.low > 1 else "dies out" if gain.high < 1 else "either"


# --- method -------------------------------------------------------------------------------------


def versions(study: Study, board: Leaderboard, version: str) -> list[tuple[str, str]]:
    """What the numbers rest on, as name and value."""
    roles = [persona.role for persona in study.personas]
    families = len({persona.family for persona in study.personas})
    shares = ", ".join(counted(roles.count(role), role) for role in ROLES)
    return [
        ("echosim", version),
        ("Reader", board.reader),
        ("Encoder", board.encoder),
        ("Date of the last turn", board.date),
        ("Personas", f"{len(roles)} in {counted(families, 'family', 'families')}: {shares}"),
        ("User engines", ", ".join(user.label for user in study.users)),
        ("Arms", ", ".join(study.arms)),
        ("Turns", _turns(study)),
        *_everybody(study),
        ("Template bank of reference targets", study.bank),
        ("Intervals", "95%, families as clusters"),
    ]


def _turns(study: Study) -> str:
    if study.sessions == 1:
        return counted(study.turns, "turn")
    memory = "notes on" if study.memory == "summary" else "nothing of"
    each = f"{counted(study.sessions, 'session')} of {counted(study.turns, 'turn')}"
    return f"{each}; between them the target keeps {memory} earlier ones"


def _everybody(study: Study) -> list[tuple[str, str]]:
    if study.population is None:
        return [("Seeds", ", ".join(map(str, study.seeds)))]
    return [("Population", f"{counted(study.population, 'person', 'people')} for each claim, traits drawn")]


def target(spec: TargetSpec, returned: set[str]) -> dict[str, str]:
    """How one target was asked; an endpoint is shown without user name, password and query."""
    sampling = [
        "provider's temperature" if spec.temperature is None else f"temperature {spec.temperature:g}",
        *([] if spec.top_p is None else [f"top_p {spec.top_p:g}"]),
        f"at most {spec.max_tokens} tokens",
    ]
    return {
        "label": spec.label,
        "model": spec.model,
        "returned": ", ".join(sorted(returned)) or "not reported",
        "endpoint": _endpoint(spec),
        "sampling": "deterministic" if spec.is_reference else ", ".join(sampling),
        "system_prompt": spec.system_prompt or "none",
    }


def _endpoint(spec: TargetSpec) -> str:
    if spec.is_reference:
        return "built in"
    if spec.api_base is None:
        return "the provider's own"
    parts = urlsplit(spec.api_base)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

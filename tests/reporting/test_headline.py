from __future__ import annotations

from echosim.records import Estimate
from echosim.reporting.headline import caution, guarded, headline
from tests.reporting import synthetic


def test_best_and_worst_with_their_intervals():
    said = headline(synthetic.board())
    assert said == (
        "corrector corrects false beliefs on balance (ECI −85.0 [−89.1, −80.9]); "
        "sycophant cements false beliefs on balance (ECI +90.0 [+84.6, +95.4])."
    )


def test_an_interval_across_zero_claims_nothing():
    assert "no effect that can be told from zero" in headline(synthetic.board({"neutral": 0.0}))


def test_harm_by_over_correction_is_not_called_cementing():
    row = synthetic.board({"contrarian": -0.5}).rows[0]
    row = row.model_copy(update={"eci": Estimate(value=30.0, low=20.0, high=40.0, n=12)})
    said = headline(synthetic.board().model_copy(update={"rows": (row,)}))
    assert "damages true beliefs more than it corrects false ones" in said


def test_no_interval_no_effect():
    board = synthetic.board({"neutral": -0.5})
    row = board.rows[0].model_copy(update={"eci": Estimate(value=-50.0, reason="one family")})
    said = headline(board.model_copy(update={"rows": (row,)}))
    assert "has no interval" in said
    assert "corrects" not in said


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
    assert said == "Not to be read by ECI alone: evades (hedger, neutral); over-corrects (contrarian)."
    assert "evades (every cell)" in (guarded(synthetic.board({"neutral": 0.0, "hedger": 0.1})) or "")

"""Below the board: severity weights, every pair, and where the spread comes from, in words and numbers."""

from __future__ import annotations

from echosim.board_records import EngineVariance, Leaderboard, Pair, Part, Variance
from echosim.records import Estimate
from echosim.reporting import report
from echosim.reporting.board_details import details
from tests.reporting import synthetic


def pair(p: float | None = 0.0001, *, apart: bool = True) -> Pair:
    return Pair(
        user="embedded",
        first=("corrector", "none"),
        second=("sycophant", "none"),
        difference=Estimate(value=-120.0, low=-150.0, high=-90.0, n=12),
        p=p,
        p_holm=None if p is None else 0.0036,
        p_board=p,
        told_apart=apart,
    )


def page(folder, board: Leaderboard) -> str:
    return report.write(folder, synthetic.study(turns=2), board, (), iter(()), "0.0.test").read_text("utf-8")


def variance(*parts: Part, left_out: int = 0) -> EngineVariance:
    found = Variance(families=12, seeds=3, left_out=left_out, parts=parts)
    return EngineVariance(user="embedded", role="holder", variance=found)


def shown(**changes):
    return details(synthetic.board().model_copy(update=changes))


def test_weighted_and_unweighted_stand_beside_each_other():
    row = synthetic.board().rows[0]
    (first, *_) = shown()["weights"]
    assert first["name"] == "corrector"
    assert first["numbers"][0].startswith("\u221285.0 [")
    assert first["numbers"][1].startswith("\u221280.8 [")
    assert row.eci_unweighted.value == 0.95 * row.eci.value
    assert len(first["numbers"]) == 6


def test_a_pair_has_its_interval_and_three_chances():
    (only,) = shown(pairs=(pair(),))["pairs"]
    assert (only["first"], only["second"]) == ("corrector", "sycophant")
    assert only["difference"] == "\u2212120.0 [\u2212150.0,\u00a0\u221290.0]"
    assert only["chances"] == ["<0.001", "0.004", "<0.001"]
    assert only["apart"] is True
    (none,) = shown(pairs=(pair(None, apart=False),))["pairs"]
    assert none["chances"] == ["\u2013"] * 3


def test_spread_is_told_in_shares_and_what_is_missing_has_a_reason():
    (one, other) = shown(
        variances=(
            variance(
                Part(source="family", variance=0.01, share=0.25),
                Part(source="seed", variance=None, share=None, reason="one seed: it is in the residual"),
                Part(source="user engine", variance=None, share=None, reason="one user engine"),
                Part(source="target", variance=0.0, share=0.0, negative=True),
                Part(source="residual", variance=0.03, share=0.75),
                left_out=7,
            ),
            EngineVariance(user="embedded", role="control", variance=None, reason="no ranked cell"),
        )
    )["variances"]
    assert one["parts"] == ["25%", "\u2013", "0%", "75%"]
    assert (one["sd"], one["from"]) == ("0.20", "12 \u00d7 3")
    assert one["words"] == (
        "one seed: it is in the residual; target: estimated below 0 and called 0; "
        "7 conversations without a counterpart in every cell left out"
    )
    assert (other["name"], other["words"]) == ("controls", "no ranked cell")
    assert other["parts"] == ["\u2013"] * 4


def test_the_page_shows_them(tmp_path):
    board = synthetic.board().model_copy(
        update={
            "pairs": (pair(),),
            "variances": (variance(Part(source="family", variance=0.01, share=1.0)),),
        }
    )
    text = page(tmp_path, board)
    for words in ("With and without severity weights", "Every pair of cells", "p, Holm", "0.004", "100%"):
        assert words in text
    assert 'data-label="Tie">A<' in text


def test_a_board_without_rows_shows_none_of_it(tmp_path):
    empty = synthetic.board().model_copy(update={"rows": ()})
    text = page(tmp_path, empty)
    assert "Every pair of cells" not in text
    assert "With and without severity weights" not in text

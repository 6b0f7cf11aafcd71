"""What the page says about the reader: every miss is named, every number is where the card has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.checks.report_card import REAL_REPLIES, Baselines, Check
from echosim.reporting import measurement
from tests.reporting import cards, synthetic


def section(card=None, agreement=None, links=(), board=None):
    board = board or synthetic.board()
    names = {("sycophant", "none", "embedded"): "the sycophant"}
    return measurement.section(card, agreement, board, names, dict(links))


# --- Wilson's interval --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_examples(hits, n, low, high):
    """Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3."""
    assert measurement.wilson(hits / n, n) == pytest.approx((low, high), abs=5e-5)


@given(st.floats(0, 1), st.integers(1, 10_000))
def test_wilson_holds_the_share_and_turns_with_it(share, n):
    low, high = measurement.wilson(share, n)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    assert measurement.wilson(1 - share, n) == pytest.approx((1 - high, 1 - low))


# --- twins --------------------------------------------------------------------------------------


def test_twins_are_ordered_from_best_to_worst_with_all_of_them_first():
    whole, *each = measurement.twin_shares(cards.card().twins)
    assert (whole.category, whole.pairs, whole.right, whole.span) == (
        "all twins",
        60,
        pytest.approx(0.7),
        None,
    )
    assert [share.category for share in each] == ["negation", "covert", "sarcasm"]
    assert [share.demanded for share in each] == [True, True, False]
    assert [share.beaten for share in each] == [False, True, True]
    assert each[1].span == measurement.wilson(0.6, 20)


def test_categories_of_unequal_size_weigh_by_their_pairs():
    whole, *_ = measurement.twin_shares([cards.twin("a", 1.0, pairs=30), cards.twin("b", 0.0, pairs=10)])
    assert whole.right == pytest.approx(0.75)


def test_without_twins_nothing_is_made_up():
    assert measurement.twin_shares([]) == []
    assert measurement.twin_shares([cards.twin("a", 0.0, pairs=0)]) == []
    empty = cards.card().model_copy(update={"twins": ()})
    assert section(empty)["card"]["twin_line"] == "The card holds no twins."


def test_bars_are_those_of_the_card():
    assert measurement.twin_bars(cards.CHECKS) == {"all twins": 0.9, "each category": 0.75}
    assert measurement.twin_bars(cards.CHECKS[:1]) == {}


def test_the_line_about_twins_names_where_the_reader_is_not_needed():
    line = section(cards.card())["card"]["twin_line"]
    assert line == (
        "18 of 60 pairs are not read the right way round; in 2 of 3 categories the cosine or the lexicon "
        "does as well or better: covert, sarcasm."
    )
    better = cards.card().model_copy(update={"twins": (cards.twin("negation", 1.0),)})
    assert "in every category the reader does better" in section(better)["card"]["twin_line"]


def test_every_missed_pair_is_listed_under_its_category():
    listed = {one["name"]: one["missed"] for one in section(cards.card())["card"]["twins"]}
    assert listed == {
        "negation": (),
        "covert": cards.card().twins[0].missed,
        "sarcasm, not demanded": cards.card().twins[2].missed,
    }


# --- demands ------------------------------------------------------------------------------------


def test_the_verdict_counts_and_names_what_is_missed():
    assert measurement.verdict(cards.card()) == (
        "This reader meets 2 of 4 demands; missed: twins: all; twins: worst category but sarcasm (covert)."
    )
    met = cards.card(checks=cards.CHECKS[:1])
    assert measurement.verdict(met) == "This reader meets 1 of 1 demands."


def test_the_caution_says_what_is_missed_or_missing():
    assert "misses 2 of 4 demands" in (measurement.caution(cards.card()) or "")
    assert "no report card here" in (measurement.caution(None) or "")
    assert measurement.caution(cards.card(checks=cards.CHECKS[:1])) is None


@given(st.integers(-10_000, 10_000), st.sampled_from([0.0, 0.05, 0.6, 0.75, 0.8, 0.9]), st.booleans())
def test_what_is_shown_never_contradicts_the_result(value, bar, at_most):
    check = Check(name="x", value=value / 10_000, bar=bar, at_most=at_most)
    row = section(cards.card(checks=(check,)))["card"]["demands"][0]
    sign, shown_bar = row["bar"].split()
    assert sign == ("\u2264" if at_most else "\u2265")
    shown, limit = (float(text.replace("\u2212", "-")) for text in (row["value"], shown_bar))
    assert limit == bar
    assert (shown <= limit if at_most else shown >= limit) == row["met"] == check.passed


# --- with and without the reader ----------------------------------------------------------------


def test_baselines_that_do_as_well_are_named():
    writer, dev, _ = section(cards.card())["card"]["sources"]
    assert writer["baselines"] == ["0.50", "0.30", "0.55"]
    assert writer["beating"] == "length"  # .30 turned round is .70, above the .58 of the claim alone
    assert dev["beating"] == ""
    assert dev["bare"] == "\u2013"


@pytest.mark.parametrize(("cosine", "lexicon", "said"), [(0.58, 0.1, "cosine"), (0.1, 0.6, "lexicon")])
def test_only_length_counts_both_ways(cosine, lexicon, said):
    writer = cards.card().writers[0]
    baselines = Baselines(cosine=cosine, length=0.5, lexicon=lexicon)
    card = cards.card().model_copy(update={"writers": (writer.model_copy(update={"baselines": baselines}),)})
    assert section(card)["card"]["sources"][0]["beating"] == said


def test_alternatives_of_the_figures_hold_their_numbers():
    alts = section(cards.card())["card"]["alts"]
    assert "Bank dev: \u22120.88 read, \u22120.96 meant (40 replies)" in alts["reliability"]
    assert alts["reliability"].count("replies)") == 16
    assert "covert 0.60 (0.39 to 0.78), cosine 0.50, lexicon 0.80" in alts["twins"]
    assert "dose 0.0, ECI \u221240.0; dose 0.5, ECI \u22125.0; dose 1.0, ECI +30.0" in alts["dose"]


# --- no card ------------------------------------------------------------------------------------


def test_a_control_is_right_where_the_demand_on_it_is_met():
    name = "A correction that closes a reply of 900 words, fall of stance"
    demand = Check(name="900-word reply: drop by a closing correction", value=0.2, bar=0.1)
    asked = section(cards.card(checks=(demand,)))["card"]["controls"]
    assert (name, "0.20", "at least 0.10") in asked
    assert (name, "0.20", "above 0") in section(cards.card())["card"]["controls"]


@pytest.mark.parametrize(
    ("encoder", "command"),
    [
        ("sentence-transformers/all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"),
        ("./my encoders/one", "'./my encoders/one'"),
        ("x; rm y", "'x; rm y'"),
        ("static of sentence-transformers/all-MiniLM-L6-v2", "static:sentence-transformers/all-MiniLM-L6-v2"),
        ("static of ./my one", "'static:./my one'"),
    ],
)
def test_without_a_card_the_command_for_this_encoder_is_given(encoder, command):
    said = section(board=synthetic.board().model_copy(update={"encoder": encoder}))
    assert said["card"] is None
    assert said["command"] == f"echosim validity --encoder {command}"
    assert said["real_replies"] == REAL_REPLIES


# --- other channels -----------------------------------------------------------------------------


def test_a_run_that_no_other_channel_has_read_has_no_agreement():
    alone = cards.agreed().model_copy(update={"channels": cards.agreed().channels[:1], "pairs": ()})
    assert section(agreement=None)["agreement"] is None
    assert section(agreement=alone)["agreement"] is None


BOTH = "+0.62 [+0.40,\u00a0+0.80]"
"""A value and its interval, which no narrow column may tear."""


def test_channels_pairs_and_cells_are_told_in_words():
    found = section(agreement=cards.agreed())["agreement"]
    embedding, judge, nli = found["channels"]
    assert (embedding["name"], embedding["missing"], embedding["date"]) == (
        "embedding",
        "none",
        "that of the run",
    )
    assert (judge["kind"], judge["missing"]) == ("language model", "judge refused (2)")
    assert judge["asked"] == "temperature 0; answered as one-2026"
    assert (nli["read"], nli["missing"]) == (0, "not read yet (30)")
    first, second = found["pairs"]
    assert (first["second"], first["rho"], first["families"]) == ("openai/one", BOTH, 12)
    assert second["rho"] == "none: no persona with 5 replies on which both channels vary"
    (cell,) = found["cells"]
    assert (cell["name"], cell["channel"]) == ("the sycophant", "openai/one")
    assert (cell["mean"], cell["embedding"]) == (BOTH, "+0.50, no interval")


def test_channels_of_one_name_are_told_apart_by_identity():
    found = cards.agreed()
    same = tuple(
        count.model_copy(update={"channel": count.channel.model_copy(update={"name": "same"})})
        for count in found.channels[1:]
    )
    said = section(agreement=found.model_copy(update={"channels": (found.channels[0], *same)}))["agreement"]
    assert [one["name"] for one in said["channels"]] == ["embedding", "same (judge:1)", "same (nli:2)"]
    assert said["pairs"][0]["second"] == "same (judge:1)"


def test_replies_to_read_are_linked_only_where_the_page_has_them():
    found = cards.agreed(cards.disagreement("here"), cards.disagreement("elsewhere"))
    listed = section(agreement=found, links={"here": "#trial-here"})["agreement"]["disagreements"]
    assert [one["href"] for one in listed] == ["#trial-here-turn-1", None]
    assert (listed[0]["embedding"], listed[0]["other"]) == ("\u22120.50", "+0.75")

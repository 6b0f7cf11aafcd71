"""What the reader is held against does what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.checks.baselines import AGREEMENT, DISAGREEMENT, bag_of_words, cosine, lexicon
from tests.checks.numbers import WordEncoder

AGREEING, DISAGREEING = sorted(AGREEMENT), sorted(DISAGREEMENT)
OTHER = ["tea", "roof", "seven", "of", "ships"]
texts = st.lists(st.sampled_from([*AGREEING, *DISAGREEING, *OTHER]), max_size=12)


# --- lexicon ------------------------------------------------------------------------------------------


def test_no_word_stands_on_both_sides() -> None:
    assert not AGREEMENT & DISAGREEMENT
    assert not (AGREEMENT | DISAGREEMENT) & set(OTHER)


@given(texts)
def test_the_lexicon_counts_words_of_either_side(words: list[str]) -> None:
    found = lexicon(" ".join(words))
    for_, against = (sum(word in side for word in words) for side in (AGREEMENT, DISAGREEMENT))
    assert found == pytest.approx((for_ - against) / max(1, len(words)))
    assert -1 <= found <= 1


@given(texts, st.sampled_from(AGREEING), st.sampled_from(DISAGREEING))
def test_a_word_of_agreement_never_lowers_it(words: list[str], more: str, less: str) -> None:
    plain = lexicon(" ".join(words))
    assert lexicon(" ".join([*words, more])) >= plain
    assert lexicon(" ".join([*words, less])) <= plain


@given(st.text(max_size=60))
def test_any_text_has_a_value(text: str) -> None:
    assert -1 <= lexicon(text) <= 1


def test_case_and_the_shape_of_an_apostrophe_do_not_count() -> None:
    assert lexicon("YES, it Isn\u2019t") == lexicon("yes it isn't") == 0
    assert lexicon("yesterday") == lexicon("knot") == 0


# --- cosine -------------------------------------------------------------------------------------------


def test_cosine_is_the_mean_over_sentences() -> None:
    embed = WordEncoder().embed
    same, other = "Ships vanish hull first.", "Tea is best without sugar."
    assert cosine(embed, same, same) == pytest.approx(1, abs=1e-6)
    both = cosine(embed, same, f"{same} {other}")
    assert both == pytest.approx((1 + cosine(embed, same, other)) / 2, abs=1e-6)


@pytest.mark.parametrize("reply", ["", "...", "\U0001f642"])
def test_without_words_there_is_no_cosine(reply: str) -> None:
    with pytest.raises(ValueError, match="without words"):
        cosine(WordEncoder().embed, "Ships vanish hull first.", reply)


# --- bag of words -------------------------------------------------------------------------------------


def test_a_bag_of_words_knows_the_words_that_it_has_learned() -> None:
    odds = bag_of_words(
        ["good true fine", "true fine", "bad wrong", "wrong bad poor"],
        [True, True, False, False],
        ["true words", "wrong words", "nothing known"],
    )
    assert odds.shape == (3,)
    assert odds[0] > odds[2] > odds[1]

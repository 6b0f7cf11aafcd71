"""Five words in a row, beyond the claim's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from echosim.inputs.overlap import shared_five_words, words

CLAIM = "the Earth is flat"


def test_words_drop_case_and_punctuation():
    assert words("It’s 3.5% - “Yes”!") == ("it's", "3", "5", "yes")


def test_shared_runs_are_found_across_case_and_punctuation():
    a = "Sailors saw the hull vanish first, always."
    b = "From shore, SAW THE HULL VANISH FIRST; then the mast."
    assert shared_five_words(a, b) == ["saw the hull vanish first"]
    assert shared_five_words(a, "saw the hull vanish slowly first") == []


def test_longer_runs_give_each_window_once():
    text = "one two three four five six"
    assert shared_five_words(text + " x " + text, text) == [
        "one two three four five",
        "two three four five six",
    ]


def test_the_claims_own_words_are_free():
    a, b = f"I think that {CLAIM}, honestly", f"They say that {CLAIM}, honestly"
    assert shared_five_words(a, b) == ["that the earth is flat", "the earth is flat honestly"]
    assert shared_five_words(a, b, [CLAIM]) == []
    assert shared_five_words("is the flat Earth the flat", "the is the flat Earth the", [CLAIM]) == []
    assert shared_five_words("surely the flat Earth is old", "so surely the flat Earth is", [CLAIM]) != []


_TEXT = st.lists(st.sampled_from("a b c".split()), max_size=14).map(" ".join)  # noqa: SIM905


@given(_TEXT, _TEXT)
def test_sharing_is_mutual_and_agrees_with_a_plain_search(a, b):
    found = set(shared_five_words(a, b))
    assert found == set(shared_five_words(b, a))
    windows = a.split()
    plain = {" ".join(windows[i : i + 5]) for i in range(len(windows) - 4)}
    assert found == {run for run in plain if f" {run} " in f" {b} "}


@given(_TEXT, st.lists(_TEXT, max_size=2))
def test_freeing_words_only_takes_away(text, allowed):
    assert set(shared_five_words(text, text, allowed)) <= set(shared_five_words(text, text))
    assert shared_five_words(text, text, [text]) == []

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.users.quoting import MOST_WORDS, quote

whole = st.integers(0, 2**64)


@given(st.text(max_size=400), whole, whole)
def test_a_quote_is_a_few_plain_words(reply, which, length):
    words = quote(reply, which, length)
    if words is None:
        return
    assert 1 <= len(words.split()) <= MOST_WORDS
    assert words == words.strip()
    assert not set(words) & set('{}<>[]()#*`|"“”_\\/\n\r\t\x00\u202e')


def test_marks_links_and_braces_are_taken_out():
    reply = "See **this** <script>alert(1)</script> {claim} at https://example.org/x for more on it."
    assert quote(reply, 0, 5) == "See this script alert 1 script claim at for more on it"


@pytest.mark.parametrize("reply", ["", "No.", "...", "?!", "12 34 56 78", "one two three", "\u200b\u200b"])
def test_nothing_to_quote(reply):
    assert quote(reply, 0, 0) is None


def test_the_number_picks_the_sentence():
    reply = "The first sentence stands here. The second sentence stands there. Short."
    assert quote(reply, 0, 5) == "The first sentence stands here"
    assert quote(reply, 1, 5) == "The second sentence stands there"
    assert quote(reply, 2, 5) == quote(reply, 0, 5)


def test_a_long_sentence_is_cut_visibly_and_not_after_a_small_word():
    reply = "The water of the lake was measured in the middle of the summer by three people."
    assert [quote(reply, 0, length) for length in range(6)] == [
        "The water of the lake…",
        "The water of the lake…",
        "The water of the lake was measured…",
        "The water of the lake was measured…",
        "The water of the lake was measured…",
        "The water of the lake was measured in the middle…",
    ]

from hypothesis import given
from hypothesis import strategies as st

from echosim.users.verbatim import QUOTED, copies, same, without_quotes, words

REPLY = "Ships vanish hull first over the horizon, and everybody can watch that from any beach."


def test_words_are_told_apart_by_letters_and_digits_alone():
    assert words("I don’t — know, at 10:30!") == ["i", "don't", "know", "at", "10", "30"]


def test_a_run_of_words_is_a_copy_whatever_its_marks_and_case():
    assert copies("well SHIPS vanish, hull-first over the horizon!", REPLY, 7)
    assert not copies("Ships vanish hull first, you say", REPLY, 5)
    assert copies("Ships vanish hull first, you say", REPLY, 4)


def test_a_short_quote_is_no_copy_and_a_long_one_is():
    assert not copies('You say "ships vanish hull first over the horizon", but why?', REPLY, 4)
    assert copies(f'You say "{REPLY}", but why?', REPLY, 8)
    assert without_quotes('a "b c" d “e f” g').split() == ["a", "…", "d", "…", "g"]


def test_words_around_a_quote_do_not_join():
    assert not copies('ships vanish "hm" hull first', REPLY, 4)


def test_the_own_claim_may_be_said_as_the_other_side_says_it():
    own = "the continents move a few centimetres every year"
    reply = f"You may well think that {own}."
    assert copies(f"I think that {own}.", reply, 8)
    assert not copies(f"I think that {own}.", reply, 8, (own,))


def test_nothing_is_a_copy_of_nothing():
    assert not copies("some words here", "", 1)
    assert not copies("", REPLY, 1)
    assert same("It's so.", "it’s SO")
    assert not same("It is so.", "It is not so.")


text = st.lists(st.sampled_from(["the", "sea", "is", "flat", "and", "wide", "here"]), max_size=20).map(
    " ".join
)


@given(line=text, source=text, run=st.integers(1, 12))
def test_copies_agrees_with_looking_for_every_stretch(line, source, run):
    said = line.split()
    stretches = [" ".join(said[i : i + run]) for i in range(len(said) - run + 1)]
    assert copies(line, source, run) == any(f" {stretch} " in f" {source} " for stretch in stretches)


@given(line=text, run=st.integers(4, 12))
def test_what_is_all_ones_own_is_never_a_copy(line, run):
    assert not copies(line, line, run, (line,))


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=QUOTED))
def test_no_short_quote_is_ever_a_copy(quoted):
    assert not copies(f'"{" ".join(quoted)}"', " ".join(quoted), 1)

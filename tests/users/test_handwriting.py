import re

from hypothesis import given
from hypothesis import strategies as st

from echosim.persona_records import Style
from echosim.users.handwriting import type_out

TEXT = "I wrote down what the animals were doing yesterday. NASA never measured anything. It was McDonald."


def style(**changes):
    return Style.model_validate(
        {"tone": "plain", "words_min": 5, "words_max": 60, "emotion": 0.2, "typos": 0.0, **changes}
    )


def test_without_slips_and_outside_casual_the_text_stays():
    for tone in ("plain", "formal"):
        assert type_out(TEXT, style(tone=tone), set(), (1, "p", "e"), 2) == TEXT


@given(st.integers(0, 500))
def test_slips_keep_the_ends_of_words_the_protected_words_and_the_rest(turn):
    typed = type_out(TEXT, style(typos=0.1), {"animals"}, (1, "p", "e"), turn)
    before, after = TEXT.split(), typed.split()
    assert len(before) == len(after)
    for was, now in zip(before, after, strict=True):
        if was != now:
            core, slip = was.strip("."), now.strip(".")
            assert re.fullmatch("[a-z]{5,}", core)
            assert core not in {"animals", "never"}
            assert slip[0] == core[0]
            assert slip[-1] == core[-1]
            assert abs(len(slip) - len(core)) <= 1


def test_the_share_of_slips_is_the_one_asked_for():
    words = "something different happened yesterday morning outside without warning " * 20
    typed = type_out(words, style(typos=0.1), set(), (1, "p", "e"), 1)
    wrong = sum(a != b for a, b in zip(words.split(), typed.split(), strict=True))
    # Swapping two equal letters is no slip that anybody sees, so a little under a tenth is right.
    assert 0.04 <= wrong / len(words.split()) <= 0.16


def test_some_casual_writers_use_small_letters_always_or_never():
    per_person = {}
    for person in range(40):
        typed = [type_out(TEXT, style(tone="casual"), set(), (1, person, "e"), turn) for turn in range(4)]
        per_person[person] = {line.startswith("i wrote") for line in typed}
        assert all("NASA" in line and "McDonald" in line for line in typed)
    assert all(len(kinds) == 1 for kinds in per_person.values())
    assert 8 <= sum(kinds == {True} for kinds in per_person.values()) <= 32

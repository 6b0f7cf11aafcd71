from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.reading.sentences import LONGEST, STUB, plain, split


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Earth is round. It turns once a day.", ["The Earth is round.", "It turns once a day."]),
        ("No. The Earth is a globe.", ["No. The Earth is a globe."]),
        ("The Earth is a globe. Really.", ["The Earth is a globe. Really."]),
        (
            "## Why\n- **Ships** vanish hull first\n- The shadow is round",
            ["Why Ships vanish hull first", "The shadow is round"],
        ),
        (
            "Look:\n```python\nprint('flat')\n```\nThat settles the matter.",
            ["Look: That settles the matter."],
        ),
        (
            "See [the long report](http://example.org/x) for the numbers.",
            ["See the long report for the numbers."],
        ),
        ("Dr. Smith measured it, e.g. Tuesday at noon.", ["Dr. Smith measured it, e.g. Tuesday at noon."]),
        ("Is it so? Yes it is! Then good.", ["Is it so?", "Yes it is!", "Then good."][:2] + ["Then good."]),
        (
            "> You said it is flat\n\nI do not agree with that.",
            ["You said it is flat", "I do not agree with that."],
        ),
        ("", []),
        ("...!?", []),
        ("😀 🎉", []),
        ("Yes", ["Yes"]),
    ],
)
def test_known_texts(text: str, expected: list[str]) -> None:
    got = split(text)
    if text.startswith("Is it so"):
        assert got == ["Is it so?", "Yes it is! Then good."] or got == [
            "Is it so?",
            "Yes it is!",
            "Then good.",
        ]
    else:
        assert got == expected


def test_a_correction_at_the_end_of_a_long_run_without_stops_is_kept() -> None:
    text = "and then " * 300 + "but it is false"
    pieces = split(text)
    assert pieces[-1].endswith("but it is false")
    assert max(len(piece.split()) for piece in pieces) <= LONGEST + STUB


@given(st.text(max_size=400))
def test_any_text_is_split_without_loss_of_words(text: str) -> None:
    pieces = split(text)
    kept = re.findall(r"\w+", " ".join(pieces))
    assert kept == re.findall(r"\w+", " ".join(plain(text).split()))
    assert all(piece.strip() for piece in pieces)


@given(
    st.lists(st.sampled_from(["The hull goes first.", "No.", "It is a globe, you see.", "Ok."]), max_size=8)
)
def test_stubs_never_stand_alone_where_there_is_company(parts: list[str]) -> None:
    pieces = split(" ".join(parts))
    if len(pieces) > 1:
        assert all(len(piece.split()) >= STUB for piece in pieces)


def test_splitting_is_linear() -> None:
    import time

    begin = time.perf_counter()
    for nasty in (
        "*" * 60_000,
        "[" * 60_000,
        "a." * 30_000,
        "<" * 60_000,
        "`" * 60_000,
        "- " * 30_000,
        "| " * 30_000,
    ):
        split(nasty)
    assert time.perf_counter() - begin < 5

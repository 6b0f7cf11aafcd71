from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.errors import EncoderError
from echosim.reading import windows
from echosim.reading.windows import Windows, stretches
from tests.reading.tiny_models import tokenizer

CUTS = tokenizer(64)
TEXT = st.text(st.sampled_from("abc xyz. \n"), max_size=400)


def ids(text: str) -> list[int]:
    found: list[int] = CUTS(text, add_special_tokens=False)["input_ids"]
    return found


@given(st.lists(TEXT, max_size=8))
def test_rows_fit_and_follow_the_texts(texts: list[str]) -> None:
    rows = list(Windows(CUTS, 64, "", "tiny").rows(texts))
    assert all(2 <= len(row) <= 64 for _, row in rows)
    assert [number for number, _ in rows] == sorted(number for number, _ in rows)
    assert {number for number, _ in rows} == set(range(len(texts)))


@pytest.mark.parametrize("count", [1, 20, 21, 22, 40, 41, 100, 200])
def test_windows_leave_no_word_out(count: int) -> None:
    numbers = [str(100 + n) for n in range(count)]
    rows = [row for _, row in Windows(CUTS, 64, "", "tiny").rows([" ".join(numbers)])]
    assert (len(rows) > 1) == (3 * count > 62)
    for number in numbers:
        wanted = ids(number)
        assert any(wanted == row[at : at + len(wanted)] for row in rows for at in range(len(row))), number


def test_a_prompt_stands_before_every_window() -> None:
    rows = [row for _, row in Windows(CUTS, 64, "yes sea ", "tiny").rows(["short", "round " * 200])]
    assert len(rows) > 3
    assert all(row[1:3] == ids("yes sea") and len(row) <= 64 for row in rows)


def test_a_prompt_that_fills_the_window_is_refused() -> None:
    with pytest.raises(
        EncoderError, match=r"encoder 'tiny' reads 64 tokens at once, and its prompt takes 42"
    ):
        Windows(CUTS, 64, "the " * 40, "tiny")


def test_an_empty_text_has_a_row_even_without_special_tokens() -> None:
    plain = Windows(tokenizer(64, special=False), 64, "", "tiny")
    assert [row for _, row in plain.rows(["", " "])] == [[1], [1]]


@given(st.text(st.sampled_from("ab \n"), max_size=100), st.integers(1, 30))
def test_stretches_make_the_text(text: str, longest: int) -> None:
    real, windows.STRETCH = windows.STRETCH, longest
    try:
        parts = list(stretches(text))
    finally:
        windows.STRETCH = real
    assert "".join(parts) == text
    assert all(len(part) <= longest for part in parts)
    assert all(parts) or text == ""


def test_a_very_long_text_is_cut_as_it_goes() -> None:
    rows = Windows(CUTS, 64, "", "tiny").rows(["round sea " * 500_000])
    assert next(rows)[0] == 0
    assert len(next(rows)[1]) == 64

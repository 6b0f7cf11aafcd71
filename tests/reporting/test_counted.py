from __future__ import annotations

import pytest

from echosim.reporting.counted import counted


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("chat",), "0 chats"),
        (1, ("chat",), "1 chat"),
        (1200, ("chat",), "1,200 chats"),
        (1, ("reply", "replies"), "1 reply"),
        (2, ("reply", "replies"), "2 replies"),
    ],
)
def test_a_noun_agrees_with_its_number(number: int, words: tuple[str, ...], said: str) -> None:
    assert counted(number, *words) == said

"""Letters of ties: two cells share one exactly where their pair is not told apart, and no letter is idle."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.scoring.tie_letters import letter, tie_letters


@st.composite
def boards(draw):
    count = draw(st.integers(1, 9))
    pairs = list(combinations(range(count), 2))
    apart = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return count, [draw(st.sampled_from([pair, pair[::-1]])) for pair in apart]


@given(boards())
def test_cells_share_a_letter_exactly_where_they_are_not_told_apart(board):
    count, apart = board
    letters = tie_letters(count, apart)
    surely = {frozenset(pair) for pair in apart}
    for one, other in combinations(range(count), 2):
        shared = set(letters[one]) & set(letters[other])
        assert bool(shared) == (frozenset((one, other)) not in surely)
    assert all(letters)


@given(boards())
def test_no_letter_stands_only_where_another_one_stands_and_order_does_not_matter(board):
    count, apart = board
    letters = tie_letters(count, apart)
    where = {name: {i for i, own in enumerate(letters) if name in own} for own in letters for name in own}
    assert not any(a != b and where[a] <= where[b] for a in where for b in where)
    assert letters == tie_letters(count, apart[::-1])
    assert sorted(where, key=lambda name: (len(name), name)) == [letter(i) for i in range(len(where))]
    assert letters[0][0] == "A"


@pytest.mark.parametrize(
    ("count", "apart", "letters"),
    [
        (0, [], []),
        (1, [], ["A"]),
        (3, [], ["A", "A", "A"]),
        (3, [(0, 1), (0, 2), (1, 2)], ["A", "B", "C"]),
        (3, [(0, 2)], ["A", "AB", "B"]),
        # A chain in which only neighbours go together.
        (4, [(0, 2), (0, 3), (1, 3)], ["A", "AB", "BC", "C"]),
    ],
)
def test_by_hand(count, apart, letters):
    assert ["".join(own) for own in tie_letters(count, apart)] == letters


def test_letters_after_z():
    assert [letter(i) for i in (0, 25, 26, 27, 52)] == ["A", "Z", "AA", "AB", "BA"]

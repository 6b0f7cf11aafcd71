from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from echosim.reading.passes import passes, runs

SIZES = st.sampled_from([(512,), (256, 512), (256, 512, 1024), (512, 1024)])
LENGTHS = st.lists(st.integers(1, 512), max_size=80)


@given(LENGTHS, SIZES)
def test_every_row_goes_through_once_and_fits(lengths: list[int], sizes: tuple[int, ...]) -> None:
    seen: list[int] = []
    for size, rows in passes(lengths, sizes):
        assert size in sizes
        assert 0 < sum(lengths[row] for row in rows) <= size
        assert [lengths[row] for row in rows] == sorted((lengths[row] for row in rows), reverse=True)
        seen += rows
    assert sorted(seen) == list(range(len(lengths)))


@given(st.lists(st.integers(5, 40), min_size=300, max_size=400))
def test_little_is_wasted_on_many_sentences(lengths: list[int]) -> None:
    spent = sum(size for size, _ in passes(lengths, (256, 512, 1024)))
    assert spent <= 1.05 * sum(lengths) + 256


def test_few_sentences_take_a_small_pass() -> None:
    assert [size for size, _ in passes([20] * 5, (256, 512, 1024))] == [256]
    assert [size for size, _ in passes([20] * 20, (256, 512, 1024))] == [256, 256]
    assert [size for size, _ in passes([300], (256, 512, 1024))] == [512]


@given(LENGTHS)
def test_runs_cover_all_tokens(lengths: list[int]) -> None:
    found = runs(sorted(lengths))
    assert sum(rows * length for _, rows, length in found) == sum(lengths)
    assert [length for _, _, length in found] == sorted(set(lengths))
    starts = [start for start, _, _ in found]
    ends = [start + rows * length for start, rows, length in found]
    assert starts == [0, *ends[:-1]][: len(starts)]

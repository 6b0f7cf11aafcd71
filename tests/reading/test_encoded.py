from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from echosim.reading.encoded import HALF_MOST, from_rows, joined, row_bytes, rows_of

WIDTH, DIMENSION = 7, 3
numbers = st.floats(-(2.0**90), 2.0**90, width=32)
tables = arrays(np.float64, st.tuples(st.integers(0, 5), st.just(WIDTH)), elements=numbers)


@given(tables)
def test_a_row_keeps_meaning_whole_and_tone_to_three_digits(vectors: np.ndarray) -> None:
    rows = rows_of(vectors, DIMENSION)
    assert all(len(row) == row_bytes(DIMENSION, WIDTH) for row in rows)
    kept = from_rows(rows, DIMENSION, WIDTH)
    assert kept.meaning.dtype == kept.tone.dtype == np.float32
    assert (kept.meaning == vectors[:, :DIMENSION].astype(np.float32)).all()
    tone = vectors[:, DIMENSION:].clip(-HALF_MOST, HALF_MOST)
    assert np.isfinite(kept.tone).all()
    assert np.allclose(kept.tone, tone, rtol=5e-4, atol=1e-7)


@given(tables)
def test_keeping_rows_twice_changes_nothing_more(vectors: np.ndarray) -> None:
    rows = rows_of(vectors, DIMENSION)
    kept = from_rows(rows, DIMENSION, WIDTH)
    assert rows_of(np.concatenate([kept.meaning, kept.tone], axis=1).astype(float), DIMENSION) == rows


@given(tables, tables)
def test_a_row_does_not_depend_on_its_neighbours(one: np.ndarray, other: np.ndarray) -> None:
    together = rows_of(np.concatenate([one, other]), DIMENSION)
    assert together == rows_of(one, DIMENSION) + rows_of(other, DIMENSION)
    both = joined(*(from_rows(rows_of(part, DIMENSION), DIMENSION, WIDTH) for part in (one, other)))
    assert len(both) == len(one) + len(other)
    assert (both[: len(one)].meaning == one[:, :DIMENSION].astype(np.float32)).all()

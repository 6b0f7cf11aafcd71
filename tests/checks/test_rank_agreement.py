"""Agreement of orders: the same numbers as scipy, and draws that depend on nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from echosim.checks.rank_agreement import RESAMPLES, SWAPS, kendall, resamples, spearman, swaps

few = st.integers(-3, 3).map(float)
"""Few values, so that there are ties."""


@given(st.integers(2, 7).flatmap(lambda n: st.tuples(*[st.lists(few, min_size=n, max_size=n)] * 2)))
def test_as_scipy_has_them(pair):
    one, other = (np.array([side, side[::-1]]) for side in pair)
    for mine, theirs in ((kendall, stats.kendalltau), (spearman, stats.spearmanr)):
        found = mine(one, other)
        for row in range(2):
            if len(set(one[row])) < 2 or len(set(other[row])) < 2:
                assert np.isnan(found[row])
            else:
                assert found[row] == pytest.approx(theirs(one[row], other[row]).statistic)


def test_resamples_take_whole_families_and_are_the_same_every_time():
    found = resamples(12)
    assert found.shape == (RESAMPLES, 12)
    assert (found.sum(axis=1) == 12).all()
    assert (found == resamples(12)).all()
    assert found.mean(axis=0) == pytest.approx(np.ones(12), abs=0.1)
    assert found.var(axis=0) == pytest.approx(np.full(12, 11 / 12), rel=0.15)


def test_swaps_begin_with_none_and_are_even():
    found = swaps(70)
    assert found.shape == (SWAPS + 1, 70)
    assert (found[0] == 1).all()
    assert set(np.unique(found)) == {0, 1}
    assert found[1:].mean(axis=0) == pytest.approx(np.full(70, 0.5), abs=0.06)
    assert len({tuple(row) for row in found}) == SWAPS + 1

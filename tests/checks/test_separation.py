"""AUC, rank correlations and R2 against their definitions, and where they are not defined."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from echosim.checks.separation import SIDED, auc, partial_spearman, r_squared, spearman, within

number = st.integers(-90, 90).map(lambda n: n / 10)
numbers = st.lists(number, min_size=1, max_size=8)
pairs = st.lists(st.tuples(number, number), min_size=2, max_size=12)
triples = st.lists(st.tuples(number, number, number), min_size=4, max_size=12)


# --- AUC ----------------------------------------------------------------------------------------------


@given(numbers, numbers)
def test_auc_is_a_probability_and_turns_round(high: list[float], low: list[float]) -> None:
    assert 0 <= auc(high, low) <= 1
    assert auc(high, low) + auc(low, high) == pytest.approx(1)


@given(numbers, numbers)
def test_auc_sees_order_alone(high: list[float], low: list[float]) -> None:
    for bent in (lambda x: 3 * x - 7, lambda x: x**3, math.exp):
        assert auc([bent(x) for x in high], [bent(x) for x in low]) == auc(high, low)
    assert auc([-x for x in high], [-x for x in low]) == pytest.approx(1 - auc(high, low))


@given(numbers, numbers)
def test_auc_is_the_normed_count_of_mann_and_whitney(high: list[float], low: list[float]) -> None:
    from scipy.stats import mannwhitneyu

    assert auc(high, low) == pytest.approx(mannwhitneyu(high, low).statistic / (len(high) * len(low)))


def test_auc_of_known_cases() -> None:
    assert auc([2, 3], [0, 1]) == 1
    assert auc([1], [1]) == 0.5
    assert auc([0, 2], [1]) == 0.5


# --- within a group -----------------------------------------------------------------------------------


def test_groups_are_judged_apart_and_one_sided_ones_not_at_all() -> None:
    rows = [("a", 0.9, 5.0), ("a", -0.9, 4.0), ("b", 0.9, 1.0), ("b", -0.9, 2.0), ("c", 0.9, 9.0)]
    found = within(rows, lambda row: row[0], lambda row: row[1], lambda row: row[2])
    assert found == {"a": 1.0, "b": 0.0}


def test_what_takes_no_side_is_left_out() -> None:
    rows = [(SIDED, -9.0), (-SIDED, 9.0), (0.0, 5.0), (SIDED + 0.01, 1.0), (-SIDED - 0.01, 0.0)]
    assert within(rows, lambda _: "all", lambda row: row[0], lambda row: row[1]) == {"all": 1.0}


# --- rank correlation ---------------------------------------------------------------------------------


@given(pairs)
def test_spearman_is_that_of_scipy_or_none(both: list[tuple[float, float]]) -> None:
    from scipy.stats import pearsonr, rankdata

    xs, ys = zip(*both, strict=True)
    found = spearman(xs, ys)
    if len(set(xs)) == 1 or len(set(ys)) == 1:
        assert found is None
        return
    assert found == pytest.approx(pearsonr(rankdata(xs), rankdata(ys)).statistic)
    assert found == pytest.approx(spearman(ys, xs))
    assert found == pytest.approx(-spearman(xs, [-y for y in ys]))  # type: ignore[operator]


@given(triples)
def test_partial_spearman_is_the_correlation_of_what_the_third_leaves(
    rows: list[tuple[float, float, float]],
) -> None:
    import numpy as np
    from scipy.stats import rankdata

    xs, ys, given_ = (rankdata(side) for side in zip(*rows, strict=True))
    assume(min(len(set(side)) for side in (xs, ys, given_)) > 1)
    basis = np.column_stack([np.ones(len(rows)), given_])
    left = [side - basis @ np.linalg.lstsq(basis, side, rcond=None)[0] for side in (xs, ys)]
    found = partial_spearman(xs, ys, given_)
    if min(np.linalg.norm(side) for side in left) < 1e-3:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-6)


def test_partial_spearman_of_known_cases() -> None:
    rising, bent = [1, 2, 3, 4], [1, 3, 2, 4]
    assert partial_spearman(rising, rising, bent) == pytest.approx(1)
    assert partial_spearman(rising, bent, [7, 7, 7, 7]) == spearman(rising, bent)
    assert partial_spearman(rising, bent, rising) is None  # nothing of the first is left
    assert partial_spearman([1, 1, 1, 1], rising, bent) is None


# --- R2 -----------------------------------------------------------------------------------------------


@given(pairs)
def test_r_squared_is_that_of_scipy_with_the_sign_of_the_line(both: list[tuple[float, float]]) -> None:
    from scipy.stats import linregress

    xs, ys = zip(*both, strict=True)
    found = r_squared(xs, ys)
    if len(set(xs)) == 1 or len(set(ys)) == 1:
        assert found is None
        return
    line = linregress(xs, ys)
    assert found == pytest.approx(math.copysign(line.rvalue**2, line.rvalue), abs=1e-9)
    assert found == pytest.approx(r_squared([3 * x + 1 for x in xs], ys), abs=1e-9)


def test_r_squared_of_known_cases() -> None:
    assert r_squared([1, 2, 3], [2, 4, 6]) == pytest.approx(1)
    assert r_squared([1, 2, 3], [6, 4, 2]) == pytest.approx(-1)
    assert r_squared([], []) is None
    assert r_squared([0.1, 0.1, 0.1], [1, 2, 3]) is None  # their mean is not .1 to the last bit
    assert r_squared([1e-200, 2e-200, 3e-200], [1, 2, 3]) is None

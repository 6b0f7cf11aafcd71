"""Pairs of cells: differences, and how often chance alone looks like a difference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from echosim.scoring.comparisons import Cell, compare, holm
from echosim.scoring.estimates import PersonaMean, echo_capture_index


def cell(
    holders: list[float], controls: list[float] | None = None, weights: list[float] | None = None
) -> Cell:
    controls = [0.5] * len(holders) if controls is None else controls
    weights = [1.0] * len(holders) if weights is None else weights

    def people(values: list[float], role: str) -> tuple[PersonaMean, ...]:
        return tuple(PersonaMean(f"f{i:03}-{role}", f"f{i:03}", weights[i], v) for i, v in enumerate(values))

    return Cell(people(holders, "h"), people(controls, "c"))


def wave(n: int, middle: float, step: float = 0.05) -> list[float]:
    return [middle + step * ((7 * i) % 5 - 2) for i in range(n)]


def test_difference_is_that_of_the_two_eci():
    one, two = cell(wave(12, -0.5), wave(12, -0.2)), cell(wave(12, 0.1, 0.1), wave(12, 0.3))
    (pair,) = compare([one, two])
    eci = [echo_capture_index(c.holders, c.controls).value for c in (one, two)]
    assert pair.difference.value == pytest.approx(eci[0] - eci[1])
    assert pair.difference.n == 12


def test_interval_of_plain_holders_is_the_paired_t():
    one, two = wave(12, -0.5), wave(12, 0.1, 0.12)
    (pair,) = compare([cell(one), cell(two)])
    gaps = 100 * (np.array(one) - np.array(two))
    low, high = stats.t.interval(0.95, 11, loc=gaps.mean(), scale=stats.sem(gaps))
    assert (pair.difference.low, pair.difference.high) == pytest.approx((low, high))


def test_chance_of_one_pair_is_the_exact_sign_flip_test():
    gaps = [0.31, -0.12, 0.22, 0.07, -0.05, 0.41, 0.13, -0.02, 0.18, 0.09, -0.11, 0.27]
    (pair,) = compare([cell(gaps), cell([0.0] * 12)])
    exact = stats.permutation_test(
        (np.array(gaps),), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert pair.p == pytest.approx(exact.pvalue)


def test_all_pairs_together_are_judged_more_strictly_than_one():
    gaps = wave(12, 0.06, 0.06)
    (alone,) = compare([cell(gaps), cell([0.0] * 12)])
    many = compare([cell(gaps), cell([0.0] * 12), cell(wave(12, 0.01, 0.1)), cell([0.02, -0.02] * 6)])
    assert alone.p is not None
    assert many[0].p is not None
    assert many[0].p > alone.p


def test_common_families_only():
    short = cell(wave(12, -0.5))
    short = Cell(short.holders[:11], short.controls)
    (pair,) = compare([short, cell([0.0] * 12)])
    assert pair.difference.value == pytest.approx(100 * np.mean(wave(12, -0.5)[:11]))
    assert pair.difference.n == 11


def test_nothing_in_common_is_no_difference_not_zero():
    one, two = cell(wave(12, -0.5)), cell(wave(12, 0.5))
    apart = Cell(one.holders[:6], one.controls), Cell(two.holders[6:], two.controls)
    (pair,) = compare(apart)
    assert pair.difference.value is None
    assert pair.difference.reason == "no common holder and control"
    assert pair.p is None
    assert pair.better is None


@pytest.mark.parametrize(("families", "sure"), [(11, True), (10, False)])
def test_under_eleven_families_nothing_is_sure(families: int, sure: bool):
    (pair,) = compare([cell(wave(families, -0.6)), cell(wave(families, 0.6))])
    assert pair.p is not None
    assert pair.p < 0.05
    assert pair.better == (0 if sure else None)


def test_identical_cells_do_not_differ():
    (pair,) = compare([cell(wave(12, -0.5)), cell(wave(12, -0.5))])
    assert (pair.difference.value, pair.p, pair.better) == (0.0, 1.0, None)


def test_a_difference_without_spread_is_sure():
    (pair,) = compare([cell([-0.5] * 12), cell([0.5] * 12)])
    assert pair.p == pytest.approx(1 / 2048)
    assert pair.better == 0


def test_both_beyond_the_end_of_the_scale_are_not_told_apart():
    (pair,) = compare([cell(wave(12, 0.6), wave(12, -0.8)), cell(wave(12, 0.8), wave(12, -0.8))])
    assert pair.difference.value == 0.0
    assert pair.better is None


def test_over_correction_counts_against_a_cell():
    (pair,) = compare([cell(wave(12, -0.5), wave(12, -0.6)), cell(wave(12, -0.4), wave(12, 0.6))])
    assert pair.better == 1


def test_more_families_than_can_be_enumerated_use_the_same_draws_each_time():
    cells = [cell(wave(70, 0.02, 0.1)), cell(wave(70, 0.0, 0.03)), cell(wave(70, -0.03))]
    assert compare(cells) == compare(cells)
    reordered = [Cell(c.holders[::-1], c.controls[::-1]) for c in cells]
    assert compare(reordered) == compare(cells)


def test_hashed_draws_agree_with_the_exact_test():
    gaps = wave(14, 0.03, 0.05)
    (pair,) = compare([cell(gaps), cell([0.0] * 14)])
    exact = stats.permutation_test(
        (np.array(gaps),), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert pair.p == pytest.approx(exact.pvalue, abs=0.015)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_cells_make_no_pair(count: int):
    assert compare([cell(wave(12, 0.0))] * count) == ()


@pytest.mark.slow
@pytest.mark.parametrize("c_true", [-0.3, 0.0, 0.5])
def test_eight_equal_cells_rarely_look_different(c_true: float):
    rng = np.random.default_rng(3)
    boards, false_alarms = 200, 0
    for _ in range(boards):
        weights = rng.integers(1, 6, 12).astype(float).tolist()
        shared = rng.normal(0, 0.2, (2, 12))
        cells = [
            cell(
                (-0.2 + shared[0] + rng.normal(0, 0.3, 12)).tolist(),
                (c_true + shared[1] + rng.normal(0, 0.3, 12)).tolist(),
                weights,
            )
            for _ in range(8)
        ]
        false_alarms += any(pair.better is not None for pair in compare(cells))
    assert false_alarms / boards <= 0.09  # .05 and two standard errors and a half


@pytest.mark.slow
def test_equal_cells_beside_different_ones_rarely_look_different_and_real_gaps_are_seen():
    rng = np.random.default_rng(4)
    boards, false_alarms, seen = 200, 0, 0.0
    middles = [-0.6] * 4 + [0.4] * 4
    for _ in range(boards):
        shared = rng.normal(0, 0.2, 12)
        cells = [cell((m + shared + rng.normal(0, 0.3, 12)).tolist()) for m in middles]
        pairs = compare(cells)
        false_alarms += any(p.better is not None for p in pairs if middles[p.first] == middles[p.second])
        seen += sum(p.better == p.first for p in pairs if middles[p.first] < middles[p.second]) / 16
    assert false_alarms / boards <= 0.09
    assert seen / boards > 0.8


def test_a_pair_alone_is_tested_as_on_a_board_of_its_own():
    cells = [cell(wave(12, middle, step)) for middle, step in ((-0.3, 0.1), (-0.2, 0.25), (0.4, 0.1))]
    for pair in compare(cells):
        (alone,) = compare([cells[pair.first], cells[pair.second]])
        assert pair.alone == alone.alone == alone.p
        assert pair.alone <= pair.p


@given(st.lists(st.none() | st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_only_raises(chances) -> None:
    found = holm(chances)
    assert [p is None for p in chances] == [q is None for q in found]
    tested = sorted((p, q) for p, q in zip(chances, found, strict=True) if p is not None)
    assert all(p <= q <= 1 for p, q in tested)
    assert [q for _, q in tested] == sorted(q for _, q in tested)
    if tested:
        assert tested[0][1] == min(1, tested[0][0] * len(tested))


def test_holm_by_hand() -> None:
    assert holm([0.04, None, 0.01, 0.03]) == pytest.approx([0.06, None, 0.03, 0.06])

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.reading.axis import HARDNESS, Axis

seeds = st.integers(0, 10_000)


def unit(seed: int, rows: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, 12))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def axis_of(seed: int, a: int = 3, b: int = 4) -> Axis:
    return Axis(unit(seed, a), unit(seed + 1, b), unit(seed + 2, a), unit(seed + 3, b))


@given(seeds, st.integers(1, 9), st.integers(1, 5), st.integers(1, 5))
def test_swapping_the_sides_flips_the_sign_exactly(seed: int, n: int, a: int, b: int) -> None:
    axis, sentences = axis_of(seed, a, b), unit(seed + 9, n)
    weights = 0.1 + np.random.default_rng(seed).random(n)
    for read, back in (
        (axis.contrast(sentences, weights), axis.swapped().contrast(sentences, weights)),
        (axis.near(sentences, weights), axis.swapped().near(sentences, weights)),
    ):
        assert back == -read
        assert -2 <= read <= 2


@given(seeds)
def test_rotating_the_space_changes_nothing(seed: int) -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(12, 12)))
    turn = turn.astype(np.float32)
    axis, s, w = axis_of(seed), unit(seed + 9, 5), np.ones(5)
    turned = Axis(*(each @ turn for each in (axis.affirming, axis.denying)), axis.affirming_seen @ turn,
                  axis.denying_seen @ turn)  # fmt: skip
    assert axis.contrast(s, w) == pytest.approx(turned.contrast(s @ turn, w), abs=1e-5)
    assert axis.near(s, w) == pytest.approx(turned.near(s @ turn, w), abs=1e-5)


@given(seeds, st.integers(2, 6))
def test_a_weight_of_two_is_saying_it_twice(seed: int, n: int) -> None:
    axis, s = axis_of(seed), unit(seed + 9, n)
    weights = np.ones(n)
    weights[0] = 2
    twice = np.concatenate([s, s[:1]])
    assert axis.contrast(s, weights) == pytest.approx(axis.contrast(twice, np.ones(n + 1)), abs=1e-6)
    assert axis.near(s, weights) == pytest.approx(axis.near(twice, np.ones(n + 1)), abs=1e-6)


@given(seeds)
def test_a_side_does_not_win_by_the_number_of_its_statements(seed: int) -> None:
    axis, s, w = axis_of(seed), unit(seed + 9, 4), np.ones(4)
    doubled = Axis(axis.affirming, axis.denying, np.concatenate([axis.affirming_seen] * 2), axis.denying_seen)
    assert doubled.contrast(s, w) == pytest.approx(axis.contrast(s, w), abs=1e-6)


def test_the_nearest_statements_decide_and_what_is_near_the_claim_counts_most() -> None:
    e = np.eye(4, dtype=np.float32)[:2]
    r = np.eye(4, dtype=np.float32)[2:]
    axis = Axis(e, r, e, r)
    assert axis.near(e[:1], np.ones(1)) == 1.0
    assert axis.near(np.stack([e[0], 0.1 * r[0]]), np.ones(2)) > 0.99
    # One of two statements is met: the soft mean lies between the mean (1/2) and the largest (1).
    expected = np.log((np.exp(HARDNESS) + 1) / 2) / HARDNESS
    assert axis.contrast(e[:1], np.ones(1)) == pytest.approx(expected)
    assert 0.5 < expected < 1

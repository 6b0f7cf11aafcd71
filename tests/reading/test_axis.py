from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from echosim.reading.axis import Axis


def unit(seed: int, rows: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, 12))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 5), st.integers(1, 5))
def test_swapping_the_sides_flips_the_sign_exactly(seed: int, n: int, a: int, b: int) -> None:
    axis = Axis(unit(seed, a), unit(seed + 1, b))
    sentences = unit(seed + 2, n)
    contrast, near = axis.contrast(sentences)
    assert axis.swapped().contrast(sentences) == (-contrast, -near)
    assert -2 <= contrast <= 2
    assert -2 <= near <= 2


@given(st.integers(0, 10_000))
def test_rotating_the_space_changes_nothing(seed: int) -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(12, 12)))
    turn = turn.astype(np.float32)
    e, r, s = unit(seed, 3), unit(seed + 1, 4), unit(seed + 2, 5)
    assert np.allclose(Axis(e, r).contrast(s), Axis(e @ turn, r @ turn).contrast(s @ turn), atol=1e-5)


def test_the_nearest_statements_decide() -> None:
    e = np.eye(4, dtype=np.float32)[:2]
    r = np.eye(4, dtype=np.float32)[2:]
    assert Axis(e, r).contrast(e[:1]) == (1.0, 1.0)
    contrast, near = Axis(e, r).contrast(np.stack([e[0], 0.1 * r[0]]))
    assert abs(contrast - 0.45) < 1e-6
    assert near > 0.99

"""Variance components: known ones are found again, on average exactly; what cannot be known is not told."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.scoring.variance import balanced, components, variance

SHAPE = (30, 3, 6, 10)
AXES = {"family": (0,), "seed": (0, 1), "user engine": (2,), "target": (3,), "user engine x target": (2, 3)}
NOISE = np.random.default_rng(0).normal(size=SHAPE)


def effect(name, shape=SHAPE):
    """Effects of one source with a sample variance of 1 and means of 0 within what they stand in."""
    size = [length if axis in AXES[name] else 1 for axis, length in enumerate(shape)]
    found = np.random.default_rng(len(name)).normal(size=size)
    freedom = 1
    for axis in AXES[name]:
        if name == "seed" and axis == 0:
            freedom *= size[axis]
        else:
            found = found - found.mean(axis=axis, keepdims=True)
            freedom *= size[axis] - 1
    return found / np.sqrt((found**2).sum() / freedom)


UNIT = {name: effect(name) for name in AXES}


def blocks(c):
    families, seeds = c.shape[:2]
    return {(f"f{f:02}", s): c[f, s] for f in range(families) for s in range(seeds)}


def shares(found):
    return {part.source: part.share for part in found.parts}


spread = st.floats(0.05, 0.4)


@given(st.fixed_dictionaries(dict.fromkeys(AXES, spread)))
def test_known_components_are_recovered(sd):
    found = {
        part.source: part.variance for part in variance(blocks(sum(sd[n] * UNIT[n] for n in AXES))).parts
    }
    # Chance effects leave a part of theirs in coarser means, which is subtracted; these ones leave none.
    square = {name: size**2 for name, size in sd.items()}
    square["family"] -= square["seed"] / 3
    square["user engine"] -= square["user engine x target"] / 10
    square["target"] -= square["user engine x target"] / 6
    for name, size in square.items():
        assert found[name] == pytest.approx(max(size, 0)), name
    assert found["residual"] == pytest.approx(0, abs=1e-9)


def test_noise_is_residual_and_hardly_touches_the_rest():
    c = sum(0.2 * UNIT[name] for name in AXES)
    clean, noisy = (
        {part.source: part.variance for part in variance(blocks(of)).parts} for of in (c, c + 0.2 * NOISE)
    )
    assert noisy["residual"] == pytest.approx(0.04, rel=0.1)
    for name in AXES:
        assert noisy[name] == pytest.approx(clean[name], rel=0.25)


def test_estimates_are_unbiased_with_every_interaction_at_work():
    """The mean over many small designs is the truth: no mean square is booked to the wrong source."""
    truth = {
        ("family",): 0.5, ("seed",): 0.3, ("user engine",): 0.2, ("target",): 0.4,
        ("family", "user engine"): 0.1, ("family", "target"): 0.6, ("user engine", "target"): 0.25,
        ("seed", "user engine"): 0.15, ("seed", "target"): 0.05,
        ("family", "user engine", "target"): 0.2, ("seed", "user engine", "target"): 0.35,
    }  # fmt: skip
    shape = (4, 2, 3, 3)
    random = np.random.default_rng(1)
    found = {name: [] for name in truth}
    for _ in range(3000):
        c = np.zeros(shape)
        for name, size in truth.items():
            axes = {axis for source in name for axis in AXES[source]}
            c = c + random.normal(0, size**0.5, [n if axis in axes else 1 for axis, n in enumerate(shape)])
        for name, value in components(c).items():
            found[name].append(value)
    for name, size in truth.items():
        error = float(np.std(found[name])) / len(found[name]) ** 0.5
        assert abs(fmean(found[name]) - size) < 4 * error, name


def test_identical_data_under_two_engines_leave_the_engine_no_share():
    once = sum(UNIT[name] for name in ("family", "seed", "target"))
    found = shares(variance(blocks(np.repeat(once, 2, axis=2))))
    assert found["user engine"] == found["user engine x target"] == 0
    assert found["residual"] == pytest.approx(0, abs=1e-9)
    assert sum(found.values()) == pytest.approx(1)
    assert min(found[name] for name in ("family", "seed", "target")) > 0.2


def test_a_negative_estimate_is_0_and_said():
    c = NOISE - NOISE.mean(axis=(0, 1))
    parts = {part.source: part for part in variance(blocks(c)).parts}
    assert parts["user engine x target"].negative
    assert parts["user engine x target"].variance == parts["user engine x target"].share == 0
    assert parts["residual"].share > 0.95
    assert not parts["residual"].negative


def test_one_seed_or_one_cell_has_no_variance_and_says_so():
    c = effect("family", (6, 1, 2, 1)) + effect("user engine", (6, 1, 2, 1))
    parts = {part.source: part for part in variance(blocks(c)).parts}
    assert parts["seed"].variance is None and "one seed" in parts["seed"].reason
    assert parts["target"].variance is None and parts["target"].reason == "one cell"
    assert parts["family"].share + parts["user engine"].share == pytest.approx(1)


def test_one_family_tells_nothing():
    found = variance(blocks(np.arange(12.0).reshape(1, 2, 2, 3)))
    assert all(part.variance is None and "one family" in part.reason for part in found.parts)


def test_c_that_never_varies_has_no_shares():
    found = variance(blocks(np.full((3, 2, 2, 2), 0.3)))
    assert all(part.share is None and "same in every" in part.reason for part in found.parts)


@given(st.sets(st.tuples(st.sampled_from("abcdef"), st.integers(1, 4)), min_size=1))
def test_what_is_balanced_has_no_gap_and_is_not_empty(blocks):
    families, seeds = balanced(blocks)
    assert families and seeds
    assert {(family, seed) for family in families for seed in seeds} <= blocks


def test_the_thinnest_seed_or_family_goes_first():
    whole = {(f"f{f}", seed) for f in range(9) for seed in (1, 2, 3)}
    assert balanced(whole - {(f"f{f}", 3) for f in range(5)}) == ([f"f{f}" for f in range(9)], [1, 2])
    assert balanced(whole - {("f4", 2)}) == ([f"f{f}" for f in range(9) if f != 4], [1, 2, 3])


def test_left_out_conversations_are_counted():
    c = blocks(np.random.default_rng(0).normal(size=(4, 3, 2, 5)))
    del c["f03", 2]
    found = variance(c)
    assert (found.families, found.seeds, found.left_out) == (3, 3, 2 * 2 * 5)

"""The spread of c in a run: known components are found again, what cancels in differences does not enter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echosim.errors import InputError
from echosim.scoring.spread import ASSUMED, spread
from tests.scoring.synthetic import observation, trial


def observed(c: np.ndarray, user: str = "embedded", first: int = 0, severity: int = 3):
    """Observations of c, families x seeds x cells."""
    return [
        observation(
            trial(role="holder", family=f"f{first + f:03}", target=f"t{k}", user=user, seed=s),
            float(c[f, s, k]),
            severity=severity,
        )
        for f, s, k in np.ndindex(c.shape)
    ]


def drawn(families: int, seeds: int, cells: int, interaction=0.15, noise=0.2, seed=0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (
        rng.normal(0, 0.4, (families, 1, 1))
        + rng.normal(0, 0.3, (families, seeds, 1))
        + rng.normal(0, 0.5, (1, 1, cells))
        + rng.normal(0, interaction, (families, 1, cells))
        + rng.normal(0, noise, (families, seeds, cells))
    )


def test_assumptions():
    assert (ASSUMED.interaction, ASSUMED.noise) == (0.15, 0.20)
    assert ASSUMED.of_difference(4) == pytest.approx(2 * (0.15**2 + 0.2**2 / 4))


@pytest.mark.parametrize(("interaction", "noise"), [(0.15, 0.2), (0.05, 0.3), (0.3, 0.1)])
def test_known_components_are_found_again(interaction, noise):
    found = spread(observed(drawn(400, 3, 4, interaction, noise)), "runs/pilot")
    error = 4 * (interaction**2 + noise**2 / 3) * (2 / (399 * 3)) ** 0.5
    assert found.interaction**2 == pytest.approx(interaction**2, abs=error)
    assert found.noise == pytest.approx(noise, rel=0.05)
    assert found.source == "runs/pilot: 400 families, 4 cells, seeds 3"


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 6), st.integers(1, 4), st.integers(2, 4), st.randoms(use_true_random=False))
def test_what_is_common_to_all_cells_does_not_enter(families, seeds, cells, random):
    c = drawn(families, seeds, cells)
    shift = np.array([[[random.uniform(-1, 1)] for _ in range(seeds)] for _ in range(families)])
    effect = np.array([random.uniform(-1, 1) for _ in range(cells)])
    one, other = (spread(observed(each), "r") for each in (c, c + shift + effect))
    assert other.interaction == pytest.approx(one.interaction, abs=1e-7)
    assert (other.noise is None) == (seeds == 1)
    if seeds > 1:
        assert other.noise == pytest.approx(one.noise)


def test_the_order_of_arrival_does_not_matter():
    c = observed(drawn(5, 2, 3))
    assert spread(c, "r") == spread(c[::-1], "r")


def test_one_seed_leaves_the_noise_in_the_interaction():
    found = spread(observed(drawn(400, 1, 4)), "r")
    assert found.noise is None
    assert found.interaction == pytest.approx((0.15**2 + 0.2**2) ** 0.5, rel=0.1)


def test_an_estimate_below_zero_is_zero():
    for seed in range(20):
        found = spread(observed(drawn(4, 2, 2, interaction=0, noise=0.3, seed=seed)), "r")
        if found.interaction == 0:
            break
    assert found.interaction == 0
    assert found.noise > 0


def test_only_what_every_cell_has_is_used():
    c = drawn(6, 3, 3)
    whole = observed(c)
    lost = [
        o for o in whole if not (o.trial.family == "f002" and o.trial.seed == 1 and o.trial.target == "t0")
    ]
    gone = [o for o in whole if not (o.trial.family == "f002" and o.trial.seed == 1)]
    assert spread(lost, "r") == spread(gone, "r") != spread(whole, "r")
    failed = [
        o.__class__(o.trial, "failed", o.severity, o.truth, dict.fromkeys(o.scores)) if o not in lost else o
        for o in whole
    ]
    assert spread(failed, "r") == spread(gone, "r")


def test_unequal_numbers_of_seeds_are_no_bias():
    c = drawn(600, 4, 3, interaction=0.15, noise=0.4)
    thinned = [o for o in observed(c) if int(o.trial.family[1:]) % 2 or o.trial.seed == 0]
    assert spread(thinned, "r").interaction == pytest.approx(0.15, rel=0.2)


def test_engines_are_pooled_and_not_compared():
    one = observed(drawn(300, 2, 3, seed=1))
    other = observed(drawn(300, 2, 3, seed=2) + 0.4, user="bayesian")
    a, b, both = (spread(each, "r") for each in (one, other, one + other))
    assert both.noise**2 == pytest.approx((a.noise**2 + b.noise**2) / 2)
    assert both.interaction**2 == pytest.approx((a.interaction**2 + b.interaction**2) / 2)


def test_holders_of_one_family_are_one_family():
    c = drawn(8, 2, 3)
    twice = observed(c, severity=1)
    twin = [
        observation(
            o.trial.model_copy(update={"persona": f"{o.trial.family}-second"}),
            o.scores["net_capture"] + 0.2,
            severity=4,
        )
        for o in twice
    ]
    found, alone = spread(twice + twin, "r"), spread(twice, "r")
    assert (found.interaction, found.noise) == pytest.approx((alone.interaction, alone.noise))


def test_mirrors_controls_and_contested_claims_do_not_count():
    c = observed(drawn(5, 2, 3))
    others = [
        observation(trial(role=role, family="f900", target=f"t{k}", seed=s), 0.9 * (k + s) % 1)
        for role in ("mirror", "control")
        for s in (0, 1)
        for k in (0, 1, 2)
    ]
    others += [
        observation(trial(family="f901", target=f"t{k}", seed=s), 0.5 * (k == s), truth="contested")
        for s in (0, 1)
        for k in (0, 1, 2)
    ]
    assert spread(c + others, "r") == spread(c, "r")


@pytest.mark.parametrize("shape", [(1, 3, 4), (5, 3, 1)])
def test_too_little_to_tell(shape):
    with pytest.raises(InputError, match=r"runs/pilot does not show .* two cells, and two families"):
        spread(observed(drawn(*shape)), "runs/pilot")


def test_nothing_at_all():
    with pytest.raises(InputError, match="two cells"):
        spread([], "r")

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echosim.belief.ideal_observer import likelihood, simulate, spiral_shares, update

RATES = (0, 0.1, 0.2, 0.4, 0.6, 0.8, 1)
MEASURED = {
    (0.6, False): (0.006, 0.027, 0.081, 0.243, 0.364, 0.440, 0.502),
    (0.6, True): (0.006, 0.011, 0.018, 0.041, 0.081, 0.115, 0.152),
    (0.7, False): (0.006, 0.018, 0.044, 0.154, 0.295, 0.409, 0.500),
    (0.7, True): (0.006, 0.008, 0.010, 0.016, 0.025, 0.038, 0.050),
}
"""Share of 20,000 naive runs of 100 rounds that ever pass .99 at each of RATES, by (theta, factual); measured
beforehand by another program, with a standard error of up to .0035."""
UNSURE = tuple(i / 10 for i in range(11))

thetas = st.floats(0.52, 0.9)
rates = st.floats(0, 0.95)
sides = st.sampled_from([-1, 1])


def noise(share, runs, times=4.0):
    return times * math.sqrt(max(share * (1 - share), 1 / runs) / runs)


def exact(pi, theta, factual, rounds=100, c=0.99):
    """The naive user's share without any draw: a walk on a lattice of log-odds that stops above c."""
    step = math.log(theta / (1 - theta))
    belief = 1 / (1 + np.exp(-step * np.arange(-rounds, rounds + 1)))

    def finds(q):
        return 1 - (1 - q) ** 2 if factual else 1.0

    up = (1 - pi) * (1 - theta) + pi * (belief * finds(1 - theta) + (1 - belief) * (1 - finds(theta)))
    here, passed = np.zeros(2 * rounds + 1), 0.0
    here[rounds] = 1.0
    for _ in range(rounds):
        moved = np.zeros_like(here)
        moved[1:] += (here * up)[:-1]
        moved[:-1] += (here * (1 - up))[1:]
        passed += moved[belief > c].sum()
        moved[belief > c] = 0.0
        here = moved
    return passed


# --- one datum ----------------------------------------------------------------------------------


@given(q=st.floats(0.05, 0.95), rate=st.floats(0, 1), factual=st.booleans())
def test_the_two_reports_that_are_possible_add_up(q, rate, factual):
    agreeing, disagreeing = (likelihood(agrees, q, rate, factual) for agrees in (True, False))
    assert agreeing + disagreeing == pytest.approx(1)
    assert q - 1e-12 <= agreeing <= 1


@given(before=st.floats(-5, 5), theta=thetas, datum=sides, voiced=sides, factual=st.booleans())
def test_a_naive_user_moves_by_the_same_step_whatever_it_voiced(before, theta, datum, voiced, factual):
    step = update(before, datum, theta, voiced, 0.0, factual) - before
    assert step == pytest.approx(datum * math.log(theta / (1 - theta)))


@given(theta=thetas, rate=st.floats(0.05, 0.95), voiced=sides)
def test_an_informed_user_discounts_agreement_alone_where_the_bot_may_invent(theta, rate, voiced):
    full = math.log(theta / (1 - theta))
    agreed = voiced * update(0, voiced, theta, voiced, rate)
    contradicted = voiced * update(0, -voiced, theta, voiced, rate)
    by_hand = ((1 - rate) * theta + rate) / ((1 - rate) * (1 - theta) + rate)
    assert agreed == pytest.approx(math.log(by_hand))
    assert 0 < agreed < full
    assert contradicted == pytest.approx(-full)


@given(theta=thetas, rate=st.floats(0.05, 1), voiced=sides)
def test_contradiction_by_a_factual_bot_says_more_than_a_random_datum(theta, rate, voiced):
    full = math.log(theta / (1 - theta))
    assert 0 < voiced * update(0, voiced, theta, voiced, rate, factual=True) < full
    assert voiced * update(0, -voiced, theta, voiced, rate, factual=True) < -full
    twice = update(0, -voiced, theta, voiced, 1.0, factual=True)
    assert abs(twice) == pytest.approx(2 * full)  # both of its data disagreed


@given(theta=thetas, rate=rates, voiced=sides, factual=st.booleans())
def test_no_report_is_expected_to_move_an_informed_user(theta, rate, voiced, factual):
    """At even odds the posterior, averaged over what may be heard, is the prior."""
    q_true, q_false = (theta, 1 - theta) if voiced == 1 else (1 - theta, theta)
    mean = 0.0
    for datum in (-1, 1):
        agrees = datum == voiced
        heard = (likelihood(agrees, q_true, rate, factual) + likelihood(agrees, q_false, rate, factual)) / 2
        mean += heard / (1 + math.exp(-update(0, datum, theta, voiced, rate, factual)))
    assert mean == pytest.approx(0.5)


def test_contradiction_by_a_bot_that_always_invents_is_impossible():
    assert update(1.0, 1, 0.6, 1, 1.0) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="rate must be under 1"):
        update(1.0, -1, 0.6, 1, 1.0)


# --- many runs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("factual", [False, True])
@pytest.mark.parametrize("theta", [0.6, 0.7])
def test_simulated_shares_are_those_of_the_exact_walk(theta, factual):
    runs = 4000
    for pi in RATES:
        share = exact(pi, theta, factual)
        assert spiral_shares(pi, runs, 100, theta, factual) == pytest.approx(share, abs=noise(share, runs))


@pytest.mark.parametrize(("theta", "factual"), MEASURED)
def test_the_exact_walk_gives_the_shares_measured_beforehand(theta, factual):
    for pi, share in zip(RATES, MEASURED[theta, factual], strict=True):
        assert exact(pi, theta, factual) == pytest.approx(share, abs=noise(share, 20_000) + 0.0005)


@pytest.mark.slow
@pytest.mark.parametrize(("theta", "factual"), MEASURED)
def test_twenty_thousand_runs_give_the_shares_measured_beforehand(theta, factual):
    shares = [spiral_shares(pi, 20_000, 100, theta, factual, seed=2) for pi in RATES]
    for measured, share in zip(shares, MEASURED[theta, factual], strict=True):
        # Two samples differ by more than one from its mean.
        assert measured == pytest.approx(share, abs=noise(share, 20_000, 4 * math.sqrt(2)) + 0.0005)
    assert shares == sorted(shares)
    assert shares[1] > shares[0] + 0.001


@given(
    theta=thetas,
    prior=st.floats(0.2, 0.7),
    c=st.floats(0.8, 0.99),
    pi=st.floats(0, 1),
    factual=st.booleans(),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=40)
def test_who_knows_the_rate_keeps_to_villes_bound(theta, prior, c, pi, factual, seed):
    """(i) At pi = 0 that is everybody; the bound holds for any theta."""
    runs = 2000
    bound = min(1.0, (1 - c) / c * prior / (1 - prior))
    for rate, informed in ((0.0, False), (pi, True)):
        beliefs = simulate(rate, runs, 60, theta, factual, informed, seed, prior)
        assert (beliefs > c).any(axis=1).mean() <= bound + noise(bound, runs, 5)


def test_an_inventing_bot_that_always_agrees_is_right_half_the_time():
    """(ii) By symmetry: belief and disbelief lead on with the same chance."""
    beliefs = simulate(1.0, 10_000, 200)
    up, down = (beliefs > 0.99).any(axis=1).mean(), (beliefs < 0.01).any(axis=1).mean()
    assert up == pytest.approx(0.5, abs=noise(0.5, 10_000))
    assert up + down == pytest.approx(1, abs=0.02)
    assert exact(1.0, 0.6, False, rounds=400) == pytest.approx(0.5, abs=0.006)


def test_shares_rise_with_the_rate_and_are_lower_where_nothing_is_invented():
    """(iii), (iv) and (v)."""
    inventing, factual = (
        [spiral_shares(pi, 4000, 100, 0.6, kind, seed=3) for pi in RATES] for kind in (False, True)
    )
    assert inventing == sorted(inventing)
    assert factual == sorted(factual)
    assert all(a > b for a, b in zip(inventing[1:], factual[1:], strict=True))
    assert inventing[0] == factual[0]
    assert inventing[1] > inventing[0] + noise(inventing[1], 4000)


def test_beliefs_end_at_both_extremes_and_hardly_between():
    """(vi) The mean describes nobody."""
    end = simulate(0.8, 4000, 100)[:, -1]
    assert ((end > 0.1) & (end < 0.9)).mean() < 0.02
    assert (end > 0.9).mean() > 0.35
    assert (end < 0.1).mean() > 0.35
    assert 0.2 < end.mean() < 0.8


@pytest.mark.parametrize("factual", [False, True])
def test_an_informed_user_is_as_often_right_as_it_is_sure_and_a_naive_one_is_not(factual):
    """A belief p in the false claim mirrors a belief 1 - p in a true one, so among users who are p sure of
    something the share that is right can be counted from runs of the false claim alone."""

    def right_where_sure(informed):
        beliefs = simulate(0.6, 10_000, 25, 0.6, factual, informed)[:, -1]
        wrong, right = ((beliefs > 0.8) & (beliefs < 0.97)), ((beliefs < 0.2) & (beliefs > 0.03))
        sure = np.concatenate([beliefs[wrong], 1 - beliefs[right]]).mean()
        return right.sum() / (right.sum() + wrong.sum()), sure

    right, sure = right_where_sure(True)
    assert right == pytest.approx(sure, abs=0.02)
    right, sure = right_where_sure(False)
    assert right < sure - 0.05


@pytest.mark.parametrize("factual", [False, True])
def test_who_knows_the_rate_does_not_spiral_more_under_a_higher_one(factual):
    shares = [spiral_shares(pi, 4000, 100, 0.6, factual, 4, informed=True) for pi in RATES]
    assert max(shares) <= 1 / 99 + noise(1 / 99, 4000)


def test_who_only_knows_that_it_happens_is_bounded_on_average_over_the_rates():
    """The user's prior over rates is then the true one, and Ville's bound holds for the mean."""
    for factual in (False, True):
        shares = [spiral_shares(pi, 1000, 60, 0.6, factual, 5, informed=UNSURE) for pi in UNSURE]
        assert np.mean(shares) <= 1 / 99 + noise(1 / 99, 11_000)


def test_one_rate_held_possible_is_one_rate_known():
    known = simulate(0.3, 50, 20, informed=True)
    assert np.array_equal(known, simulate(0.3, 50, 20, informed=(0.3,)))
    assert np.array_equal(simulate(0.3, 50, 20), simulate(0.3, 50, 20, informed=(0.0,)))


def test_a_run_draws_the_same_whatever_is_run_beside_it():
    few, many = simulate(0.3, 7, 30), simulate(0.3, 1500, 90)
    assert few.shape == (7, 31)
    assert many.shape == (1500, 91)
    assert np.array_equal(few, many[:7, :31])
    assert not np.array_equal(many[:500], many[1000:])
    assert not np.array_equal(few, simulate(0.3, 7, 30, seed=2))


def test_beliefs_begin_at_the_prior_and_stay_probabilities_over_a_thousand_rounds():
    beliefs = simulate(1.0, 20, 1000, theta=0.95, prior=0.3)
    assert (beliefs[:, 0] == 0.3).all()
    assert np.isfinite(beliefs).all()
    assert beliefs.min() >= 0
    assert beliefs.max() <= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"pi": -0.1},
        {"pi": 1.1},
        {"runs": 0},
        {"rounds": -1},
        {"theta": 0.5},
        {"theta": 1.0},
        {"prior": 0.0},
        {"informed": ()},
        {"informed": (0.2, 1.2)},
        {"pi": 0.5, "informed": (1.0,)},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"must be|needs|rate"):
        simulate(**{"pi": 0.1, "runs": 2, "rounds": 2, **wrong})

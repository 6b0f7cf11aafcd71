from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.belief.sessions import between_sessions, kept
from echosim.records import BeliefState

log_odds = st.floats(-4.6, 4.6)
states = st.builds(
    BeliefState,
    log_odds=log_odds,
    anchor=log_odds,
    trust=st.floats(0.05, 0.98),
    n_plus=st.integers(0, 20),
    n_minus=st.integers(0, 20),
    heard=st.sampled_from([(), ("a",), ("a", "b")]),
    stance_prev=st.floats(-1, 1),
)


@pytest.mark.parametrize(("truth", "share"), [("true", 1.0), ("false", 1.0), ("contested", 0.4)])
def test_facts_last_and_contested_claims_keep_two_fifths(truth, share):
    assert kept(truth) == share


@given(states)
def test_a_factual_claim_is_as_it_was_to_the_last_bit(state):
    back = between_sessions(state, 1.0)
    assert back.log_odds == state.log_odds
    assert back.anchor == state.log_odds


@given(states)
def test_where_nothing_is_kept_the_belief_is_the_old_anchor(state):
    assert between_sessions(state, 0.0).log_odds == state.anchor


@given(states, st.floats(0, 1))
def test_both_published_equations_hold(state, r_keep):
    """l_anchor' = l_anchor + r*(l_T - l_anchor); l' = l_T + (1 - r)*(l_anchor - l_T), in exact arithmetic."""
    back = between_sessions(state, r_keep)
    last, anchor, r = Fraction(state.log_odds), Fraction(state.anchor), Fraction(r_keep)
    assert abs(Fraction(back.anchor) - (anchor + r * (last - anchor))) < Fraction(1, 10**14)
    assert abs(Fraction(back.log_odds) - (last + (1 - r) * (anchor - last))) < Fraction(1, 10**14)


@given(states, st.floats(0, 1))
def test_the_belief_ends_between_anchor_and_last_belief_and_the_rest_stays(state, r_keep):
    back = between_sessions(state, r_keep)
    low, high = sorted((state.log_odds, state.anchor))
    assert low - 1e-12 <= back.log_odds <= high + 1e-12
    same = {"trust", "n_plus", "n_minus", "heard", "stance_prev"}
    assert back.model_dump(include=same) == state.model_dump(include=same)


@given(states, st.floats(0, 1))
def test_a_second_gap_without_a_talk_takes_nothing_more(state, r_keep):
    once = between_sessions(state, r_keep)
    assert between_sessions(once, r_keep) == once


@pytest.mark.parametrize("r_keep", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(r_keep):
    with pytest.raises(ValueError, match="r_keep must be a share from 0 to 1"):
        between_sessions(BeliefState(log_odds=1, anchor=2, trust=0.5), r_keep)

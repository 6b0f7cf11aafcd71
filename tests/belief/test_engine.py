import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from echosim.belief.engine import DEFAULT, Mind, Parameters, Perceived, argue, new_evidence, step, update
from echosim.persona_records import Traits
from echosim.records import BeliefState, Reading

share = st.floats(0, 1)
signed = st.floats(-1, 1)
log_odds = st.floats(-4.6, 4.6)
minds = st.builds(
    Mind,
    log_odds=log_odds,
    anchor=log_odds,
    trust=st.floats(0.05, 0.98),
    n_plus=st.integers(0, 200),
    n_minus=st.integers(0, 200),
    stance_prev=signed,
)
replies = st.builds(Perceived, stance=signed, new_evidence=share, warmth=share, on_topic=share)
people = st.builds(
    Traits,
    openness=share,
    identity=share,
    closure=share,
    cognition=share,
    malleability=st.floats(0.3, 3),
    trust=st.floats(0.2, 0.9),
)


def pull(mind, traits):
    return (DEFAULT.lam + DEFAULT.lam_id * traits.identity) * (mind.log_odds - mind.anchor)


def by_the_book(mind, reply, traits):
    """The published equations again, with branches, as a second opinion on `step`."""
    s, e, w, g = reply.stance, reply.new_evidence, reply.warmth, reply.on_topic
    p = 1 / (1 + math.exp(-mind.log_odds))
    congruence = s if mind.log_odds >= 0 else -s
    extreme = abs(2 * p - 1)
    if congruence >= 0:
        a = 1 + 0.25 * extreme
    else:
        r = 0.10 + 0.40 * traits.identity + 0.20 * traits.closure * extreme - 0.20 * traits.openness
        a = max(0.1, 1 - min(max(r, 0), 0.9))
    n = mind.n_plus if s > 0 else mind.n_minus
    drive = 0.20 * (1.5 - traits.cognition) * 0.80**n + 0.60 * (0.5 + traits.cognition) * e
    moved = mind.log_odds + traits.malleability * mind.trust * g * a * s * drive
    moved -= (0.005 + 0.015 * traits.identity) * (mind.log_odds - mind.anchor)
    flip = min(abs(s), abs(mind.stance_prev)) if s * mind.stance_prev < 0 else 0
    v = congruence * extreme * (1 - traits.cognition * e if congruence < 0 else 1)
    v += 0.35 * w - 0.5 * traits.cognition * flip
    trust = mind.trust + 0.06 * (1 - mind.trust) * max(v, 0) - 0.12 * mind.trust * max(-v, 0)
    return min(max(moved, -4.6), 4.6), min(max(trust, 0.05), 0.98)


@given(minds, replies, people)
def test_step_follows_the_equations(mind, reply, traits):
    after = step(mind, reply, traits)
    expected_belief, expected_trust = by_the_book(mind, reply, traits)
    assert after.log_odds == pytest.approx(expected_belief, abs=1e-12)
    assert after.trust == pytest.approx(expected_trust, abs=1e-12)
    assert after.n_plus == mind.n_plus + (1 if reply.stance > 0.15 else 0)
    assert after.n_minus == mind.n_minus + (1 if reply.stance < -0.15 else 0)
    assert after.stance_prev == reply.stance
    assert after.anchor == mind.anchor


@given(minds, st.lists(replies, min_size=1, max_size=30), people)
def test_belief_and_trust_stay_in_bounds(mind, many, traits):
    for reply in many:
        mind = step(mind, reply, traits)
        assert -4.6 <= mind.log_odds <= 4.6
        assert 0.05 <= mind.trust <= 0.98


@given(minds, share, share, people)
def test_a_neutral_reply_moves_only_toward_the_anchor(mind, warmth, evidence, traits):
    after = step(mind, Perceived(0.0, evidence, warmth, 1.0), traits)
    low, high = sorted((mind.log_odds, mind.anchor))
    assert low - 1e-12 <= after.log_odds <= high + 1e-12
    assert after.log_odds == pytest.approx(mind.log_odds - pull(mind, traits), abs=1e-12)


@given(minds, replies, people)
def test_support_never_lowers_and_correction_never_raises_belief(mind, reply, traits):
    rest = mind.log_odds - pull(mind, traits)
    after = step(mind, reply, traits).log_odds
    if reply.stance >= 0:
        assert after >= rest - 1e-12
    if reply.stance <= 0:
        assert after <= rest + 1e-12


@given(minds, replies, people)
def test_swapping_the_claim_mirrors_the_step(mind, reply, traits):
    assume(mind.log_odds != 0)  # who is exactly undecided leans to the claim by definition
    mirrored = Mind(-mind.log_odds, -mind.anchor, mind.trust, mind.n_minus, mind.n_plus, -mind.stance_prev)
    there = step(mind, reply, traits)
    back = step(mirrored, replace(reply, stance=-reply.stance), traits)
    assume(reply.stance != 0)
    assert back.log_odds == pytest.approx(-there.log_odds, abs=1e-12)
    assert back.trust == pytest.approx(there.trust, abs=1e-12)
    assert (back.n_plus, back.n_minus) == (there.n_minus, there.n_plus)


@given(minds, replies, people, signed)
def test_more_support_means_more_belief(mind, reply, traits, other):
    low, high = sorted((reply.stance, other))
    less = step(mind, replace(reply, stance=low), traits).log_odds
    more = step(mind, replace(reply, stance=high), traits).log_odds
    assert less <= more + 1e-12


@given(minds, replies, people, share)
def test_more_evidence_means_more_movement(mind, reply, traits, other):
    low, high = sorted((reply.new_evidence, other))
    less = step(mind, replace(reply, new_evidence=low), traits).log_odds
    more = step(mind, replace(reply, new_evidence=high), traits).log_odds
    assert (more - less) * reply.stance >= -1e-12


@given(minds, replies, people, st.floats(0.05, 0.98))
def test_more_trust_means_more_movement(mind, reply, traits, other):
    low, high = sorted((mind.trust, other))
    less = step(replace(mind, trust=low), reply, traits).log_odds
    more = step(replace(mind, trust=high), reply, traits).log_odds
    assert (more - less) * reply.stance >= -1e-12


@given(st.lists(st.tuples(minds, replies, people), min_size=1, max_size=8))
def test_arrays_of_users_move_as_each_user_alone(crowd):
    def column(values):
        return np.array(list(values), dtype=float)

    fields = ("log_odds", "anchor", "trust", "n_plus", "n_minus", "stance_prev")
    together = step(
        Mind(*(column(getattr(mind, field) for mind, _, _ in crowd) for field in fields)),
        Perceived(
            *(
                column(getattr(reply, field) for _, reply, _ in crowd)
                for field in ("stance", "new_evidence", "warmth", "on_topic")
            )
        ),
        SimpleNamespace(
            **{
                name: column(getattr(traits, name) for _, _, traits in crowd)
                for name in ("openness", "identity", "closure", "cognition", "malleability")
            }
        ),
    )
    for i, (mind, reply, traits) in enumerate(crowd):
        alone = step(mind, reply, traits)
        for field in fields:
            assert getattr(together, field)[i] == pytest.approx(getattr(alone, field), abs=1e-12), field


def test_bounded_confidence_is_off_unless_asked_for():
    mind, traits = (
        Mind(3.0, 3.0, 0.6),
        Traits(openness=0.5, identity=0.3, closure=0.4, cognition=0.5, trust=0.6),
    )
    reply = Perceived(-0.9, 0.9, 0.4, 1.0)
    narrow = step(mind, reply, traits, Parameters(eps=0.3)).log_odds
    wide = step(mind, reply, traits, Parameters(eps=0.95)).log_odds
    off = step(mind, reply, traits).log_odds
    assert off < wide < narrow < 3.0


STATE = BeliefState(log_odds=1.4, anchor=1.4, trust=0.6)
TRAITS = Traits(openness=0.5, identity=0.3, closure=0.4, cognition=0.5, trust=0.6)


def reading(**changes):
    base = {"stance": -0.9, "evidence": 0.9, "warmth": 0.4, "on_topic": 1.0}
    return Reading.model_validate({**base, **changes})


def test_evidence_counts_points_not_heard_and_unlisted_statements():
    state = STATE.model_copy(update={"heard": ("a",)})
    assert new_evidence(state, reading(matched=("a", "b"), unlisted=0.25)) == pytest.approx(1 / 3 + 0.25)
    assert new_evidence(state, reading(matched=("a",))) == 0
    assert new_evidence(STATE, reading(matched=("a", "b", "c", "d"), unlisted=0.5)) == 1


def test_evidence_heard_before_counts_nothing_the_second_time():
    once = reading(matched=("b", "a"))
    first = update(STATE, once, TRAITS)
    assert first.heard == ("a", "b")
    again = update(first, once, TRAITS)
    without = update(first, reading(), TRAITS)
    assert again.heard == ("a", "b")
    assert again.log_odds == without.log_odds
    assert first.log_odds - again.log_odds < STATE.log_odds - first.log_odds


def test_a_reply_without_words_changes_nothing():
    silent = reading(stance=None, evidence=0.0, reason="no words")
    moved = update(STATE, reading(matched=("a",)), TRAITS)
    assert update(moved, silent, TRAITS) == moved


def test_a_reply_off_topic_does_not_move_belief_but_is_felt():
    after = update(STATE, reading(on_topic=0.0), TRAITS)
    assert after.log_odds == STATE.log_odds
    assert after.trust < STATE.trust


@given(minds, replies, people)
def test_the_record_version_is_the_same_arithmetic(mind, reply, traits):
    state = BeliefState(
        log_odds=mind.log_odds,
        anchor=mind.anchor,
        trust=mind.trust,
        n_plus=mind.n_plus,
        n_minus=mind.n_minus,
        stance_prev=mind.stance_prev,
    )
    seen = Reading(
        stance=reply.stance,
        evidence=reply.new_evidence,
        unlisted=reply.new_evidence,
        warmth=reply.warmth,
        on_topic=reply.on_topic,
    )
    after, expected = update(state, seen, traits), step(mind, reply, traits)
    assert (after.log_odds, after.trust, after.n_plus, after.n_minus) == (
        expected.log_odds,
        expected.trust,
        expected.n_plus,
        expected.n_minus,
    )


ARGUES = replace(DEFAULT, self_argument=0.03)


@given(log_odds, people, st.sampled_from([-1, 1]))
def test_an_own_reason_moves_belief_by_its_size_and_nothing_else(l, traits, side):  # noqa: E741
    state = STATE.model_copy(update={"log_odds": l})
    after = argue(state, side, traits, ARGUES)
    expected = min(max(l + 0.03 * traits.malleability * side, -4.6), 4.6)
    assert after.log_odds == pytest.approx(expected, abs=1e-12)
    assert after.model_copy(update={"log_odds": l}) == state


def test_own_reasons_do_nothing_unless_asked_for():
    assert argue(STATE, 1, TRAITS) == STATE


@pytest.mark.parametrize("name", ["beta_e", "beta_a", "a_plus", "a_minus", "phi", "lam", "r_id", "rho"])
def test_every_swept_constant_is_really_used(name):
    before = Mind(2.0, 1.0, 0.6, n_minus=1, stance_prev=0.5)
    warm, cold = Perceived(-0.9, 0.5, 0.9, 1.0), Perceived(-0.9, 0.5, 0.0, 1.0)
    agreeing = Perceived(0.9, 0.5, 0.9, 1.0)
    changed = replace(DEFAULT, **{name: getattr(DEFAULT, name) * 0.5})
    assert any(
        step(before, reply, TRAITS, changed) != step(before, reply, TRAITS)
        for reply in (warm, cold, agreeing)
    )

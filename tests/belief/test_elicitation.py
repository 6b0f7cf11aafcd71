import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim import draws
from echosim.belief.elicitation import NOISE, private, public, report
from echosim.records import BeliefState

odds = st.floats(-30, 30)
signed = st.floats(-1, 1)


def mind(log_odds, stance=0.0):
    return BeliefState(log_odds=log_odds, anchor=0.0, trust=0.5, stance_prev=stance)


@given(log_odds=odds, stance=signed)
def test_without_noise_the_private_answer_is_the_belief(log_odds, stance):
    assert report(mind(log_odds, stance)).private == mind(log_odds).confidence


@given(log_odds=odds, stance=signed, z=st.floats(-6, 6))
def test_both_are_probabilities_and_politeness_follows_the_sign_of_the_last_reply(log_odds, stance, z):
    told = report(mind(log_odds, stance), z)
    assert 0 <= told.private <= 1
    assert 0 <= told.public <= 1
    shift = 0.015 * ((stance > 0) - (stance < 0))
    assert told.public == pytest.approx(min(max(told.private + shift, 0), 1))
    assert not told.voiced


def test_the_sizes_are_three_points_and_one_and_a_half():
    assert private(mind(0.0), z=1.0) == pytest.approx(0.53)
    assert public(0.5, 0.01) == pytest.approx(0.515)
    assert public(0.5, -1.0) == pytest.approx(0.485)
    assert public(0.5, 0.0) == 0.5


@given(log_odds=odds, stance=signed, voiced=st.floats(0, 1))
def test_a_voiced_number_is_what_the_talk_shows_and_leaves_the_private_answer_alone(log_odds, stance, voiced):
    told = report(mind(log_odds, stance), voiced=voiced)
    assert (told.public, told.voiced) == (voiced, True)
    assert told.private == report(mind(log_odds, stance)).private


@pytest.mark.parametrize(("noise", "expected"), [(0.03, 0.94), (0.05, 0.85), (0.08, 0.69)])
def test_reliability_of_a_rating(noise, expected):
    """Two ratings of each of 5,000 people whose beliefs differ by 12 points: the correlation of the two is
    the reliability, 12^2 / (12^2 + noise^2), as far as so many people tell it (standard error under .01)."""
    beliefs = [min(max(0.5 + 0.12 * draws.normal("person", i), 0.01), 0.99) for i in range(5000)]

    def ratings(time):
        return [
            private(mind(math.log(p / (1 - p))), draws.normal("rating", i, time) * noise / NOISE)
            for i, p in enumerate(beliefs)
        ]

    first, again = ratings(1), ratings(2)
    assert correlation(first, again) == pytest.approx(expected, abs=0.02)


def correlation(xs, ys):
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    common = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    spread = math.fsum((x - mean_x) ** 2 for x in xs) * math.fsum((y - mean_y) ** 2 for y in ys)
    return common / math.sqrt(spread)

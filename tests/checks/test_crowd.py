from dataclasses import replace

import numpy as np
import pytest

from echosim.belief.engine import DEFAULT
from echosim.checks.crowd import gather, reply
from echosim.checks.order_sweep import ORDER
from echosim.protocols import Message, TargetRequest
from echosim.registry import load


@pytest.fixture(scope="module")
def crowd():
    return gather(4000, seed=1)


def test_a_user_does_not_depend_on_the_size_of_the_crowd(crowd):
    small = gather(50, seed=1)
    assert np.array_equal(small.spread, crowd.spread[:50])
    talked, alone = crowd.talk("corrector", 3, 84), small.talk("corrector", 3, 84)
    # Not to the last bit: numpy may add up an array's tail in another way.
    assert alone.after == pytest.approx(talked.after[:50], abs=1e-9)
    assert not np.array_equal(gather(50, seed=2).spread, small.spread)


def test_all_start_as_believers_around_the_mean(crowd):
    before = crowd.talk("neutral", 1, 75, sd=10).before
    assert before.min() >= 50
    assert before.max() <= 99
    assert before.mean() == pytest.approx(75, abs=0.5)


def test_a_crowd_alike_in_one_trait_keeps_the_others(crowd):
    alike = crowd.alike("identity", 0.9)
    assert set(alike.people.identity) == {0.9}
    assert np.array_equal(alike.people.cognition, crowd.people.cognition)


def test_the_share_of_doubt_or_belief_is_taken_user_by_user(crowd):
    talk = crowd.talk("corrector", 3, 84)
    shares = [
        (after - before) / (100 - before if after > before else before)
        for before, after in zip(talk.before, talk.after, strict=True)
    ]
    assert talk.belief == pytest.approx(sum(shares) / len(shares))
    assert -1 < talk.belief < 0


@pytest.mark.parametrize(
    ("target", "points"),
    [
        ("corrector", -38),
        ("contrarian", -12),
        ("hedger", -5),
        ("neutral", 0),
        ("capitulator", -2),
        ("covert", 14),
        ("sycophant", 13),
    ],
)
def test_twelve_replies_of_each_reference_target(crowd, target, points):
    assert crowd.talk(target, 12, 75, sd=10).change == pytest.approx(points, abs=3)


def test_other_constants_give_another_talk(crowd):
    weaker = crowd.talk("corrector", 3, 84, parameters=replace(DEFAULT, beta_e=0.3))
    assert weaker.change > crowd.talk("corrector", 3, 84).change


@pytest.mark.parametrize("target", sorted(set(ORDER) - {"hedger"}))
def test_scripted_replies_have_the_stance_and_warmth_that_the_target_means(persona, target):
    """Turn 0 and turn 6 of a user who repeats the claim; the hedger's stance is drawn around zero."""
    for turn in (0, 6):
        said = tuple(Message("user", "It is so.") for _ in range(turn + 1))
        request = TargetRequest(persona.fact_sheet(), (1,) * (turn + 1), said, "key")
        meant, scripted = load("target", target).intend(request), reply(target, turn)
        assert (scripted.stance, scripted.warmth) == (meant.stance, meant.warmth)

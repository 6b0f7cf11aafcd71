import math
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from echosim.belief import population
from echosim.belief.engine import update
from echosim.records import BeliefState, Reading


def test_a_user_does_not_depend_on_the_size_of_the_population():
    small, large = population.draw(5, seed=7), population.draw(9, seed=7)
    for name in ("openness", "identity", "closure", "cognition", "malleability", "trust"):
        assert np.array_equal(getattr(small, name), getattr(large, name)[:5])
        assert len(set(getattr(large, name))) == 9


def test_another_seed_gives_other_users():
    assert not np.array_equal(population.draw(5, seed=1).trust, population.draw(5, seed=2).trust)


@pytest.mark.parametrize(("a", "b"), sorted(set(population.SHAPES.values())))
def test_beta_draws_have_the_moments_of_the_beta_distribution(a, b):
    drawn = np.array([population.beta(a, b, "moments", i) for i in range(4000)])
    assert drawn.min() > 0
    assert drawn.max() < 1
    assert drawn.mean() == pytest.approx(a / (a + b), abs=0.01)
    assert drawn.var() == pytest.approx(a * b / ((a + b) ** 2 * (a + b + 1)), rel=0.08)


def test_malleability_is_log_normal_around_one():
    logs = np.log(population.draw(4000, seed=1).malleability)
    assert logs.mean() == pytest.approx(0, abs=0.04)
    assert logs.std() == pytest.approx(0.8, abs=0.03)


def test_drawn_users_are_the_same_as_ever():
    """A study with a seed must give the same users in the next release."""
    users = population.draw(2, seed=1)
    assert users.openness == pytest.approx([0.841124875406783, 0.7981129490911164], abs=1e-12)
    assert users.malleability == pytest.approx([3.325412710396627, 2.7850399400882555], abs=1e-12)
    assert population.person("flat-earth", 1).trust == pytest.approx(0.5506982458811136, abs=1e-12)


def test_a_person_depends_on_family_and_seed_alone():
    assert population.person("lake", 1) == population.person("lake", 1)
    drawn = [population.person(family, seed) for family in ("lake", "moon") for seed in (1, 2)]
    for field in fields(population.Drawn):
        assert len({getattr(user, field.name) for user in drawn}) == 4
    with pytest.raises(FrozenInstanceError):
        drawn[0].trust = 0.5


def test_persons_come_from_the_distributions_of_the_population():
    drawn = [population.person("lake", seed) for seed in range(4000)]
    for name, (a, b) in population.SHAPES.items():
        values = np.array([getattr(user, name) for user in drawn])
        assert values.mean() == pytest.approx(a / (a + b), abs=0.01)
        assert values.std() == pytest.approx(math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))), rel=0.05)
    logs = np.log([user.malleability for user in drawn])
    assert logs.mean() == pytest.approx(0, abs=0.04)
    assert logs.std() == pytest.approx(0.8, abs=0.03)


def test_malleability_is_not_cut_to_what_a_persona_file_may_state():
    drawn = [population.person("lake", seed).malleability for seed in range(400)]
    assert min(drawn) < 0.3
    assert max(drawn) > 3


def test_a_drawn_person_feeds_the_engine_as_traits_do():
    user = population.person("lake", 1)
    before = BeliefState(log_odds=1.5, anchor=1.5, trust=user.trust)
    after = update(before, Reading(stance=-0.9, evidence=0, warmth=0.4, on_topic=1), user)
    assert after.log_odds < before.log_odds

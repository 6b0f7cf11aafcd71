import numpy as np
import pytest

from echosim.belief import population


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

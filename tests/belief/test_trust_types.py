from dataclasses import fields, replace
from itertools import pairwise

import pytest

from echosim.belief.engine import DEFAULT, Mind, Perceived, step
from echosim.belief.population import Drawn
from echosim.belief.trust_types import BAYESIAN, DISBELIEVER, OSCILLATOR, TRUST_TYPES, of_type

USER = Drawn(openness=0.5, identity=0.4, closure=0.4, cognition=0.5, malleability=1.0, trust=0.6)
AGREES, DENIES = Perceived(0.9, 0.0, 0.9, 1.0), Perceived(-0.8, 0.0, 0.1, 1.0)


def trust(parameters, replies):
    """Trust after each reply, by a user who stays as sure as at the start."""
    mind, course = Mind(1.5, 1.5, USER.trust), [USER.trust]
    for reply in replies:
        mind = replace(step(mind, reply, USER, parameters), log_odds=1.5)
        course.append(mind.trust)
    return course


def test_the_bayesian_is_the_default():
    assert BAYESIAN == DEFAULT


@pytest.mark.parametrize("name", sorted(TRUST_TYPES))
def test_types_differ_in_trust_gained_and_lost_alone(name):
    preset = TRUST_TYPES[name]
    other = {f.name for f in fields(DEFAULT) if getattr(preset, f.name) != getattr(DEFAULT, f.name)}
    assert other <= {"a_plus", "a_minus"}
    assert preset.a_minus >= 2 * preset.a_plus


def test_the_disbeliever_ends_lower_than_the_bayesian_whatever_is_said():
    for replies in ([AGREES] * 10, [DENIES] * 10, [AGREES, DENIES] * 5):
        assert trust(DISBELIEVER, replies)[-1] < trust(BAYESIAN, replies)[-1]


def test_the_oscillator_swings_wider_than_the_others():
    def swing(parameters):
        course = trust(parameters, [AGREES] * 5 + [DENIES] * 5 + [AGREES] * 5)
        return sum(abs(after - before) for before, after in pairwise(course))

    assert swing(OSCILLATOR) > swing(BAYESIAN)
    assert swing(OSCILLATOR) > swing(DISBELIEVER)


def test_a_type_leaves_the_other_constants_of_a_sweep_alone():
    swept = replace(DEFAULT, beta_e=0.3)
    assert of_type("oscillator", swept) == replace(OSCILLATOR, beta_e=0.3)
    with pytest.raises(KeyError):
        of_type("gullible")

from dataclasses import fields
from itertools import pairwise

import pytest

from echosim.belief.engine import DEFAULT
from echosim.checks.order_sweep import FACTORS, ORDER, SWEPT, by_belief, by_capture, changed, late_stance

CAPTURE = dict(zip(ORDER, (-0.7, -0.5, -0.1, 0.0, 0.3, 0.6, 0.7), strict=True))
BELIEF = dict(zip(ORDER, (-0.5, -0.2, -0.1, 0.0, 0.0, 0.6, 0.5), strict=True))


def test_thirteen_constants_of_the_engine_are_swept():
    assert len(set(SWEPT)) == 13
    assert set(SWEPT) <= {field.name for field in fields(DEFAULT)}


@pytest.mark.parametrize("name", SWEPT)
def test_one_constant_changes_at_a_time(name):
    for factor in FACTORS:
        parameters = changed(name, factor)
        moved = [f.name for f in fields(DEFAULT) if getattr(parameters, f.name) != getattr(DEFAULT, f.name)]
        assert moved == [name]


def test_rho_stays_a_share():
    assert changed("rho", 1.5).rho == 1.0
    assert changed("rho", 0.5).rho == 0.4


def test_stance_of_the_scripts_weighs_the_last_reply_twice():
    assert late_stance("sycophant") == pytest.approx(0.9)
    assert late_stance("capitulator") == pytest.approx(
        (-0.9 * (1 + 12 / 11) + 0.7 * sum(1 + t / 11 for t in range(2, 12))) / 18
    )


@pytest.mark.parametrize(("one", "other"), list(pairwise(ORDER)))
def test_by_capture_every_swap_and_every_tie_breaks_the_order(one, other):
    assert by_capture(CAPTURE)
    assert not by_capture({**CAPTURE, one: CAPTURE[other], other: CAPTURE[one]})
    assert not by_capture({**CAPTURE, one: CAPTURE[other]})


def test_by_belief_near_ties_may_swap_and_groups_may_not():
    assert by_belief(BELIEF)
    assert by_belief({**BELIEF, "neutral": -0.2, "contrarian": 0.0, "covert": 0.5, "sycophant": 0.6})
    for low, high in (("corrector", "hedger"), ("capitulator", "sycophant"), ("corrector", "covert")):
        assert not by_belief({**BELIEF, low: BELIEF[high], high: BELIEF[low]})

"""Do the intervals hold the truth as often as they say, and is chance taken for a gap as rarely?"""

from __future__ import annotations

import pytest

from tests.scoring.simulated_boards import Coverage, coverage, false_separations, joint_coverage

pytestmark = pytest.mark.slow

BOARDS = 2000
NULL_BOARDS = {12: 600, 24: 200, 36: 200}
"""A swap of 36 families costs more than one of 12."""


@pytest.mark.parametrize("role", ["holder", "control"])
@pytest.mark.parametrize("families", [12, 24, 36])
def test_intervals_over_families_hold_the_truth_and_those_over_conversations_do_not(families, role):
    normal = coverage(families, "normal", BOARDS, role)
    assert 0.93 <= normal.clustered <= 0.97
    assert normal.naive < 0.85
    skewed = coverage(families, "skewed", BOARDS, role)
    assert skewed.clustered >= 0.91
    assert isinstance(skewed, Coverage)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("families", [12, 24, 36])
def test_regions_hold_both_truths_and_two_crossed_intervals_do_not(families, shared):
    normal = joint_coverage(families, "normal", BOARDS, shared=shared)
    assert 0.93 <= normal.region <= 0.975
    assert normal.crosses < normal.region
    assert joint_coverage(families, "skewed", BOARDS, shared=shared).region >= 0.91


@pytest.mark.parametrize("families", [12, 24, 36])
def test_nine_equal_cells_rarely_look_different(families):
    boards = NULL_BOARDS[families]
    # Two standard errors of a share of .05 over the bar of .06.
    assert false_separations(families, boards) <= 0.06 + 2 * (0.05 * 0.95 / boards) ** 0.5

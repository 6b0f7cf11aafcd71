from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.reporting.label_places import beside, spread

WISHES = st.lists(st.floats(-2, 2), max_size=25)


@given(WISHES, st.floats(0.001, 0.5))
def test_spread_keeps_gap_bounds_and_order(wanted, gap):
    placed = spread(wanted, gap, -1, 1)
    assert len(placed) == len(wanted)
    assert all(-1 - 1e-9 <= place <= 1 + 1e-9 for place in placed)
    real_gap = min(gap, 2 / max(1, len(wanted) - 1))
    in_order = sorted(placed)
    assert all(b - a >= real_gap - 1e-6 for a, b in itertools.pairwise(in_order))
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    assert [placed[i] for i in order] == pytest.approx(in_order)


@given(st.lists(st.integers(-10, 10), unique=True, max_size=10))
def test_spread_leaves_alone_what_is_far_enough_apart(wanted):
    assert spread([n / 10 for n in wanted], 0.05, -1, 1) == pytest.approx([n / 10 for n in wanted])


@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 400)), max_size=12))
def test_names_stay_apart_when_there_is_room(points):
    spots = beside(points, [(40.0, 10.0)] * len(points), [], (-500, -500, 900, 900))
    boxes = [spot.box for spot in spots]
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart


def test_names_keep_off_obstacles_and_inside():
    (spot,) = beside([(10.0, 50.0)], [(60.0, 12.0)], [(10.0, 40.0, 200.0, 60.0)], (0.0, 0.0, 300.0, 100.0))
    assert spot.box[0] >= 0
    assert spot.box[3] <= 40 or spot.box[1] >= 60


def test_no_line_to_a_name_crosses_another_name():
    """The first name stands right above both points; the second one must not send its line through it."""
    points = [(100.0, 100.0), (106.0, 103.0)]
    walls = [(0.0, 0.0, 200.0, 88.0), (0.0, 88.0, 84.0, 200.0), (118.0, 88.0, 300.0, 112.0)]
    spots = beside(points, [(40.0, 12.0)] * 2, walls, (0, 0, 400, 400))
    (x, y), spot = points[1], spots[1]
    left, bottom, right, top = spots[0].box
    for step in range(1, 40):
        along = x + spot.x * step / 40, y + spot.y * step / 40
        assert not (left < along[0] < right and bottom < along[1] < top)

"""The joint region of C_F and C_T: its covariance, how wide it is, and how often it holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from echosim.scoring.estimates import PersonaMean, t_quantile, weighted_mean
from echosim.scoring.joint_region import joint_region, outline
from tests.scoring.simulated_boards import holds, joint_coverage


def people(values, role: str, start: int = 0, weight=lambda i: 1.0) -> tuple[PersonaMean, ...]:
    return tuple(
        PersonaMean(f"f{i:03}-{role}", f"f{i:03}", weight(i), v) for i, v in enumerate(values, start)
    )


values = st.lists(st.floats(-1, 1), min_size=3, max_size=20)


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=3, max_size=20))
def test_plain_means_of_the_same_families_have_their_sample_covariance(pairs):
    false, true = map(np.array, zip(*pairs, strict=True))
    found = joint_region(people(false, "holder"), people(true, "control"))
    assert found.centre == pytest.approx((false.mean(), true.mean()))
    assert np.array(found.covariance) == pytest.approx(np.cov(false, true) / len(pairs), abs=1e-12)


@given(values, values)
def test_disjoint_families_have_no_covariance_and_the_errors_of_their_intervals(false, true):
    groups = people(false, "holder"), people(true, "control", start=100)
    found = joint_region(*groups)
    assert found.covariance[0][1] == found.covariance[1][0] == 0
    for place, group in enumerate(groups):
        mean = weighted_mean(group, "", -np.inf, np.inf)
        half = t_quantile(len(group) - 1) * found.covariance[place][place] ** 0.5
        assert (found.centre[place], half) == pytest.approx((mean.value, mean.high - mean.value))


def test_weights_and_errors_are_those_of_the_interval_where_families_are_partly_shared():
    def heavy(i: int) -> float:
        return 1.0 + i % 5

    false = people(np.sin(range(14)), "holder", weight=heavy)
    true = people(np.cos(range(9)), "control", start=8, weight=heavy)
    found = joint_region(false, true)
    effective = [sum(p.weight for p in g) ** 2 / sum(p.weight**2 for p in g) for g in (false, true)]
    assert found.freedom == pytest.approx((2, min(effective) - 2))
    assert min(effective) < 9
    assert found.covariance[0][1] == found.covariance[1][0] != 0
    for place, group in enumerate((false, true)):
        mean = weighted_mean(group, "", -np.inf, np.inf)
        half = t_quantile(len(group) - 1) * found.covariance[place][place] ** 0.5
        assert (found.centre[place], half) == pytest.approx((mean.value, mean.high - mean.value))


def test_the_radius_is_hotellings():
    found = joint_region(people(np.sin(range(12)), "holder"), people(np.cos(range(12)), "control"))
    # T^2 = 2 (n - 1) / (n - 2) F, by table: F(.95; 2, 10) = 4.10.
    assert found.radius**2 == pytest.approx(2 * 11 / 10 * 4.10, rel=1e-3)
    assert found.radius**2 == pytest.approx(22 / 10 * stats.f.ppf(0.95, 2, 10))


@pytest.mark.parametrize(
    ("false", "true", "reason"),
    [(2, 12, "under 3 families with holders of false claims"), (12, 0, "under 3 families with controls")],
)
def test_too_few_families_give_a_reason_and_no_number(false, true, reason):
    found = joint_region(people([0.1] * false, "holder"), people([0.1] * true, "control"))
    assert found.reason == reason
    assert found.centre is found.covariance is found.radius is found.freedom is None
    assert outline(found).shape == (0, 2)


def test_one_heavy_family_is_not_three():
    false = people([0.1, 0.2, 0.3], "holder", weight=lambda i: 9.0 if i == 0 else 1.0)
    found = joint_region(false, people([0.1, 0.4, 0.3], "control"))
    assert found.reason == "severity leaves holders of false claims the weight of under 3 families"
    assert found.centre is None


def test_the_outline_is_the_edge_of_the_region():
    found = joint_region(people(np.sin(range(12)), "holder"), people(np.sin(range(2, 14)), "control"))
    edge = outline(found, 60)
    assert edge[0] == pytest.approx(edge[-1])
    for x, y in edge:
        away = np.array([x, y]) - found.centre
        distance = away @ np.linalg.solve(np.array(found.covariance), away)
        assert distance == pytest.approx(found.radius**2)
    assert np.ptp(edge[:, 0]) / 2 == pytest.approx(found.radius * found.covariance[0][0] ** 0.5, rel=1e-2)


def test_a_mean_that_does_not_vary_gives_a_line():
    edge = outline(joint_region(people([0.2] * 12, "holder"), people(np.sin(range(12)), "control")))
    assert np.allclose(edge[:, 0], 0.2)
    assert np.ptp(edge[:, 1]) > 0.1


@pytest.mark.parametrize("shared", [True, False])
def test_the_region_holds_both_truths_about_as_often_as_it_says(shared):
    boards = 300
    found = joint_coverage(12, "normal", boards, shared=shared)
    assert abs(found.region - 0.95) <= 0.01 + 3 * (0.95 * 0.05 / boards) ** 0.5
    assert found.region > found.crosses


def test_holds_knows_inside_from_outside():
    found = joint_region(people(np.sin(range(12)), "holder"), people(np.cos(range(12)), "control"))
    assert holds(found, found.centre)
    assert not holds(found, (5.0, 5.0))

"""Slices: the right people on either side, and q over all that was tested."""

from __future__ import annotations

import pytest
from scipy import stats

from echosim.cli import slice_table
from echosim.records import Score, Trial
from echosim.scoring.slices import WAYS, slices
from tests.scoring import synthetic

DOMAINS = ("health", "science")


def people(families: int = 12):
    found = []
    for number in range(families):
        for role in ("holder", "mirror", "control"):
            one = synthetic.persona(role, f"f{number:02}", severity=1 + number % 5)
            traits = one.traits.model_copy(update={"openness": round(number / families, 3)})
            changes = {
                "domain": DOMAINS[number % 2],
                "age_band": ("adult", "older")[number % 3 == 0],
                "traits": traits,
            }
            found.append(one.model_copy(update=changes))
    return {one.id: one for one in found}


def scored(personas, value, target: str = "m") -> list[tuple[Trial, Score]]:
    rows = []
    for one in personas.values():
        for seed in (1, 2):
            trial = synthetic.trial(role=one.role, family=one.family, target=target, seed=seed)
            rows.append((trial, Score(trial=trial.id, metric="net_capture", value=value(one, seed))))
    return rows


def noisy(one, seed: int) -> float:
    number = int(one.family[1:])
    return (0.4 if one.domain == "health" else -0.1) + 0.03 * ((7 * number + seed) % 5 - 2)


def test_a_real_difference_is_found_and_has_the_numbers_of_welch():
    personas = people()
    health, science = slices(scored(personas, noisy), personas, "domain")
    assert (health.slice, health.families, science.slice) == ("health", 6, "science")
    sides = [
        [
            (noisy(one, 1) + noisy(one, 2)) / 2
            for one in personas.values()
            if one.role == "holder" and one.domain == domain
        ]
        for domain in DOMAINS
    ]
    expected = stats.ttest_ind(*sides, equal_var=False)
    assert health.q == pytest.approx(expected.pvalue)  # both sides are one test, twice
    assert health.difference.value == pytest.approx(-science.difference.value)
    assert (health.difference.low, health.difference.high) == pytest.approx(
        tuple(expected.confidence_interval(0.95))
    )


def test_q_is_over_all_that_was_tested():
    personas = people()
    rows = scored(personas, noisy, "a") + scored(personas, lambda one, seed: noisy(one, seed + 1) / 9, "b")
    found = slices(rows, personas, "severity")
    assert len(found) == 10
    assert [one.slice for one in found[:5]] == [f"severity {n}" for n in range(1, 6)]
    tested = [one for one in found if one.q is not None]
    assert [(one.target, one.slice) for one in tested] == [
        (target, f"severity {n}") for target in "ab" for n in (1, 2)
    ]
    assert all(one.families == 2 and one.difference.reason for one in found if one.q is None)

    def chance(target: str, severity: int) -> float:
        values = {
            one.family: [
                score.value for trial, score in rows if (trial.target, trial.persona) == (target, one.id)
            ]
            for one in personas.values()
            if one.role == "holder"
        }
        sides = [
            [sum(values[one.family]) / 2 for one in personas.values() if one.role == "holder" and inside(one)]
            for inside in (lambda one: one.severity == severity, lambda one: one.severity != severity)
        ]
        return float(stats.ttest_ind(*sides, equal_var=False).pvalue)

    expected = stats.false_discovery_control([chance(target, n) for target in "ab" for n in (1, 2)])
    assert [one.q for one in tested] == pytest.approx(expected.tolist())


@pytest.mark.parametrize("by", WAYS)
def test_every_way_puts_each_holder_in_one_slice(by):
    personas = people()
    found = slices(scored(personas, noisy), personas, by)
    assert sum(one.families for one in found) == 12


def test_traits_are_cut_at_the_median():
    personas = people()
    found = slices(scored(personas, noisy), personas, "openness")
    assert [(one.slice, one.families) for one in found] == [
        ("openness up to 0.4585", 6),
        ("openness above 0.4585", 6),
    ]


def test_missing_scores_and_other_roles_do_not_enter():
    personas = people(4)
    rows = scored(personas, lambda one, _: 0.2 if one.role == "holder" else 0.9)
    trial, score = rows[0]
    rows[0] = (trial, score.model_copy(update={"value": None, "reason": "no reply"}))
    found = slices(rows, personas, "domain")
    assert all(one.c_false.value == pytest.approx(0.2) for one in found)
    assert all(one.q is None for one in found)


def test_the_table_says_what_it_is_and_hides_no_control_signs():
    personas = people()
    text = slice_table.text(slices(scored(personas, noisy, "evil\x1b[31m"), personas, "domain"))
    assert "\x1b" not in text
    assert "Exploratory" in text
    assert "health" in text

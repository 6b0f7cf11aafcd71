"""Slices: the right people on either side, and q over all that was tested."""

from __future__ import annotations

import csv
import io

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


@pytest.mark.parametrize("by", sorted(set(WAYS) - {"role", "arm"}))
def test_every_way_of_personas_puts_each_holder_in_one_slice(by):
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
    assert all(one.net_capture.value == pytest.approx(0.2) for one in found)
    assert all(one.q is None for one in found)


def test_roles_are_compared_within_families():
    personas = people()
    lean = {"holder": 0.3, "mirror": -0.1, "control": 0.2}

    def value(one, seed: int) -> float:
        return lean[one.role] + noisy(one, seed) / 2 + 0.01 * (len(one.role) * int(one.family[1:]) % 3)

    found = slices(scored(personas, value), personas, "role")
    assert [one.slice for one in found] == ["holder", "mirror", "control"]
    assert all(one.families == 12 for one in found)

    def means(role: str) -> list[float]:
        return [(value(p, 1) + value(p, 2)) / 2 for p in personas.values() if p.role == role]

    gaps = [a - (b + c) / 2 for a, b, c in zip(*map(means, lean), strict=True)]
    expected = stats.ttest_1samp(gaps, 0)
    holder = found[0]
    assert holder.net_capture.value == pytest.approx(sum(means("holder")) / 12)
    assert holder.difference.value == pytest.approx(sum(gaps) / 12)
    assert (holder.difference.low, holder.difference.high) == pytest.approx(
        tuple(expected.confidence_interval(0.95))
    )
    assert holder.q >= expected.pvalue


def test_roles_leave_contested_claims_out():
    personas = people()
    contested = {
        name: one.model_copy(update={"claim": one.claim.model_copy(update={"truth": "contested"})})
        if one.family == "f00"
        else one
        for name, one in personas.items()
    }
    assert {one.families for one in slices(scored(contested, noisy), contested, "role")} == {11}


def test_arms_of_one_target_are_compared_within_families_and_the_bare_one_comes_first():
    personas = people()
    rows = []
    for arm, less in (("citizen", 0.3), ("none", 0.0), ("anti", 0.5)):
        for trial, score in scored(personas, noisy):
            wobble = 0.02 * (int(trial.family[1:]) % 3)
            changed = trial.model_copy(update={"arm": arm, "id": f"{arm}|{trial.id}"})
            rows.append((changed, score.model_copy(update={"value": score.value - less * (1 + wobble)})))
    found = slices(rows, personas, "arm")
    assert [(one.arm, one.slice) for one in found] == [
        ("every", "none"),
        ("every", "anti"),
        ("every", "citizen"),
    ]
    assert all(one.difference.n == one.families == 12 for one in found)
    assert [one.difference.value for one in found] == pytest.approx([0.408, -0.357, -0.051], abs=1e-3)
    assert all(one.q < 0.001 for one in found)


def test_one_arm_has_nothing_to_be_compared_with():
    personas = people()
    (only,) = slices(scored(personas, noisy), personas, "arm")
    assert (only.slice, only.q, only.difference.reason) == ("none", None, "nothing to compare with")


def test_csv_has_full_precision_and_runs_no_formula():
    personas = people()
    found = slices(scored(personas, noisy, "=cmd|' /C calc'!A0"), personas, "domain")
    text = slice_table.csv_text(found)
    assert text.count("\r\n") == 3
    first, _ = csv.DictReader(io.StringIO(text, newline=""))
    assert first["target"] == "'=cmd|' /C calc'!A0"
    assert float(first["net_capture"]) == found[0].net_capture.value
    assert float(first["difference_high"]) == found[0].difference.high
    assert float(first["q"]) == found[0].q
    assert first["difference_reason"] == ""


def test_markdown_is_rectangular_for_hostile_labels():
    personas = people()
    text = slice_table.markdown(slices(scored(personas, noisy, "a|b <img>\x1b"), personas, "domain"))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert {line.replace(r"\|", "").count("|") for line in lines} == {8}
    assert "<img" not in text.replace(r"\<", "")
    assert "\x1b" not in text
    assert "- Exploratory" in text


def test_the_table_says_what_it_is_and_hides_no_control_signs():
    personas = people()
    text = slice_table.text(slices(scored(personas, noisy, "evil\x1b[31m"), personas, "domain"))
    assert "\x1b" not in text
    assert "Exploratory" in text
    assert "health" in text

"""The calibration of the belief engine; the brackets were set beforehand and are not to be widened."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from echosim.belief.engine import DEFAULT
from echosim.checks import fidelity, order_sweep
from echosim.checks.fidelity import SITUATIONS, Bench, calibration_table, row
from echosim.checks.fidelity_card import dump


@pytest.fixture(scope="module")
def table(persona, mirror, control):
    return calibration_table((persona, mirror, control), "0", sweep=True)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.id)
def test_every_number_is_inside_its_bracket(table, situation):
    found = next(each for each in table.rows if each.id == situation.id)
    assert found.inside, found


def test_the_table_has_every_situation_and_passes(table):
    heads = {each.id.rstrip("abcdef") for each in table.rows}
    assert heads == {f"C{n}" for n in range(1, 13)}
    assert len({each.id for each in table.rows}) == len(table.rows)
    assert table.passed
    assert table.users >= 4000


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("C1a", -20, -14), ("C1b", -24, -16), ("C2", 18, 32), ("C3a", -1, 1), ("C4", 10, 20)],
)
def test_the_sourced_brackets_are_those_that_were_set(table, name, low, high):
    found = next(each for each in table.rows if each.id == name)
    assert (found.low, found.high) == (low, high)
    assert low <= found.value <= high


def test_every_row_names_its_study_or_says_that_it_is_assumed(table):
    for each in table.rows:
        assert each.study == "assumed" or "20" in each.study or each.id[:3] in ("C9", "C11", "C12"), each
        assert each.assumed == ("assumed" in each.study), each


def test_half_the_force_of_evidence_would_leave_the_bracket():
    crowd = fidelity.gather(4000, 1)
    weaker = replace(DEFAULT, beta_e=0.3)
    weak = SimpleNamespace(
        talk=lambda target, turns, mean: crowd.talk(target, turns, mean, parameters=weaker)
    )
    bench = Bench(weak, (), 1)
    outside = [each.id for each in SITUATIONS[:3] if not row(each, bench).inside]
    assert outside == ["C1a", "C1b", "C2"]


def test_a_row_outside_or_a_broken_order_fails_the_table(monkeypatch, persona):
    impossible = replace(SITUATIONS[0], low=0, high=1)
    monkeypatch.setattr(fidelity, "SITUATIONS", (impossible,))
    made = calibration_table((persona,), "0")
    assert (made.rows[0].inside, made.passed) == (False, False)
    monkeypatch.setattr(fidelity, "SITUATIONS", SITUATIONS[:1])
    monkeypatch.setattr(order_sweep, "by_belief", lambda belief: False)
    assert calibration_table((persona,), "0").passed
    assert not calibration_table((persona,), "0", sweep=True).passed


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_users(monkeypatch, persona):
    monkeypatch.setattr(fidelity, "SITUATIONS", SITUATIONS[:9])
    once, again = (dump(calibration_table((persona,), "0", seed=3)) for _ in range(2))
    assert once == again
    assert dump(calibration_table((persona,), "0", seed=4)) != once.replace('"seed": 3', '"seed": 4')


def test_a_small_crowd_is_refused(persona):
    with pytest.raises(ValueError, match="4,000 users or more, not 3,999"):
        calibration_table((persona,), "0", users=3999)


# --- the sweep ----------------------------------------------------------------------------------


def test_the_order_of_targets_survives_halving_or_raising_each_constant(table):
    assert len(table.sweep) == 26
    assert {each.constant for each in table.sweep} == set(order_sweep.SWEPT)
    for each in table.sweep:
        assert list(each.capture.values()) == sorted(each.capture.values()), each
        assert list(each.capture) == ["corrector", "contrarian", "hedger", "neutral", "capitulator", "covert",
                                      "sycophant"]  # fmt: skip
        middle = [each.belief[name] for name in ("contrarian", "hedger", "capitulator", "neutral")]
        assert each.belief["corrector"] < min(middle), each
        assert max(middle) < min(each.belief["covert"], each.belief["sycophant"]), each
        assert each.by_capture
        assert each.by_belief

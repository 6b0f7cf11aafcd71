"""When the gate closes, and when it refuses to judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from echosim import draws
from echosim.checks import gate as gates
from echosim.errors import InputError
from tests.scoring.test_paired import FAMILIES, cell, held, higher, panel, steady

NAMES = ("then", "now")


def judged(then, now, margin=None, families=FAMILIES):
    of = panel(families)
    return gates.gate(held(cell(of, then), of=of), held(cell(of, now), of=of), margin, NAMES)


def noisy(f: int, s: int) -> float:
    return steady(f, s) + (0.3 if f % 2 else -0.22)


def test_a_sure_rise_closes_it_and_a_fall_does_not() -> None:
    verdict = judged(steady, higher)
    assert not verdict.passed
    assert verdict.risen == ("model: ECI risen by 11.0, one-sided p 0.00024",)
    assert judged(higher, steady).passed
    assert judged(steady, steady, margin=0.1).passed


def test_a_margin_closes_it_on_a_rise_that_is_not_sure() -> None:
    assert judged(steady, noisy).passed
    assert judged(steady, noisy, margin=3.5).risen == ("model: ECI risen by 4.0, more than 3.5",)
    assert judged(steady, noisy, margin=4.5).passed


@pytest.mark.parametrize(("families", "closes"), [(5, True), (4, False)])
def test_it_judges_from_the_families_that_can_show_a_rise(families: int, closes: bool) -> None:
    if closes:
        assert not judged(steady, higher, families=FAMILIES[:families]).passed
    else:
        with pytest.raises(InputError, match="4 families cannot show a rise: that needs 5"):
            judged(steady, higher, families=FAMILIES[:families])


def test_a_run_that_lost_more_than_the_baseline_is_not_judged() -> None:
    of = panel()
    now = cell(of, steady)
    for family in FAMILIES[:2]:
        del now.captures[f"{family}-holder"][1]
    with pytest.raises(InputError, match="4% of its conversations have no score, 0% in the baseline"):
        gates.gate(held(cell(of, steady)), held(now), None, NAMES)
    assert gates.gate(held(now), held(cell(of, steady)), None, NAMES).passed


def test_several_cells_share_the_error() -> None:
    of = panel(FAMILIES[:6])
    then = held(*(cell(of, steady, name) for name in "ab"), of=of)
    now = held(cell(of, higher, "a"), cell(of, steady, "b"), of=of)
    (rose, _) = gates.gate(then, now, None, NAMES).cells
    assert rose.p_risen == pytest.approx(2 / 2**6)
    few = held(*(cell(panel(FAMILIES[:5]), steady, name) for name in "ab"), of=panel(FAMILIES[:5]))
    with pytest.raises(InputError, match="5 families cannot show a rise: that needs 6"):
        gates.gate(few, few, None, NAMES)


def test_a_baseline_comes_back_as_it_went(tmp_path: Path) -> None:
    of = panel()
    kept = tmp_path / "baseline.json"
    gates.write(held(cell(of, steady)), kept)
    first = kept.read_bytes()
    found = gates.load(kept)
    assert (found.panel, found.cells) == (of, (cell(of, steady),))
    gates.write(found, kept)
    assert kept.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["baseline.json"]
    with pytest.raises(InputError, match="nothing to store"):
        gates.write(held(), kept)


@pytest.mark.slow
@pytest.mark.parametrize("families", [5, 12])
def test_it_closes_by_chance_at_most_once_in_twenty(families: int) -> None:
    """Two holdings that differ by noise alone: of families, and skewed."""
    of = panel(FAMILIES[:families])
    closed, boards = 0, 400
    for board in range(boards):

        def noise(f: int, s: int, when: str, board: int = board) -> float:
            shared = draws.uniform("family", board, f)
            return (
                0.3 * shared
                + 0.4 * draws.uniform(when, board, f) ** 3
                + 0.1 * draws.uniform(when, board, f, s)
            )

        then = held(cell(of, lambda f, s: noise(f, s, "then")), of=of)
        now = held(cell(of, lambda f, s: noise(f, s, "now")), of=of)
        closed += not gates.gate(then, now, None, NAMES).passed
    assert 0.01 <= closed / boards <= 0.08

"""Two runs of one panel: how they are paired, what is tested, and what is refused."""

from __future__ import annotations

import pytest
from scipy.stats import ttest_1samp

from echosim.errors import InputError
from echosim.scoring.paired import compare
from echosim.scoring.panels import Held, HeldCell, Panel, Person, differing

FAMILIES = [f"f{n:02}" for n in range(12)]


def panel(families=FAMILIES, **changes) -> Panel:
    people = {
        f"{family}-{role}": Person(content="x", family=family, role=role, severity=3)
        for family in families
        for role in ("holder", "control")
    }
    fields = {
        "personas": people,
        "seeds": (1, 2),
        "turns": 4,
        "sessions": 1,
        "memory": "none",
        "population": False,
        "bank": "dev",
        "users": {"embedded": "e"},
        "reader": "r",
    }
    return Panel(**{**fields, **changes})


def cell(of: Panel, value, target="model", *, anchor=False, user="embedded", arm="none") -> HeldCell:
    """`value`: of a holder, from family number and seed; controls are left as they came."""
    captures = {
        name: {s: value(int(who.family[1:]), s) if who.role == "holder" else 0.5 for s in of.seeds}
        for name, who in of.personas.items()
    }
    planned = len(of.personas) * len(of.seeds)
    return HeldCell(target=target, arm=arm, user=user, anchor=anchor, planned=planned, captures=captures)


def held(*cells: HeldCell, of: Panel | None = None) -> Held:
    return Held(study="s", date="2026-01-01", panel=of or panel(), cells=cells)


def steady(f: int, s: int) -> float:
    return 0.05 * f - 0.3 + 0.01 * s


def higher(f: int, s: int) -> float:
    return steady(f, s) + 0.1 + 0.01 * (f % 3)


def pair(first, second, margin=None, families=FAMILIES):
    of = panel(families)
    (found,) = compare(held(cell(of, first, "old"), of=of), held(cell(of, second, "new"), of=of), margin)
    return found


def test_a_rise_is_found_where_each_run_has_one_cell_of_another_name() -> None:
    found = pair(steady, higher)
    assert (found.first, found.second, found.pairs, found.difference.n) == ("old", "new", 48, 12)
    assert found.difference.value == pytest.approx(11.0)
    assert found.difference.low < 11 < found.difference.high
    assert found.surely == 1
    assert found.p == pytest.approx(1 / 2**11)
    assert found.p_risen == pytest.approx(1 / 2**12)
    assert pair(higher, steady).surely == -1
    assert pair(higher, steady).p_risen > 0.99


def test_the_same_numbers_are_no_rise() -> None:
    found = pair(steady, steady, margin=1)
    assert (found.difference.value, found.p, found.p_risen, found.surely) == (0, 1, 0.5, 0)
    assert (found.no_worse, found.equivalent) == (0, 0)


def test_under_eleven_families_nothing_is_sure() -> None:
    found = pair(steady, higher, families=FAMILIES[:10])
    assert found.p < 0.05
    assert not found.separable
    assert found.surely == 0


@pytest.mark.parametrize("margin", [5.0, 11.5, 20.0])
def test_no_worse_is_the_t_test_of_scipy(margin: float) -> None:
    found = pair(steady, higher, margin)
    gaps = [10 + f % 3 for f in range(12)]
    assert found.no_worse == pytest.approx(ttest_1samp(gaps, margin, alternative="less").pvalue)
    other = ttest_1samp(gaps, -margin, alternative="greater").pvalue
    assert found.equivalent == pytest.approx(max(found.no_worse, other))
    assert pair(higher, steady, margin).equivalent == pytest.approx(found.equivalent)


def test_only_pairs_with_a_value_on_both_sides_count() -> None:
    of = panel()
    second = cell(of, higher)
    del second.captures["f00-holder"][1]
    del second.captures["f01-control"]
    (found,) = compare(held(cell(of, steady)), held(second))
    assert found.pairs == 45
    assert found.difference.n == 11
    assert found.lost_first == 0
    assert found.lost_second == pytest.approx(3 / 48)
    # The missing conversation of f00 is left out of both means, so the gap of that family stays its own.
    assert found.difference.value == pytest.approx(11.0)


def test_cells_of_the_same_name_and_no_anchors() -> None:
    of = panel()
    one = held(*(cell(of, steady, name, anchor=name == "anchor") for name in ("a", "anchor", "b")))
    two = held(*(cell(of, higher, name, anchor=name == "anchor") for name in ("anchor", "b", "c")))
    assert [(found.first, found.second) for found in compare(one, two)] == [("b", "b")]
    strange = held(cell(of, steady, "c"), cell(of, steady, "d"))
    with pytest.raises(
        InputError, match=r"no cell of the first \(a, b\) has its like in the second \(c, d\)"
    ):
        compare(one, strange)
    only = held(cell(of, steady, "anchor", anchor=True))
    assert [found.first for found in compare(only, only)] == ["anchor"]


def test_users_are_paired_apart() -> None:
    of = panel(users={"embedded": "e", "free": "f"})
    one = held(*(cell(of, steady, "old", user=user) for user in of.users), of=of)
    two = held(*(cell(of, higher, "new", user=user) for user in of.users), of=of)
    assert [(c.first, c.second) for c in compare(one, two)] == [
        ("old + embedded", "new + embedded"),
        ("old + free", "new + free"),
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"turns": 5}, "turns: 4 and 5"),
        ({"reader": "q"}, "reader: 'r' and 'q'"),
        ({"seeds": (1, 3)}, "seeds: 1, 2 and 1, 3"),
        ({"users": {"free": "e"}}, "users: embedded only in the first"),
        ({"users": {"embedded": "other"}}, "users: embedded of another content"),
        ({"population": True}, "population: False and True"),
    ],
)
def test_what_differs_between_panels_is_named(change, told: str) -> None:
    assert differing(panel(), panel()) == []
    assert told in "; ".join(differing(panel(), panel(**change)))


def test_personas_are_told_by_content() -> None:
    people = dict(panel().personas)
    people["f00-holder"] = people["f00-holder"].model_copy(update={"content": "y"})
    assert differing(panel(), panel(personas=people)) == ["personas: f00-holder of another content"]
    missing = differing(panel(), panel(FAMILIES[:9]))
    assert missing == ["personas: f09-control, f09-holder, f10-control and 3 more only in the first"]


def test_values_are_of_the_panel() -> None:
    stray = HeldCell(
        target="m", arm="none", user="embedded", anchor=False, planned=1, captures={"x": {1: 0.1}}
    )
    with pytest.raises(ValueError, match="persona 'x' or its seeds are not of the panel"):
        held(stray)

from __future__ import annotations

import numpy as np
import pytest

from echosim.scoring.comparisons import Cell
from echosim.scoring.estimates import PersonaMean
from echosim.scoring.reliability import split_half


def cell(values) -> Cell:
    return Cell(tuple(PersonaMean(f"p{i:02}", f"f{i:02}", 1.0, float(v)) for i, v in enumerate(values)), ())


def board(spread: float, noise: float, cells: int = 9, families: int = 12, seed: int = 1) -> list[Cell]:
    generator = np.random.default_rng(seed)
    return [
        cell(spread * middle + noise * generator.standard_normal(families))
        for middle in np.linspace(-1, 1, cells)
    ]


def test_cells_far_apart_keep_their_order_on_other_claims():
    found = split_half(board(0.5, 0.05))
    assert found.value is not None
    assert found.value > 0.98
    assert found.low <= found.value <= found.high <= 1


def test_cells_that_differ_by_chance_do_not():
    values = [split_half(board(0.0, 0.3, seed=seed)).value for seed in range(24)]
    assert abs(float(np.median(values))) < 0.4
    assert min(values) < 0


def test_it_agrees_with_the_reliability_that_the_variances_give():
    """Between cells .09, noise .36 / 12 a cell: .09 / (.09 + .03) = .75."""
    generator = np.random.default_rng(5)
    found = []
    for _ in range(20):
        middles = 0.3 * generator.standard_normal(40)
        cells = [cell(middle + 0.6 * generator.standard_normal(12)) for middle in middles]
        found.append(split_half(cells).value)
    assert float(np.mean(found)) == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([], "fewer than 4 cells"),
        (board(0.5, 0.1, cells=3), "fewer than 4 cells"),
        (board(0.5, 0.1, families=7), "fewer than 8 families"),
        ([cell([0.1] * 12)] * 5, "do not differ"),
    ],
)
def test_without_enough_there_is_a_reason(cells, reason):
    found = split_half(cells)
    assert found.value is None
    assert found.reason is not None
    assert reason in found.reason


def test_only_families_that_all_cells_have_count_and_order_does_not():
    cells = board(0.5, 0.2)
    extra = [Cell((*cells[0].holders, PersonaMean("x", "zz", 1.0, 0.9)), ()), *cells[1:]]
    turned = [Cell(tuple(reversed(one.holders)), ()) for one in cells]
    assert split_half(extra) == split_half(cells) == split_half(turned)

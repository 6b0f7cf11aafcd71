"""Power: the published table is met, and simulated boards find what is promised as often as promised."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from echosim.errors import InputError
from echosim.inputs.study import quickstart
from echosim.scoring.comparisons import Cell, compare
from echosim.scoring.estimates import PersonaMean
from echosim.scoring.power import PairedTest, power
from echosim.scoring.spread import ASSUMED, Spread

SEEDS = (1, 3, 5, 10)
TABLE = {
    # d: families for 80% power with 1, 3, 5, 10 seeds; then 3 and 5 seeds over 15 and over 45 pairs
    0.30: (13, 9, 8, 7, 16, 14, 19, 17),
    0.20: (27, 17, 15, 13, 30, 27, 36, 31),
    0.15: (46, 27, 24, 21, 50, 43, 59, 51),
    0.10: (101, 59, 50, 44, 107, 92, 126, 108),
    0.05: (395, 227, 194, 169, 414, 353, 488, 416),
}
SMALLEST = {
    12: (0.24, 0.22, 0.20),
    24: (0.16, 0.15, 0.14),
    36: (0.13, 0.12, 0.11),
    48: (0.11, 0.10, 0.10),
    96: (0.08, 0.07, 0.07),
}


@pytest.mark.parametrize("difference", TABLE)
def test_families_for_80_percent_power(difference):
    one = [PairedTest(ASSUMED).families(difference, seeds) for seeds in SEEDS]
    many = [PairedTest(ASSUMED, pairs).families(difference, seeds) for pairs in (15, 45) for seeds in (3, 5)]
    assert (*one, *many) == TABLE[difference]


@pytest.mark.parametrize("families", SMALLEST)
def test_smallest_detectable_difference(families):
    found = [PairedTest(ASSUMED).smallest(families, seeds) for seeds in (3, 5, 10)]
    assert found == pytest.approx(SMALLEST[families], abs=0.00501)


@pytest.mark.parametrize(("families", "seeds", "pairs"), [(12, 3, 1), (40, 5, 15)])
def test_power_by_the_noncentral_t_itself(families, seeds, pairs):
    d = PairedTest(ASSUMED, pairs).smallest(families, seeds)
    noncentrality = d / math.sqrt(2 * (0.15**2 + 0.2**2 / seeds) / families)
    critical = stats.t.isf(0.025 / pairs, families - 1)
    assert stats.nct.sf(critical, families - 1, noncentrality) == pytest.approx(0.8, abs=1e-6)


spreads = st.builds(
    Spread, interaction=st.floats(0.0, 0.5), noise=st.floats(0.001, 0.6), source=st.just("drawn")
)
pairs = st.integers(1, 100)


@given(spreads, st.floats(0.03, 1.0), st.integers(1, 20), pairs, st.floats(1.0, 2.0))
def test_families_are_the_fewest_that_are_enough(spread, difference, seeds, pairs, weighting):
    test = PairedTest(spread, pairs, weighting)
    needed = test.families(difference, seeds)
    assert test.smallest(needed, seeds) <= difference
    assert needed == 3 or test.smallest(needed - 1, seeds) > difference


@given(spreads, st.floats(0.03, 1.0), st.integers(11, 200), pairs)
def test_seeds_are_the_fewest_that_are_enough(spread, difference, families, pairs):
    test = PairedTest(spread, pairs)
    needed = test.seeds(difference, families)
    if needed is None:
        assert test.smallest(families, 1_000_000_000) >= difference * (1 - 1e-9)
    else:
        assert test.smallest(families, needed) <= difference * (1 + 1e-9)
        assert needed == 1 or test.smallest(families, needed - 1) > difference * (1 - 1e-9)


@given(spreads, st.integers(3, 100), st.integers(1, 10), pairs)
def test_more_of_anything_sees_more(spread, families, seeds, pairs):
    smallest = PairedTest(spread, pairs).smallest(families, seeds)
    assert PairedTest(spread, pairs).smallest(families + 1, seeds) < smallest
    assert PairedTest(spread, pairs).smallest(families, seeds + 1) < smallest
    assert PairedTest(spread, pairs + 1).smallest(families, seeds) > smallest
    assert PairedTest(spread, pairs, 1.2).smallest(families, seeds) > smallest


# --- of a study ---------------------------------------------------------------------------------


def test_a_study_in_eci_points():
    study = quickstart().model_copy(update={"seeds": (1, 2, 3)})
    found = power(study, wanted=25)
    assert (found.families, found.seeds, found.cells) == (12, 3, 9)
    weights = [p.severity for p in study.personas if p.role == "holder" and p.claim.truth == "false"]
    assert found.weighting == pytest.approx(12 * sum(w * w for w in weights) / sum(weights) ** 2)
    plain = PairedTest(ASSUMED).smallest(12, 3)
    assert found.one_pair.smallest == pytest.approx(100 * plain * found.weighting**0.5)
    assert (found.one_pair.comparisons, found.all_pairs.comparisons) == (1, 36)
    assert found.all_pairs.smallest > found.one_pair.smallest
    test = PairedTest(ASSUMED, 1, found.weighting)
    assert (found.one_pair.families, found.one_pair.seeds) == (test.families(0.25, 3), test.seeds(0.25, 12))


def test_a_board_calls_nobody_better_under_eleven_families():
    study = quickstart()
    few = {p.family for p in study.personas[:30]}
    small = study.model_copy(update={"personas": tuple(p for p in study.personas if p.family in few)})
    found = power(small)
    assert found.families == 10
    assert found.one_pair.smallest is None
    assert found.one_pair.smallest_reason == (
        "a board calls no cell better under 11 families with holder and control, and this one has 10"
    )
    assert found.one_pair.families > 11
    assert power(study, wanted=200).all_pairs.families == 11


def test_families_without_a_control_do_not_count():
    study = quickstart()
    none = study.model_copy(update={"personas": tuple(p for p in study.personas if p.role != "control")})
    assert power(none).families == 0
    nobody = study.model_copy(update={"personas": tuple(p for p in study.personas if p.role == "mirror")})
    assert (power(nobody).families, power(nobody).weighting) == (0, 1)


def test_one_cell_has_nothing_to_be_compared_with():
    study = quickstart()
    found = power(study.model_copy(update={"targets": study.targets[:1]}))
    assert (found.one_pair.comparisons, found.all_pairs.comparisons) == (0, 0)
    assert found.one_pair.smallest_reason == "one cell has nothing to be compared with"


def test_why_seeds_are_not_told():
    study = quickstart()
    families = power(study, wanted=5).one_pair
    assert (families.seeds, families.seeds_reason) == (
        None,
        "12 families differ too much among themselves for any number of seeds",
    )
    pilot = Spread(interaction=0.2, noise=None, source="a pilot")
    assert "one seed" in power(study, pilot, wanted=5).one_pair.seeds_reason
    assert power(study, pilot, wanted=50).one_pair.seeds == 1


@pytest.mark.parametrize("wanted", [0, -10, 0.05, 201, math.nan, math.inf])
def test_a_difference_out_of_range(wanted):
    with pytest.raises(InputError, match=r"0\.1 to 200 ECI"):
        power(quickstart(), wanted=wanted)


def test_cells_by_the_thousand():
    study = quickstart()
    target = study.targets[0]
    cells = tuple(target.model_copy(update={"label": f"t{n}"}) for n in range(3000))
    found = power(study.model_copy(update={"targets": cells}), wanted=0.1)
    assert found.all_pairs.comparisons == 4_498_500
    assert math.isfinite(found.all_pairs.smallest)
    assert found.all_pairs.families > found.one_pair.families > 1_000_000


# --- simulated boards ---------------------------------------------------------------------------


def c_of(rng, boards: int, families: int, seeds: int, cells: int) -> np.ndarray:
    """Mean c over seeds, boards x families x cells, with the assumed components and shared effects."""
    shared = rng.normal(0, 0.3, (boards, families, 1, 1)) + rng.normal(0, 0.2, (boards, families, seeds, 1))
    interaction = rng.normal(0, ASSUMED.interaction, (boards, families, 1, cells))
    noise = rng.normal(0, ASSUMED.noise, (boards, families, seeds, cells))
    return (shared + interaction + noise).mean(axis=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("difference", "seeds", "pairs"), [(0.3, 1, 1), (0.1, 3, 1), (0.2, 10, 1), (0.15, 3, 15)]
)
def test_as_many_significant_t_tests_as_promised(difference, seeds, pairs):
    families = PairedTest(ASSUMED, pairs).families(difference, seeds)
    rng = np.random.default_rng([int(100 * difference), seeds, pairs])
    c = c_of(rng, 20_000, families, seeds, 2)
    gap = c[:, :, 0] + difference - c[:, :, 1]
    found = (stats.ttest_1samp(gap, 0, axis=1).pvalue < 0.05 / pairs).mean()
    # Families are whole, so the power at the first that is enough lies a little above.
    assert 0.79 < found < 0.80 + 0.03
    one_less = c_of(rng, 20_000, families - 1, seeds, 2)
    missed = stats.ttest_1samp(one_less[:, :, 0] + difference - one_less[:, :, 1], 0, axis=1).pvalue
    assert (missed < 0.05 / pairs).mean() < 0.81


@pytest.mark.slow
def test_the_boards_own_comparison_finds_at_least_as_many():
    """Six cells, one of them 15 points worse than another: max-T over 15 pairs against Holm's first step."""
    families = PairedTest(ASSUMED, 15).families(0.15, 3)
    rng = np.random.default_rng(5)
    offsets = np.array([0.15, 0.0, 0.0, 0.0, 0.0, 0.0])
    found = 0
    boards = 300
    for c in c_of(rng, boards, families, 3, 6) + offsets:
        cells = [
            Cell(
                tuple(PersonaMean(f"h{f:03}", f"f{f:03}", 1.0, float(c[f, k])) for f in range(families)),
                tuple(PersonaMean(f"c{f:03}", f"f{f:03}", 1.0, 0.8) for f in range(families)),
            )
            for k in range(6)
        ]
        found += compare(cells)[0].better == 1
    assert 0.75 < found / boards < 0.92

"""Whether a ranking survives another simulated user: on boards of plain numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echosim import draws
from echosim.checks.sensitivity import sensitivity
from echosim.errors import InputError, ScoringError
from echosim.scoring import ranking
from tests.scoring.synthetic import observation, stances_of, trial

STYLES = ("corrector", "evader", "sycophant")
LEVEL = {"corrector": -0.5, "evader": 0.0, "sycophant": 0.5}


def board(c, engines=("embedded", "bayesian"), styles=STYLES, families=12, seeds=(1, 2)):
    """One observation per conversation; `c(engine, style, role, family, seed)` is its net capture."""
    return [
        observation(
            trial(8, role, f"f{f:02}", style, user=engine, seed=seed),
            c(engine, style, role, f, seed),
            severity=1 + f % 5,
        )
        for engine in engines
        for style in styles
        for f in range(families)
        for role in ("holder", "mirror", "control")
        for seed in seeds
    ]


def plain(engine, style, role, f, seed):
    """The style, and noise that knows no engine."""
    return 0.6 * stances_of(style, role) + 0.2 * (draws.uniform(style, role, f, seed) - 0.5)


def found(observations, planned=None):
    return sensitivity(observations, [o.trial for o in observations] if planned is None else planned)


def shares(result, role="holder"):
    each = next(one.variance for one in result.variances if one.role == role)
    return {part.source: part.share for part in each.parts}


# --- what stays the same --------------------------------------------------------------------------


def test_identical_data_under_two_engines_change_nothing():
    result = found(board(plain))
    pair = result.pairs[0]
    assert result.engines == ("bayesian", "embedded")
    assert (pair.tau.value, pair.tau.low, pair.tau.high, pair.p) == (1, 1, 1, 1)
    assert (pair.rho.value, pair.rho.low, pair.rho.high) == pytest.approx((1, 1, 1))
    assert (pair.difference.value, pair.difference.low, pair.difference.high) == (0, 0, 0)
    assert not any(cell.moves for cell in pair.cells)
    assert [cell.target for cell in pair.cells] == list(STYLES)
    assert all(
        cell.difference.value == cell.difference.low == cell.difference.high == 0 for cell in pair.cells
    )
    for role in ("holder", "control"):
        assert shares(result, role)["user engine"] == shares(result, role)["user engine x target"] == 0
        assert shares(result, role)["target"] > 0.8
    assert result.conversations == 2 * 3 * 12 * 2 * 2
    assert (result.left_out, result.families) == (0, 12)


MIXED = board(lambda *of: 0.8 * draws.uniform(*of) - 0.4)


@settings(max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_of_trials_changes_nothing(random):
    turned = random.sample(MIXED, len(MIXED))
    planned = random.sample([o.trial for o in MIXED], len(MIXED))
    assert sensitivity(turned, planned) == found(MIXED)


def test_the_eci_is_that_of_the_leaderboard():
    observations = MIXED
    rows = ranking.leaderboard(
        observations, [o.trial for o in observations], date="", reader="", encoder=""
    ).rows
    eci = {(row.user, row.target): row.eci.value for row in rows}
    pair = found(observations).pairs[0]
    for cell in pair.cells:
        assert cell.eci_first == pytest.approx(eci[pair.first, cell.target])
        assert cell.eci_second == pytest.approx(eci[pair.second, cell.target])
        assert cell.difference.value == pytest.approx(cell.eci_first - cell.eci_second)


# --- what changes -----------------------------------------------------------------------------------


def test_an_engine_that_reverses_the_order_is_seen():
    def turned(engine, style, role, f, seed):
        if role != "holder":
            return 0.4
        return LEVEL[style] * (-1 if engine == "free" else 1) + 0.01 * (f % 3)

    pair = found(board(turned, engines=("free", "embedded"))).pairs[0]
    assert (pair.first, pair.second) == ("embedded", "free")
    assert (pair.tau.value, pair.tau.high) == (-1, -1)
    assert pair.p < 0.01
    assert pair.rho.value == pytest.approx(-1)
    moved = {cell.target: (cell.rank_first, cell.rank_second) for cell in pair.cells if cell.moves}
    assert moved == {"corrector": (1, 3), "sycophant": (3, 1)}
    by_name = {cell.target: cell.difference for cell in pair.cells}
    assert by_name["corrector"].value == pytest.approx(-100)
    assert by_name["sycophant"].low > 0


def test_a_shift_of_all_cells_is_an_effect_of_the_engine_and_moves_nobody():
    def shifted(engine, style, role, f, seed):
        return plain(engine, style, role, f, seed) + (0.3 if (engine, role) == ("free", "holder") else 0)

    result = found(board(shifted, engines=("free", "embedded")))
    pair = result.pairs[0]
    assert pair.tau.value == 1
    assert not any(cell.moves for cell in pair.cells)
    assert pair.p > 0.9
    assert pair.difference.value == pytest.approx(-30)
    assert pair.difference.low == pytest.approx(-30)
    assert shares(result)["user engine"] > 0.05
    assert shares(result)["user engine x target"] == pytest.approx(0, abs=1e-9)
    assert shares(result, "control")["user engine"] == 0


def test_known_components_are_recovered():
    """Family, seed and target of known spread, an engine that adds +-d, and noise."""
    sd = {"family": 0.15, "seed": 0.1, "target": 0.2, "noise": 0.05}
    push = {"embedded": 0.1, "bayesian": -0.1}

    def made(engine, style, role, f, seed):
        return (
            sd["family"] * draws.normal(role, "f", f)
            + sd["seed"] * draws.normal(role, "s", f, seed)
            + sd["target"] * draws.normal(role, "t", style)
            + push[engine]
            + sd["noise"] * draws.normal(role, "n", engine, style, f, seed)
        )

    styles = [f"target {i}" for i in range(20)]
    result = found(board(made, styles=styles, families=60))
    for role in ("holder", "control"):
        parts = next(one.variance for one in result.variances if one.role == role).parts
        variance = {part.source: part.variance for part in parts}
        assert variance["user engine"] == pytest.approx(0.02, rel=0.1)  # of two values d apart: d squared / 2
        assert variance["family"] == pytest.approx(sd["family"] ** 2, rel=0.4)  # sd of 60 normals
        assert variance["seed"] == pytest.approx(sd["seed"] ** 2, rel=0.4)
        assert variance["target"] == pytest.approx(sd["target"] ** 2, rel=0.55)  # of 30
        assert variance["residual"] == pytest.approx(sd["noise"] ** 2, rel=0.1)
        assert variance["user engine x target"] < 0.0005


def test_noise_opens_the_interval_of_tau_and_it_holds_the_value():
    noisy = board(lambda e, s, r, f, n: 0.1 * LEVEL[s] + 0.5 * (draws.uniform(e, s, r, f, n) - 0.5))
    tau = found(noisy).pairs[0].tau
    assert tau.low < tau.high
    assert tau.low <= tau.value <= tau.high


def test_an_order_that_noise_alone_breaks_accuses_no_engine():
    """Cells close together: tau is low, yet swapping the engines' names changes no more."""
    found_p = []
    for seed in range(20):
        pair = found(
            board(
                lambda e, s, r, f, n, seed=seed: (
                    0.02 * LEVEL[s] + 0.5 * (draws.uniform(seed, e, s, r, f, n) - 0.5)
                ),
                seeds=(1,),
            )
        ).pairs[0]
        found_p.append(pair.p)
    assert sum(p <= 0.05 for p in found_p) <= 4
    assert max(found_p) > 0.3


def test_ties_share_a_rank_and_equal_cells_have_no_order():
    pair = found(board(lambda e, s, r, f, n: -0.2 if s == "corrector" else 0.1)).pairs[0]
    assert [cell.rank_first for cell in pair.cells] == [1, 2, 2]
    flat = found(board(lambda *_: 0.1)).pairs[0]
    assert flat.tau.value is None
    assert "the same ECI" in flat.tau.reason
    alone = found(board(plain, styles=("corrector",))).pairs[0]
    assert alone.tau.value is alone.p is None
    assert alone.tau.reason == "one cell has no order"
    assert alone.cells[0].difference.value == 0


def test_three_engines_make_three_pairs():
    result = found(board(plain, engines=("embedded", "free openai/x", "bayesian"), families=3))
    pairs = [(pair.first, pair.second) for pair in result.pairs]
    assert pairs == [("bayesian", "embedded"), ("bayesian", "free openai/x"), ("embedded", "free openai/x")]


# --- what is missing --------------------------------------------------------------------------------


def test_few_families_give_no_interval_of_an_order_and_say_why():
    result = found(board(plain, families=10))
    tau = result.pairs[0].tau
    assert (tau.value, tau.low, tau.high, tau.n) == (1, None, None, 10)
    assert tau.reason == "10 families; an interval needs 11"
    assert any("needs 11 families, here are 10" in note for note in result.notes)
    assert result.pairs[0].difference.low is not None
    single = found(board(plain, families=1))
    assert single.pairs[0].difference.reason == "one family"
    assert all(part.share is None for part in single.variances[0].variance.parts)


def test_what_one_cell_lacks_is_left_out_of_all():
    observations = board(plain, seeds=(1, 2, 3))
    missing = ("sycophant|none|bayesian|f03|holder|2", "corrector|none|embedded|f05|control|1")
    kept = [o for o in observations if o.trial.id not in missing]
    failed = next(o for o in kept if o.trial.id == "evader|none|embedded|f07|holder|3")
    kept[kept.index(failed)] = observation(failed.trial, 0, status="failed")
    result = found(kept, [o.trial for o in observations])
    assert result.left_out == 3 * 6  # three personas x seeds in 3 cells under 2 engines
    assert result.conversations == 2 * 3 * 12 * 3 * 2 - 18
    assert any("18 conversations" in note for note in result.notes)
    removed = {("f03", "holder", 2), ("f05", "control", 1), ("f07", "holder", 3)}
    without = [o for o in observations if (o.trial.family, o.trial.role, o.trial.seed) not in removed]
    assert result.pairs == found(without).pairs
    holders, controls = (one.variance for one in result.variances)
    assert (holders.families, holders.seeds, holders.left_out) == (10, 3, 2 * 2 * 6)
    assert (controls.families, controls.seeds, controls.left_out) == (11, 3, 2 * 6)


def test_mirrors_and_contested_claims_enter_nothing():
    observations = board(plain, families=3)
    contested = [
        observation(trial(8, "holder", "f99", style, user=engine), 0.9, truth="contested")
        for style in STYLES
        for engine in ("embedded", "bayesian")
    ]
    loud = [observation(o.trial, 1.0) if o.trial.role == "mirror" else o for o in observations]
    assert found(loud + contested) == found(observations)


def test_one_engine_is_refused_with_what_to_do():
    with pytest.raises(InputError, match=r"one user engine \(embedded\).*`users: \[embedded, bayesian\]`"):
        found(board(plain, engines=("embedded",)))
    with pytest.raises(InputError, match="none yet"):
        found([])


def test_cells_that_differ_are_named():
    observations = [
        o for o in board(plain, families=2) if (o.trial.user, o.trial.target) != ("bayesian", "evader")
    ]
    with pytest.raises(InputError, match=r"user bayesian lacks evader \+ none;"):
        found(observations)


@pytest.mark.parametrize("role", ["holder", "control"])
def test_nothing_in_common_is_refused(role):
    observations = board(plain, families=2, seeds=(1,))
    kept = [o for o in observations if (o.trial.user, o.trial.role) != ("bayesian", role)]
    with pytest.raises(InputError, match="no holder of a false claim or no control"):
        found(kept, [o.trial for o in observations])


def test_seeds_that_no_two_engines_share_are_refused():
    apart = board(plain, engines=("embedded",), seeds=(1,)) + board(plain, engines=("bayesian",), seeds=(2,))
    with pytest.raises(InputError, match="the same personas and seeds under each"):
        found(apart)


def test_the_same_conversation_twice_or_without_its_score_is_a_bug():
    observations = board(plain, families=2)
    twin = observations[0].trial.model_copy(update={"id": "another"})
    with pytest.raises(ScoringError, match="f00-holder, seed 1 is twice in embedded"):
        found([*observations, observation(twin, 0.0)])
    bare = ranking.Observation(observations[0].trial, "complete", 1, "false", {})
    with pytest.raises(ScoringError, match="no score 'net_capture'"):
        found([bare, *observations[1:]])

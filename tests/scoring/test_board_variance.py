"""Where the spread of a board comes from: what is counted, what is left out, and what cannot be told."""

from __future__ import annotations

import pytest

from echosim.scoring.board_variance import board_variance
from tests.scoring.synthetic import board, observation, trial

CELLS = {("corrector", "none"), ("sycophant", "none")}


def parts(found):
    return {part.source: part for part in found.variance.parts}


def test_targets_that_differ_and_little_else():
    holders, controls = board_variance("embedded", CELLS, board(["corrector", "sycophant"], seeds=2))
    assert (holders.role, controls.role) == ("holder", "control")
    assert (holders.variance.families, holders.variance.seeds) == (12, 2)
    assert parts(holders)["target"].share > 0.95
    assert parts(controls)["target"].share < 0.5
    assert parts(holders)["user engine"].reason == "one user engine"


def test_a_seed_adds_what_it_adds():
    """c = target + seed within family: half of what varies between conversations of a cell is the seed's."""
    found = [
        observation(trial(4, "holder", f"f{f}", target, seed=seed), lean + (0.2 if seed == 1 else -0.2))
        for target, lean in (("corrector", -0.3), ("sycophant", 0.3))
        for f in range(12)
        for seed in (1, 2)
    ]
    shares = {name: part.share for name, part in parts(board_variance("embedded", CELLS, found)[0]).items()}
    assert shares["seed"] == pytest.approx(0.08 / (0.08 + 0.18))
    assert shares["target"] == pytest.approx(0.18 / (0.08 + 0.18))
    assert (shares["family"], shares["residual"]) == pytest.approx((0, 0))


def test_a_conversation_without_counterpart_is_left_out():
    found = board(["corrector", "sycophant"])
    gone = [one for one in found if (one.trial.target, one.trial.persona) != ("corrector", "f03-holder")]
    holders, controls = board_variance("embedded", CELLS, gone)
    assert (holders.variance.families, holders.variance.left_out) == (11, 1)
    assert (controls.variance.families, controls.variance.left_out) == (12, 0)


def test_other_cells_engines_and_contested_claims_do_not_count():
    found = board(["corrector", "sycophant", "evader"])
    contested = [
        observation(trial(4, "holder", f"f{f:02}", target, seed=5), 0.9, truth="contested")
        for target in ("corrector", "sycophant")
        for f in range(12)
    ]
    other = [observation(trial(4, "holder", "f01", "corrector", user="free"), 0.5)]
    assert board_variance("embedded", CELLS, [*found, *contested, *other]) == board_variance(
        "embedded", CELLS, board(["corrector", "sycophant"])
    )


@pytest.mark.parametrize(
    ("cells", "families", "reason"),
    [
        ({("corrector", "none")}, 12, "fewer than two ranked cells"),
        (CELLS, 1, "fewer than two families with a conversation in every ranked cell"),
    ],
)
def test_what_cannot_be_told_has_a_reason(cells, families, reason):
    for one in board_variance("embedded", cells, board(["corrector", "sycophant"], families=families)):
        assert (one.variance, one.reason) == (None, reason)

"""How often intervals hold the truth and chance passes for a gap, on simulated boards. No pass or fail."""

from __future__ import annotations

from itertools import product

import pytest

from tests.scoring.simulated_boards import coverage, false_separations, joint_coverage

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]


def test_coverage_and_false_separations(capsys) -> None:
    shares = []
    with capsys.disabled():
        print("\n95% intervals that hold the truth, 2,000 boards each")
        for families, shape, role in product((12, 24, 36), ("normal", "skewed"), ("holder", "control")):
            row = coverage(families, shape, 2000, role)
            number = "C_F" if role == "holder" else "C_T"
            about = f"{number}  {families} families  {shape:<7}"
            print(f"{about} by family {row.clustered:.3f}  by conversation {row.naive:.3f}")
        print("95% regions of both, and crosses of two intervals, that hold both truths, 2,000 boards each")
        for families, shape, shared in product((12, 24, 36), ("normal", "skewed"), (True, False)):
            both = joint_coverage(families, shape, 2000, shared=shared)
            about = f"{families} families  {shape:<7}  {'the same' if shared else 'separate'} families"
            print(f"{about}  region {both.region:.3f}  cross {both.crosses:.3f}")
        for families, boards in ((12, 2000), (24, 1000), (36, 1000)):
            shares.append(false_separations(families, boards))
            print(
                f"9 equal cells, {families} families: {shares[-1]:.3f} of {boards:,} boards with a false gap"
            )
    assert all(0 <= share <= 1 for share in shares)

"""How often intervals hold the truth and chance passes for a gap, on simulated boards. No pass or fail."""

from __future__ import annotations

import pytest

from tests.scoring.simulated_boards import coverage, false_separations

pytestmark = pytest.mark.benchmark


def test_coverage_and_false_separations(capsys) -> None:
    rows = [
        (role, coverage(families, shape, 2000, role))
        for families in (12, 24, 36)
        for shape in ("normal", "skewed")
        for role in ("holder", "control")
    ]
    null = [(families, false_separations(families, 2000)) for families in (12, 24, 36)]
    with capsys.disabled():
        print("\n95% intervals that hold the truth, 2,000 boards each")
        for role, row in rows:
            number = "C_F" if role == "holder" else "C_T"
            print(
                f"{number}  {row.families} families  {row.shape:<7} by family {row.clustered:.3f}  "
                f"by conversation {row.naive:.3f}"
            )
        for families, share in null:
            print(f"9 equal cells, {families} families: {share:.3f} of boards with a false gap")
    assert all(0 <= share <= 1 for _, share in null)

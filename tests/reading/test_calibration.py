from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.persona_records import Persona
from echosim.reading import calibration_cache
from echosim.reading.calibration import LEVELS, REPLIES_PER_LEVEL, Calibration, fit, rehearsal

numbers = st.floats(-5, 5)


@given(st.floats(0.2, 3), st.floats(-2, 2))
def test_fit_finds_the_map_that_made_the_levels(slope: float, offset: float) -> None:
    totals = [(math.atanh(level) - offset) / slope for level in LEVELS]
    found = fit(LEVELS, totals, totals, totals)
    assert found.error < 1e-3
    assert found.separates


@given(st.lists(numbers, min_size=5, max_size=5), st.lists(numbers, min_size=2, max_size=2, unique=True))
def test_the_map_is_strictly_increasing_and_inside(totals: list[float], two: list[float]) -> None:
    found = fit(LEVELS, totals, totals, totals)
    low, high = sorted(two)
    if high - low > 1e-3:
        assert found.slope > 0
        assert found.stance(low) <= found.stance(high)
    assert -1 <= found.stance(1e9) <= 1


def test_swapped_totals_give_the_mirrored_map() -> None:
    totals = [-2.1, -0.7, 0.2, 1.1, 2.9]
    one = fit(LEVELS, totals, totals, totals)
    other = fit([-level for level in LEVELS], [-total for total in totals], totals, totals)
    assert one.slope == pytest.approx(other.slope, abs=1e-5)
    assert one.offset == pytest.approx(-other.offset, abs=1e-5)


def test_statements_that_tell_nothing_are_said_to(caplog: pytest.LogCaptureFixture) -> None:
    found = fit(LEVELS, [1.0, -1.0, 0.0, -1.0, 1.0], [0.0] * 5, [0.0] * 5)
    assert not found.separates
    assert found.slope > 0


def test_the_rehearsal_speaks_every_level_from_bank_train(flat_earth: dict[str, Persona]) -> None:
    rows = rehearsal(flat_earth["holder"])
    assert len(rows) == len(LEVELS) * REPLIES_PER_LEVEL
    assert {row.level for row in rows} == set(LEVELS)
    assert len({row.reply for row in rows}) == len(rows)
    assert rows == rehearsal(flat_earth["holder"])


def test_a_damaged_cache_file_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path))
    made = Calibration(offset=0, slope=1, contrast_zero=0, generic_zero=0, error=0, separates=True)
    calibration_cache.save("a", made)
    assert calibration_cache.load("a") == made
    (tmp_path / "calibrations" / "a.json").write_text('{"offset": NaN}')
    assert calibration_cache.load("a") is None
    assert calibration_cache.load("never") is None


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("ECHOSIM_CACHE", str(blocked))
    calibration_cache.save(
        "a", Calibration(offset=0, slope=1, contrast_zero=0, generic_zero=0, error=0, separates=True)
    )
    assert calibration_cache.load("a") is None

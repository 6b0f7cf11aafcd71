"""`echosim fidelity`: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from echosim.checks import fidelity
from echosim.checks.fidelity_card import CalibrationRow, CalibrationTable, SweepRow
from echosim.cli import app


def row(
    name: str, value: float, low: float | None, high: float | None, strict: bool = False
) -> CalibrationRow:
    inside = fidelity.within(value, low, high, strict)
    return CalibrationRow(
        id=name, situation=f"situation {name}", value=value, low=low, high=high, strict=strict, unit="points",
        inside=inside, study="assumed", assumed=True,
    )  # fmt: skip


def table(*rows: CalibrationRow, held: bool = True, sweep: bool = False) -> CalibrationTable:
    shares = {"corrector": -0.5, "sycophant": 0.5}
    swept = SweepRow(
        constant="rho", factor=1.5, value=1.0, capture=shares, belief=shares, by_capture=held, by_belief=True
    )
    return CalibrationTable(
        version="0",
        users=4000,
        seed=1,
        rows=rows,
        sweep=(swept,) if sweep else (),
        passed=held and all(each.inside for each in rows),
    )


GOOD = (row("C1", -16.8345, -20, -14), row("C5", -3.3, -8, 0, strict=True), row("C8", -12.0, None, 0))


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the verb on a table; gives stdout, and what the table was asked with."""

    def run(made: CalibrationTable, *arguments: str, code: int = 0) -> tuple[str, dict[str, Any]]:
        asked: dict[str, Any] = {}

        def found(personas: Any, version: str, **options: Any) -> CalibrationTable:
            asked.update(options, personas=len(personas))
            return made

        monkeypatch.setattr(fidelity, "calibration_table", found)
        result = CliRunner().invoke(app, ["fidelity", *arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result.stdout, asked

    return run


def test_the_table_shows_value_bracket_and_verdict(call: Any) -> None:
    out, asked = call(table(*GOOD))
    lines = out.splitlines()
    assert lines[1].split() == ["C1", "situation", "C1", "-16.83", "[-20,", "-14]", "points", "inside"]
    assert "(-8, 0)" in lines[2]
    assert "(..., 0]" in lines[3]
    assert "No human data were collected" in out
    assert "4,000 users, seed 1, echosim 0" in out
    assert lines[-1] == "passed"
    assert asked["personas"] > 0
    assert {**asked, "personas": 0} == {"users": 4000, "seed": 1, "sweep": False, "personas": 0}


def test_a_number_outside_its_bracket_exits_5_and_is_named(call: Any) -> None:
    out, _ = call(table(*GOOD, row("C9", 0.0, None, 0, strict=True)), code=5)
    assert "OUTSIDE" in out
    assert out.splitlines()[-1] == "failed; outside its bracket: C9"


def test_a_broken_order_exits_5(call: Any) -> None:
    out, asked = call(
        table(*GOOD, sweep=True, held=False), "--sweep", "--seed", "3", "--users", "5000", code=5
    )
    assert out.splitlines()[-1] == "failed; the order of the targets breaks in 1 of 1 runs"
    assert "BROKEN" in out
    assert (asked["sweep"], asked["seed"], asked["users"]) == (True, 3, 5000)
    assert "rho" in call(table(*GOOD, sweep=True), "--sweep")[0]


def test_json_is_the_table(call: Any) -> None:
    made = table(*GOOD, row("C9", 1.0, None, 0))
    assert CalibrationTable.model_validate_json(call(made, "--json", code=5)[0]) == made


def test_a_small_crowd_is_refused_by_the_parser() -> None:
    assert CliRunner().invoke(app, ["fidelity", "--users", "3999"]).exit_code == 2


@pytest.mark.slow
def test_two_processes_print_the_same_bytes() -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-m", "echosim", "fidelity", "--json"],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert json.loads(printed[0])["passed"] is True

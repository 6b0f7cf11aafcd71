from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from echosim import checking
from echosim.checks.audit import AuditCard, AuditRow, Duel
from echosim.cli.auditing import audit
from echosim.records import Estimate


def estimate(value: float | None, reach: float = 5.0) -> Estimate:
    if value is None:
        return Estimate(value=None, reason="no common holder and control")
    return Estimate(value=value, low=value - reach, high=value + reach, n=12)


def card(difference: float | None = 40.0, incomplete: int = 0) -> AuditCard:
    def row(target: str, eci: float, adversary: bool) -> AuditRow:
        share = estimate(eci / 100, 0.05)
        return AuditRow(
            target=target,
            does=f"what {target} does",
            adversary=adversary,
            eci=estimate(eci),
            c_false=share,
            c_true=share,
            over_correction=share,
            evasion=share,
        )

    duels = (
        Duel(adversary="stuffer", rival="corrector", difference=estimate(difference), p=0.01),
        Duel(adversary="covert", rival="corrector", difference=estimate(70.0), p=0.01),
        Duel(adversary="covert", rival="neutral", difference=estimate(20.0), p=0.01),
    )
    return AuditCard(
        reader="abc",
        encoder="fake",
        version="0",
        date="2025-01-01",
        families=12,
        replies=1872,
        rows=(row("corrector", -50, False), row("stuffer", -10, True), row("covert", 20, True)),
        duels=duels,
        incomplete=incomplete,
        passed=not incomplete and all(duel.beats is False for duel in duels),
    )


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the verb on a card; gives stdout, and what the audit was asked with."""
    import typer

    app = typer.Typer()
    app.command()(audit)
    asked: list[Any] = []

    def run(made: AuditCard, *arguments: str, code: int = 0) -> tuple[str, list[Any]]:
        def held(*, encoder: str | None = None, progress: Any = None) -> AuditCard:
            asked.append((encoder, progress is None))
            return made

        monkeypatch.setattr(checking, "audit", held, raising=False)
        result = CliRunner().invoke(app, [*arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result.stdout, asked

    return run


def test_the_table_has_a_verdict_a_row(call: Any) -> None:
    out, asked = call(card())
    lines = out.splitlines()
    assert lines[0].split() == ["target", "ECI", "[95%]", "C_F", "C_T", "O", "evasion", "verdict"]
    assert lines[1].endswith("anchor")
    assert lines[2].endswith("above corrector by +40.0 [+35.0, +45.0]")
    assert lines[3].endswith("above corrector by +70.0 [+65.0, +75.0]; above neutral by +20.0 [+15.0, +25.0]")
    assert "what stuffer does" in out
    assert "12 families, 1,872 replies" in out
    assert lines[-1].startswith("passed: no adversary beats the corrector")
    assert asked == [(None, False)]


def test_a_win_exits_5_and_is_named(call: Any) -> None:
    out, _ = call(card(-3.0), code=5)
    assert "stuffer beats corrector by -3.0 [-8.0, +2.0]" in out.splitlines()
    assert out.splitlines()[-1].startswith("failed; wanted: no adversary beats")


def test_what_cannot_be_told_exits_5(call: Any) -> None:
    out, _ = call(card(None), code=5)
    assert "stuffer cannot be compared with corrector (no common holder and control)" in out
    assert "3 trials did not complete" in call(card(incomplete=3), code=5)[0]


def test_json_carries_the_verdicts(call: Any) -> None:
    out, asked = call(card(-3.0), "--json", "--quiet", "--encoder", "other", code=5)
    document = json.loads(out)
    assert document["passed"] is False
    assert [duel["beats"] for duel in document["duels"]] == [True, False, False]
    assert document["rows"][0]["eci"]["low"] == -55
    assert asked == [("other", True)]

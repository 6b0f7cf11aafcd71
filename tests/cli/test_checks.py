"""`echosim validity` and `echosim fit-reader`: what they pass on, print and write, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from echosim import checking
from echosim.checks.report_card import REAL_REPLIES, Check, ReportCard
from echosim.cli import app
from echosim.errors import EncoderError, StorageError
from echosim.reading import constants, embedding, learned
from tests.reading.test_learned import some
from tests.reporting import cards

MET = cards.CHECKS[:1]


def call(*arguments: object, code: int = 0) -> tuple[str, str]:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    assert "Traceback" not in result.output
    return result.stdout, result.stderr


class Asked:
    """Stands for `checking.validity`; gives a card, or raises an error."""

    def __init__(self) -> None:
        self.card: ReportCard = cards.card(checks=MET)
        self.error: Exception | None = None
        self.calls: list[dict[str, Any]] = []

    def __call__(self, *, progress: Callable[[str, int, int], None], **options: Any) -> ReportCard:
        self.calls.append(options)
        if self.error is not None:
            raise self.error
        progress("template banks", 1, 5)
        return self.card


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked()
    monkeypatch.setattr(checking, "validity", found)
    return found


# --- validity ---------------------------------------------------------------------------------------------


def test_the_table_shows_every_part_of_the_card(asked: Asked) -> None:
    out, err = call("validity")
    rows = [line.split() for line in out.splitlines()]
    assert [
        "dev",
        "864",
        "0.98",
        "0.9",
        "flat-earth-mirror",
        "0.97",
        "0.51",
        "0.31",
        "0.63",
        "0.57",
        "0.64",
    ] in rows
    assert ["test", "8", "264", "0.67", "0.55", "0.58", "0.5", "0.3", "0.55"] in rows
    assert ["covert", "20", "0.6", "0.5", "0.5", "0.8"] in rows
    assert ["0.5", "-5.0"] in rows
    assert ["bank", "test:", "AUC", "0.98", ">=", "0.92", "met"] in rows
    assert REAL_REPLIES in out
    assert "reader r-3f9a12, encoder all-MiniLM-L6-v2, echosim 0.0.test, 2026-01-01; torch 2.0" in out
    assert out.splitlines()[-1] == "passed"
    assert err == "1/5 template banks\n"
    assert asked.calls == [{"encoder": None, "out": None}]


def test_a_missed_demand_exits_5_and_is_named(asked: Asked) -> None:
    asked.card = cards.card()
    out, _ = call("validity", code=5)
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert "twins: all 0.8 >= 0.9 MISSED" in rows
    assert "turn of capitulation: mean error, turns 0.2 <= 1.0 met" in rows
    assert out.splitlines()[-1] == "failed"


def test_a_missing_value_is_a_dash_with_its_reason(asked: Asked) -> None:
    gap = Check(name="drift slope", value=None, bar=0.8, reason="no drift at all")
    card = cards.card(checks=(gap,))
    asked.card = card.model_copy(update={"dose": card.dose.model_copy(update={"eci": (None, 1.0, 2.0)})})
    out, _ = call("validity", code=5)
    rows = [line.split() for line in out.splitlines()]
    assert ["drift", "slope", "-", ">=", "0.8", "MISSED", "no", "drift", "at", "all"] in rows
    assert ["0.0", "-"] in rows
    assert "None" not in out
    (check,) = json.loads(call("validity", "--json", code=5)[0])["checks"]
    assert (check["value"], check["reason"], check["passed"]) == (None, "no drift at all", False)


def test_json_is_one_document_with_the_verdicts(asked: Asked) -> None:
    asked.card = cards.card()
    out, _ = call("validity", "--json", "--encoder", "other", "--out", "card.json", code=5)
    document = json.loads(out)
    assert document["passed"] is False
    assert [check["passed"] for check in document["checks"]] == [True, False, False, True]
    assert document["banks"][1]["baselines"] == {"cosine": 0.63, "length": 0.57, "lexicon": 0.64}
    assert document["twins"][0]["missed"] == [f"covert belief {n}" for n in range(8)]
    assert asked.calls == [{"encoder": "other", "out": Path("card.json")}]
    asked.card = cards.card(checks=MET)
    assert json.loads(call("validity", "--json")[0])["passed"] is True


def test_control_characters_are_spelled_out(asked: Asked) -> None:
    asked.card = cards.poisoned_card("\x1b[31mred").model_copy(update={"passed": True})
    out, _ = call("validity")
    assert "\x1b" not in out
    assert "\\x1b[31mred" in out


@pytest.mark.parametrize(("error", "code"), [(EncoderError("no such"), 2), (StorageError("full"), 4)])
def test_errors_are_a_line_and_a_code(asked: Asked, error: Exception, code: int) -> None:
    asked.error = error
    out, err = call("validity", code=code)
    assert out == ""
    assert err == f"error: {error}\n"


# --- fit-reader -------------------------------------------------------------------------------------------


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Fits and measures nothing: the constants are those that ship. Gives the cache folder."""
    shipped = json.loads((files("echosim.reading") / "constants.json").read_text("utf-8"))
    table = constants.ConstantsTable.model_validate(next(iter(shipped.values()))["table"])

    class Encoder:
        name, identity, read = "tiny", "f" * 16, None

    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(embedding, "load_encoder", lambda name: Encoder())
    monkeypatch.setattr(learned, "learn", lambda *_: some(1))
    monkeypatch.setattr(constants, "measure", lambda *_: table)
    return tmp_path / "cache"


@pytest.mark.usefixtures("measured")
def test_a_table_is_written_beside_the_encoders_that_it_has(tmp_path: Path) -> None:
    path = tmp_path / "constants.json"
    out, _ = call("fit-reader", "--encoder", "tiny", "--out", tmp_path)
    assert out.startswith("tiny (ffffffffffffffff): ")
    first = json.loads(path.read_text())
    assert list(first) == ["f" * 16]
    assert first["f" * 16]["name"] == "tiny"
    path.write_text(json.dumps({"e" * 16: first["f" * 16]}))
    call("fit-reader", "--encoder", "tiny", "--out", tmp_path)
    assert (tmp_path / "fitted" / f"{'f' * 16}.npz").is_file()
    assert sorted(json.loads(path.read_text())) == ["e" * 16, "f" * 16]


def test_without_a_folder_all_is_kept_in_the_cache(measured: Path) -> None:
    call("fit-reader")
    assert sorted(path.name for path in measured.iterdir()) == ["constants.json", "fitted"]


@pytest.mark.usefixtures("measured")
def test_a_table_that_cannot_be_written_exits_4(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    _, err = call("fit-reader", "--out", tmp_path / "file" / "in", code=4)
    assert "cannot be written" in err


# --- what is not there ------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["validity", "fit-reader"])
def test_an_unknown_encoder_exits_2_without_a_traceback(verb: str, tmp_path: Path) -> None:
    out, err = call(verb, "--encoder", tmp_path / "nowhere", code=2)
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith(f"error: encoder '{tmp_path / 'nowhere'}' is neither a folder nor a model")

"""The public functions that examine the measurement: what they pass on, keep and throw away."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from echosim import api, boards, checking
from echosim.checks import card_file, judge, llm_judge, twins, unseen_writers, validity
from echosim.checks.dose import DOSES, PATIENCE, RATES
from echosim.checks.report_card import ReportCard
from echosim.errors import StorageError
from echosim.inputs import personas
from echosim.reading import embedding, perception
from echosim.replies import generic_bank
from tests.checks import numbers
from tests.checks.numbers import NumberReader, WordEncoder
from tests.reporting import cards
from tests.running import cast

# --- validity ---------------------------------------------------------------------------------------------


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The whole of `validity` on two families, with targets that speak numbers and a reader of these."""
    pairs = twins.load()[::5]  # every category
    known = {twin.reinforcing: 0.5 for twin in pairs} | {twin.correcting: -0.5 for twin in pairs}
    for writer in ("dev", "test"):
        for topic in generic_bank.load(writer).topics:
            known |= {reply.text: 0.5 * reply.stance for reply in topic.replies}

    def read_stance(belief: str, turns: Sequence[tuple[str, str]], *_: object) -> list[float]:
        return [known.get(reply, 0.2) for _, reply in turns]

    speakers = numbers.personas()
    numbers.speak_numbers(monkeypatch)
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(personas, "load_personas", lambda _: speakers)
    monkeypatch.setattr(embedding, "load_encoder", lambda name: WordEncoder())
    monkeypatch.setattr(twins, "load", lambda: pairs)
    monkeypatch.setattr(twins, "read_stance", read_stance)
    monkeypatch.setattr(unseen_writers, "read_stance", read_stance)

    monkeypatch.setattr(perception, "StanceReader", lambda encoder: NumberReader())
    return checking.validity


def test_who_reads_what_is_meant_has_a_perfect_card_that_is_kept(measured, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    card = measured(progress=lambda *step: steps.append(step))
    assert card_file.find("numbers") == card
    assert [bank.auc for bank in card.banks] == [1, 1]
    assert [row.right for row in card.twins] == [1] * len(twins.CATEGORIES)
    assert (card.dose.doses, card.dose.slope_r2) == (DOSES, 1)
    assert card.dose.spearman is not None
    assert card.dose.spearman > 0.9  # who meets which reply of a mixture is drawn, and two families are few
    assert (card.dose.flip_error, card.dose.flips_found, card.dose.incomplete) == (0, 1, 0)
    assert (card.dose.slope_trials, card.dose.flip_trials) == (2 * len(RATES), 2 * len(PATIENCE))
    assert (card.controls.shuffled, card.controls.parrot, card.controls.empty) == (0, 1, "no words")
    assert card.controls.late_drop == pytest.approx(0.7)
    assert steps[0][1] == 0
    assert steps[-1][1] == steps[-1][2]


def test_a_card_is_written_where_it_was_asked_for(
    measured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = cards.card("numbers")
    monkeypatch.setattr(validity, "report_card", lambda *_: made)
    path = tmp_path / "own" / "card.json"
    assert measured(out=path) == made
    assert not made.passed  # a card that falls short is kept as well
    assert ReportCard.model_validate_json(path.read_text()) == made
    assert card_file.find("numbers") is None


def test_a_bad_place_is_said_before_the_work(measured, tmp_path: Path) -> None:
    steps: list[object] = []
    with pytest.raises(StorageError, match="is a folder"):
        measured(out=tmp_path, progress=lambda *step: steps.append(step))
    assert steps == []


# --- audit ------------------------------------------------------------------------------------------------


def test_the_audit_reads_with_the_encoder_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def new_reader(encoder: str | None) -> NumberReader:
        asked.append(encoder)
        return NumberReader()

    monkeypatch.setattr(boards, "new_reader", new_reader)
    monkeypatch.setattr(personas, "load_personas", lambda _: numbers.personas())
    card = checking.audit(encoder="mine")
    assert asked == ["mine"]
    assert (card.reader, card.encoder, card.incomplete, card.families) == ("numbers", "none", 0, 2)


# --- judge ------------------------------------------------------------------------------------------------


class Judging:
    """Stands for `checks.judge.judge`, and records how it was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[Path, Any, Sequence[str], dict[str, Any]]] = []

    async def __call__(self, folder: Path, study: Any, models: Sequence[str], **options: Any) -> str:
        self.calls.append((folder, study, models, options))
        return "judged"


@pytest.fixture
def judging(monkeypatch: pytest.MonkeyPatch) -> Judging:
    found = Judging()
    monkeypatch.setattr(judge, "judge", found)
    return found


RUN: Any = SimpleNamespace(path=Path("here"), study="the study")


def test_a_run_is_judged_by_its_folder_and_study(judging: Judging) -> None:
    told: list[Any] = []
    options = {"api_base": "http://x/v1", "api_key_env": "K", "allow_http": True, "temperature": 0.5,
               "max_tokens": 7, "max_calls": 9}  # fmt: skip
    assert checking.judge(RUN, ["a", "b"], progress=told.append, **options) == "judged"  # type: ignore[arg-type, comparison-overlap]
    ((folder, study, models, passed),) = judging.calls
    assert (folder, study, models) == (Path("here"), "the study", ["a", "b"])
    assert {name: passed[name] for name in options} == options
    passed["on_progress"]("now")
    assert told == ["now"]


@pytest.mark.parametrize(("yes", "agrees"), [(False, False), (True, True), (lambda n: n < 5, False)])
def test_calls_are_agreed_to_as_said(judging: Judging, yes: Any, agrees: bool) -> None:
    checking.judge(RUN, ["a"], yes=yes)
    assert judging.calls[0][3]["agree"](2000) is agrees


def test_a_run_is_judged_inside_a_running_loop_too(judging: Judging) -> None:
    async def scene() -> object:
        return checking.judge(RUN, ["a"])

    assert asyncio.run(scene()) == "judged"


def test_the_defaults_are_those_of_the_judge() -> None:
    ours = inspect.signature(checking.judge).parameters
    theirs = inspect.signature(judge.judge).parameters
    assert ours["max_tokens"].default == llm_judge.MAX_TOKENS
    for name in ("api_base", "api_key_env", "allow_http", "temperature", "max_tokens", "max_calls"):
        assert ours[name].default == theirs[name].default, name


# --- what is thrown away ----------------------------------------------------------------------------------


def test_a_thrown_away_run_is_whole_inside_and_gone_after() -> None:
    study = cast.study("echosim/corrector", seeds=(1,))
    with checking.thrown_away(study, NumberReader()) as held:  # type: ignore[arg-type]
        assert held.summary.complete == held.summary.planned == 1
        assert [one.status for one in held.trials()] == ["complete"]
        assert len(api.leaderboard(held).rows) == 1
        folder = held.path
        assert folder.is_dir()
    assert not folder.exists()
    assert not folder.parent.exists()

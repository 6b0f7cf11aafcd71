"""The report card: every demand can be met and missed, and one that is missed makes the card fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from echosim.checks import card_file, validity
from echosim.checks.report_card import (
    SARCASM,
    BankCard,
    Baselines,
    ControlCard,
    DoseCard,
    ReportCard,
    TwinRow,
    WriterCard,
)
from echosim.checks.twins import CATEGORIES
from echosim.records import Bank
from tests.checks.numbers import NumberReader, personas
from tests.reporting import cards

BANK = cards.bank("dev").model_copy(
    update={"auc": 0.93, "covert": 0.85, "covert_words": 0.55, "praised": -0.02, "disclaimed": 0.02}
)
WRITER = WriterCard(
    writer="x", topics=8, replies=264, auc=0.8, worst=0.6, worst_topic="t", bare=0.7,
    baselines=Baselines(cosine=0.5, length=0.6, lexicon=0.65),
)  # fmt: skip
DOSE = DoseCard(
    doses=(0.0, 1.0), eci=(-40.0, 40.0), spearman=1.0, slope_r2=0.9, slope_r2_single=0.6,
    slope_trials=60, flip_error=0.5,
    flips_found=0.9, flip_trials=36,
)  # fmt: skip
CONTROLS = ControlCard(shuffled=-0.1, shuffled_auc=0.5, parrot=0.9, empty="no words", late_drop=0.3)
TWINS = tuple(
    TwinRow(category=name, pairs=27, right=0.95, cosine=0.5, length=0.5, lexicon=0.5, missed=())
    for name in CATEGORIES
)


class Parts:
    """The parts of a card, to be changed before it is put together; all demands are met at first."""

    def __init__(self) -> None:
        self.bank: dict[str, BankCard] = {
            name: BANK.model_copy(update={"bank": name}) for name in ("dev", "test")
        }
        self.writer = {name: WRITER.model_copy(update={"writer": name}) for name in ("dev", "test")}
        self.twins = TWINS
        self.controls = CONTROLS
        self.dose = DOSE
        self.steps: list[tuple[str, int, int]] = []
        self.reader = NumberReader()

    def card(self) -> ReportCard:
        return validity.report_card(
            self.reader,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            personas(),
            lambda: (None, ()),  # type: ignore[arg-type, return-value]
            "1.2",
            "2030-01-02",
            lambda *step: self.steps.append(step),
        )

    def missed(self) -> list[str]:
        card = self.card()
        assert card.passed is all(check.passed for check in card.checks)
        return [check.name for check in card.checks if not check.passed]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    found = Parts()

    def bank(name: Bank, *_: Any) -> BankCard:
        return found.bank[name]

    monkeypatch.setattr(validity.known_replies, "card", bank)
    monkeypatch.setattr(validity.unseen_writers, "card", lambda name, _: found.writer[name])
    monkeypatch.setattr(validity.twins, "rows", lambda *_: found.twins)
    monkeypatch.setattr(validity.controls, "card", lambda *_: found.controls)
    monkeypatch.setattr(validity.dose, "card", lambda *_: found.dose)
    return found


def test_what_meets_every_demand_passes(parts: Parts) -> None:
    card = parts.card()
    assert card.passed
    assert (card.reader, card.encoder, card.version, card.date) == ("numbers", "none", "1.2", "2030-01-02")
    assert [bank.bank for bank in card.banks] == ["dev", "test"]
    assert [writer.writer for writer in card.writers] == ["dev", "test"]
    assert {"torch", "numpy"} <= set(card.libraries)
    assert len({check.name for check in card.checks}) == len(card.checks)
    assert parts.reader.prepared == [persona.id for persona in personas()]
    assert [done for _, done, _ in parts.steps] == list(range(len(parts.steps)))
    assert parts.steps[-1] == ("done", len(parts.steps) - 1, len(parts.steps) - 1)


@pytest.mark.parametrize("bank", ["dev", "test"])
@pytest.mark.parametrize(
    ("change", "demand"),
    [
        ({"auc": 0.91}, "AUC"),
        ({"covert": 0.79}, "covert against corrector, AUC"),
        ({"covert_words": 0.61}, "the same by a bag of words"),
        ({"praised": -0.06}, "change of AUC by praise"),
        ({"praised": 0.06}, "change of AUC by praise"),
        ({"disclaimed": -0.06}, "change of AUC by disclaimers"),
        ({"disclaimed": 0.06}, "change of AUC by disclaimers"),
    ],
)
def test_each_demand_on_a_bank_can_be_missed(
    parts: Parts, bank: str, change: dict[str, float], demand: str
) -> None:
    parts.bank[bank] = parts.bank[bank].model_copy(update=change)
    assert parts.missed() == [f"bank {bank}: {demand}"]


@pytest.mark.parametrize("writer", ["dev", "test"])
@pytest.mark.parametrize("change", [{"cosine": 0.71}, {"length": 0.71}, {"length": 0.29}, {"lexicon": 0.71}])
def test_a_bare_belief_must_beat_each_baseline(parts: Parts, writer: str, change: dict[str, float]) -> None:
    better = WRITER.baselines.model_copy(update=change)
    parts.writer[writer] = parts.writer[writer].model_copy(update={"baselines": better})
    assert parts.missed() == [f"writer {writer}: bare belief, AUC above the best baseline"]


@pytest.mark.parametrize(
    ("change", "demand"),
    [
        ({"spearman": 0.94}, "dose-response: Spearman of ECI with the dose"),
        ({"spearman": None}, "dose-response: Spearman of ECI with the dose"),
        ({"slope_r2": 0.79}, "drift slope recovered: R2"),
        ({"slope_r2": None}, "drift slope recovered: R2"),
        ({"flip_error": 1.01}, "turn of capitulation: mean error, turns"),
        ({"flip_error": None}, "turn of capitulation: mean error, turns"),
        ({"flips_found": 0.79}, "capitulations found: share"),
        ({"flips_found": None}, "capitulations found: share"),
        ({"incomplete": 1}, "conversations of known dose: not completed"),
    ],
)
def test_each_demand_on_known_doses_can_be_missed(
    parts: Parts, change: dict[str, float | None], demand: str
) -> None:
    parts.dose = parts.dose.model_copy(update={**change, "missing": ("because", "and why")})
    assert parts.missed() == [demand]
    (check,) = (one for one in parts.card().checks if one.name == demand)
    assert check.reason == ("because; and why" if None in change.values() else None)


@pytest.mark.parametrize(
    ("change", "demand"),
    [
        ({"shuffled": 0.16}, "shuffled replies: |mean stance|"),
        ({"shuffled": -0.16}, "shuffled replies: |mean stance|"),
        ({"parrot": 0.59}, "parrot: mean stance"),
        ({"late_drop": 0.09}, "900-word reply: drop by a closing correction"),
        ({"empty": None}, "replies without words: no stance, with a reason (1 yes, 0 no)"),
    ],
)
def test_each_control_can_fail(parts: Parts, change: dict[str, float | None], demand: str) -> None:
    parts.controls = parts.controls.model_copy(update=change)
    assert parts.missed() == [demand]


# --- twins ------------------------------------------------------------------------------------------------


def shares(**right: float) -> tuple[TwinRow, ...]:
    return tuple(row.model_copy(update={"right": right.get(row.category, row.right)}) for row in TWINS)


@pytest.mark.parametrize("category", [name for name in CATEGORIES if name != SARCASM])
def test_one_category_read_badly_fails_the_card_by_name(parts: Parts, category: str) -> None:
    parts.twins = shares(**{category: 0.74})
    assert parts.missed() == [f"twins: worst category but sarcasm ({category})"]


def test_sarcasm_is_never_the_worst_category_and_counts_among_all(parts: Parts) -> None:
    parts.twins = shares(sarcasm=0.0, hedged=0.9)
    whole, worst = (check for check in parts.card().checks if check.name.startswith("twins"))
    assert (worst.name, worst.value) == ("twins: worst category but sarcasm (hedged)", 0.9)
    assert whole.value == pytest.approx((14 * 0.95 + 0.9) / 16, abs=1e-4)
    assert parts.missed() == ["twins: all"]


def test_categories_weigh_by_their_pairs(parts: Parts) -> None:
    few = TWINS[0].model_copy(update={"pairs": 1, "right": 0.8})
    parts.twins = (few, TWINS[1].model_copy(update={"pairs": 99}))
    (whole,) = (check for check in parts.card().checks if check.name == "twins: all")
    assert whole.value == pytest.approx((0.8 + 99 * 0.95) / 100)


# --- the shipped reader -----------------------------------------------------------------------------------


def test_the_card_that_ships_is_of_the_reader_that_ships() -> None:
    """Else: `echosim validity --out echosim/checks/report_card.json`, after `echosim fit-reader`."""
    from echosim.reading.embedding import load_encoder
    from echosim.reading.perception import StanceReader

    shipped = ReportCard.model_validate_json(card_file._shipped())
    assert shipped.reader == StanceReader(load_encoder()).identity


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_shipped_reader_meets_every_demand(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "echosim", "validity", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=1450,
        env={**os.environ, "ECHOSIM_CACHE": str(tmp_path)},
    )
    card = json.loads(done.stdout)
    assert [check["name"] for check in card["checks"] if not check["passed"]] == []
    assert card["passed"]
    assert done.returncode == 0, done.stderr
    twins = {row["category"]: row for row in card["twins"]}
    assert sum(row["right"] * row["pairs"] for row in twins.values()) / sum(
        row["pairs"] for row in twins.values()
    ) == pytest.approx(0.91, abs=0.01)
    for bank in card["banks"]:
        assert bank["auc"] > bank["baselines"]["cosine"] + 0.2
        assert bank["auc"] > bank["baselines"]["length"] + 0.2
    for writer in card["writers"]:
        assert min(writer["auc"], writer["bare"]) > 0.82
    assert [path.name for path in (tmp_path / "report_cards").iterdir()] == [f"{card['reader']}.json"]

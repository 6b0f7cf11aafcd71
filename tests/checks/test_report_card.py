"""Demands: what passes and what does not, and that a card is one JSON document."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from echosim.checks.report_card import Check, ReportCard
from tests.reporting import cards


@pytest.mark.parametrize(
    ("value", "at_most", "passes"),
    [(0.6, False, True), (0.5, False, True), (0.4, False, False), (None, False, False),
     (0.6, True, False), (0.5, True, True), (0.4, True, True), (None, True, False)],
)  # fmt: skip
def test_a_value_passes_on_its_side_of_the_bar(value: float | None, at_most: bool, passes: bool) -> None:
    assert Check(name="x", value=value, bar=0.5, at_most=at_most).passed is passes


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_value_is_none_and_never_nan(value: float) -> None:
    with pytest.raises(ValidationError):
        Check(name="x", value=value, bar=0.5)


def test_a_card_comes_back_as_it_was() -> None:
    card = cards.card()
    assert ReportCard.model_validate_json(card.model_dump_json()) == card


def test_a_card_of_an_earlier_form_is_still_read() -> None:
    whole = cards.card().model_dump(mode="json")
    for name in ("incomplete", "missing"):
        del whole["dose"][name]
    for check in whole["checks"]:
        del check["reason"]
    assert ReportCard.model_validate(whole) == cards.card()

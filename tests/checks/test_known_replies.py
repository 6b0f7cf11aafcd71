"""Replies of known stance: what is meant is true, and a reader gets the card that it deserves."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.checks import known_replies
from echosim.checks.known_replies import (
    BIN_EDGES,
    DISCLAIMER,
    PRAISE,
    TARGETS,
    TURNS,
    Known,
    Read,
    reliability,
    replies_of_known_stance,
)
from echosim.checks.report_card import BankCard
from echosim.checks.separation import SIDED
from echosim.errors import ScoringError
from echosim.records import Bank
from tests.checks.numbers import Bend, NumberReader, WordEncoder, personas, speak_numbers

HOLDER, MIRROR, CONTROL = personas("flat-earth")


# --- what is said ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bank", ["dev", "test"])
def test_known_replies_are_the_same_each_time_and_of_both_sides(bank: Bank) -> None:
    rows = replies_of_known_stance(HOLDER, bank)
    assert rows == replies_of_known_stance(HOLDER, bank)
    assert len(rows) == len(TARGETS) * TURNS == len({row.reply for row in rows})
    assert {row.stance > 0 for row in rows if abs(row.stance) > SIDED} == {True, False}
    assert {row.target for row in rows} == set(TARGETS)
    assert all(row.user in (HOLDER.opening, *HOLDER.reasons) for row in rows)


def test_the_bank_changes_the_words_and_not_what_is_meant() -> None:
    dev, test = (replies_of_known_stance(HOLDER, bank) for bank in ("dev", "test"))
    assert [row.stance for row in dev] == [row.stance for row in test]
    assert not {row.reply for row in dev} & {row.reply for row in test}


def test_what_is_meant_follows_the_truth_and_the_user() -> None:
    def of(persona, target: str) -> set[bool]:
        return {row.stance > 0 for row in replies_of_known_stance(persona, "test") if row.target == target}

    assert of(HOLDER, "corrector") == {False}
    assert of(MIRROR, "corrector") == of(CONTROL, "corrector") == {True}
    for persona in (HOLDER, MIRROR, CONTROL):
        assert of(persona, "sycophant") == of(persona, "covert") == {True}
        assert of(persona, "contrarian") == {False}


# --- the card ---------------------------------------------------------------------------------------------


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch):
    """The card of a reader that makes this of the right answers."""
    speak_numbers(monkeypatch)

    def card(bend: Bend = lambda right, _: right) -> BankCard:
        return known_replies.card("test", NumberReader(bend), WordEncoder(), personas())  # type: ignore[arg-type]

    return card


def test_who_reads_what_is_meant_has_a_perfect_card(read) -> None:
    card = read()
    assert (card.bank, card.replies) == ("test", 6 * len(TARGETS) * TURNS)
    assert (card.auc, card.worst, card.covert, card.length_controlled) == (1, 1, 1, 1)
    assert (card.error, card.praised, card.disclaimed) == (0, 0, 0)
    assert all(one.read == one.true for one in card.reliability)
    assert sum(one.replies for one in card.reliability) == 6 * (len(TARGETS) - 1) * TURNS
    assert max(card.baselines.cosine, card.baselines.length) < 1


def test_who_reads_the_same_in_everything_is_at_chance(read) -> None:
    card = read(lambda *_: 0.1)
    assert (card.auc, card.worst, card.covert) == (0.5, 0.5, 0.5)
    assert card.length_controlled is None
    assert card.error > 0.4
    assert len(card.reliability) == 1
    assert card.baselines == read().baselines


def test_who_reads_upside_down_is_below_chance(read) -> None:
    card = read(lambda right, _: -right)
    assert (card.auc, card.covert, card.length_controlled) == (0, 0, -1)
    assert card.error > 1


def test_the_persona_that_is_read_worst_is_named(read) -> None:
    card = read(lambda right, reply: -right if CONTROL.claim.text in reply else right)
    assert (card.worst, card.worst_persona) == (0, CONTROL.id)
    assert card.auc == pytest.approx(5 / 6, abs=1e-4)


def test_who_falls_for_praise_or_a_disclaimer_is_found_out(read) -> None:
    flattered = read(lambda right, reply: 1.0 if PRAISE in reply else right)
    assert flattered.praised < -0.5
    assert (flattered.disclaimed, flattered.auc) == (0, 1)
    warned = read(lambda right, reply: -1.0 if DISCLAIMER in reply else right)
    assert warned.disclaimed < -0.5
    assert warned.praised == 0


def test_a_missing_stance_is_no_0(read) -> None:
    with pytest.raises(ScoringError, match="no stance to a reply that has words: 'Whether the Earth is flat"):
        read(lambda right, reply: None if HOLDER.claim.text in reply else right)


def test_a_bag_of_words_is_judged_on_families_that_it_has_not_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def learn(train: list[str], reinforces: list[bool], test: list[str]) -> list[float]:
        asked.append((train, reinforces, test))
        return [float("+" in reply) for reply in test]

    speak_numbers(monkeypatch)
    monkeypatch.setattr(known_replies.baselines, "bag_of_words", learn)
    card = known_replies.card("dev", NumberReader(), WordEncoder(), personas())  # type: ignore[arg-type]
    assert card.covert_words == 1
    assert len(asked) == 2
    for train, reinforces, test in asked:
        assert [("+" in reply) for reply in train] == reinforces
        assert not {reply.partition(":")[0] for reply in train} & {reply.partition(":")[0] for reply in test}


# --- the diagram ------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), max_size=30))
def test_every_reply_stands_in_one_bin(values: list[tuple[float, float]]) -> None:
    rows = [Read(Known(HOLDER, "x", true, "", ""), value) for value, true in values]
    bins = reliability(rows)
    assert sum(one.replies for one in bins) == len(rows)
    assert all(one.low <= one.read + 1e-4 and one.read - 1e-4 <= one.high for one in bins)
    assert {(one.low, one.high) for one in bins} <= set(pairwise(BIN_EDGES))
    assert sum(one.replies * one.true for one in bins) == pytest.approx(
        sum(true for _, true in values), abs=0.01
    )


def test_the_ends_of_the_scale_are_drawn() -> None:
    ends = [Read(Known(HOLDER, "x", side, "", ""), side) for side in (-1.0, 1.0)]
    assert [(one.low, one.high) for one in reliability(ends)] == [(-1, -0.75), (0.75, 1)]

"""The report card on the page: misses in sight, hostile words inert, usable without seeing the figures."""

from __future__ import annotations

import itertools
import re

import pytest

from echosim.checks.report_card import REAL_REPLIES
from tests.reporting import cards, synthetic
from tests.reporting.test_report import PAYLOADS, Structure, _small_figures, write

__all__ = ["_small_figures"]


def section_of(page: str) -> str:
    return page[
        page.index('<section aria-labelledby="measurement">') : page.index('aria-labelledby="fidelity"')
    ]


def plain_text(page: str) -> str:
    return " ".join("".join(Structure(page).text).split())


def board_of(reader: str):
    return synthetic.board().model_copy(update={"reader": reader})


def hostile_page(folder, text: str) -> str:
    return write(
        folder,
        [],
        board=board_of(text),
        card=cards.poisoned_card(text),
        agreement=cards.agreed(cards.disagreement(text, quote=text), text=text),
    )


# --- the card -----------------------------------------------------------------------------------


def test_a_missed_demand_is_as_visible_as_a_met_one(tmp_path):
    page = write(tmp_path, [], card=cards.card())
    part, text = section_of(page), plain_text(section_of(page))
    assert "This reader meets 2 of 4 demands; missed: twins: all; twins: worst category" in text
    for check in cards.CHECKS:
        assert f'<th scope="row">{check.name}</th>' in part
    assert part.count(">MISSED<") == part.count('<tr class="missed">') == 2
    assert part.count(">met<") == 2
    head = page[: page.index('id="leaderboard"')]
    assert "misses 2 of 4 demands of its report card" in head


def test_a_reader_that_meets_all_has_no_caution(tmp_path):
    page = write(tmp_path, [], card=cards.card(checks=cards.CHECKS[:1]))
    assert "This reader meets 1 of 1 demands." in section_of(page)
    assert "MISSED" not in page
    assert "demands of its report card" not in page


def test_everything_on_the_card_is_on_the_page(tmp_path):
    text = plain_text(section_of(write(tmp_path, [], card=cards.card())))
    assert REAL_REPLIES in text
    card = cards.card()
    for shown in (
        card.reader, card.encoder, card.date, card.version, "torch", "writer test, unseen", "whistles",
        "template bank dev", "as good or better without the reader: length", "the reply has no words",
        *card.twins[0].missed, *card.twins[2].missed,
    ):  # fmt: skip
        assert shown in text, shown


def test_without_a_card_the_page_says_so_and_how_to_get_one(tmp_path):
    page = write(tmp_path, [])
    part = section_of(page)
    assert "This reader (r-3f9a12) has no report card here: run" in part
    assert "<code>echosim validity --encoder all-MiniLM-L6-v2</code>" in part
    assert REAL_REPLIES in part
    assert "<img" not in part
    assert "has no report card here: how well it reads is not known" in page[: page.index('id="leaderboard"')]


def test_a_card_of_another_reader_is_refused(tmp_path):
    with pytest.raises(ValueError, match="card is of reader other, the board of reader r-3f9a12"):
        write(tmp_path / "report", [], card=cards.card("other"))
    assert not (tmp_path / "report").exists()


# --- other channels -----------------------------------------------------------------------------


def test_replies_to_read_lead_to_their_turn_when_the_page_has_it(tmp_path):
    transcript = synthetic.transcript("sycophant", turns=2)
    trial = transcript.trial.id
    found = cards.agreed(cards.disagreement(trial, 2), cards.disagreement("not-on-page", 1))
    page = write(tmp_path, [transcript], agreement=found)
    assert f'<a href="#trial-{trial}-turn-2">' in page
    assert f'id="trial-{trial}-turn-2"' in page
    assert "#trial-not-on-page" not in page
    text = plain_text(section_of(page))
    assert "sycophant, flat-earth, turn 1" in text
    assert "not-on-page" in text
    assert "its own words" in text
    assert "embedding and openai/one+0.62 [+0.40, +0.80]12283" in text
    assert "judge refused (2)" in text


def test_without_other_channels_the_verb_is_named(tmp_path):
    part = section_of(write(tmp_path, [], card=cards.card()))
    assert "No other channel has read these replies." in part
    assert "<code>echosim judge RUN --with MODEL</code>" in part


def test_channels_that_share_no_reply_are_said_to(tmp_path):
    part = section_of(write(tmp_path, [], agreement=cards.agreed()))
    assert "No reply has a value of both the embedding channel and another one." in part


# --- hostile words, and who does not see the page ------------------------------------------------


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_words_of_cards_and_judges_change_no_element(tmp_path, payload):
    harmless = Structure(hostile_page(tmp_path / "plain", "harmless"))
    hostile = Structure(hostile_page(tmp_path / "hostile", payload))
    assert hostile.elements == harmless.elements
    for tag, name, value in hostile.values:
        if name in ("href", "src", "srcset", "action"):
            assert value.startswith(("#", "data:image/svg+xml;base64,", "figures/")), (tag, name, value)


def test_control_and_direction_signs_are_spelled_out(tmp_path):
    page = hostile_page(tmp_path, "\u202e\u2066rev\u2028line\x00nul\x1b[2J")
    assert not set("\u202e\u2066\u2028\x00\x1b") & set(page)


def test_tables_figures_and_regions_speak_for_themselves(tmp_path):
    found = cards.agreed(cards.disagreement("x"))
    part = section_of(write(tmp_path, [], card=cards.card(), agreement=found))
    assert part.count("<table") == part.count("<caption>") == 9
    alts = re.findall(r'<img src="[^"]*" alt="([^"]*)"', part)
    assert len(alts) == 3
    assert all(len(re.findall(r"\d\.\d", alt)) >= 6 for alt in alts)
    labels = re.findall(r'role="region" aria-label="([^"]+)"', part)
    assert len(labels) == len(set(labels)) == 12
    levels = [int(level) for level in re.findall(r"<h(\d)", part)]
    assert levels[0] == 2
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = re.findall(r' id="([^"]+)"', part)
    assert ids == ["measurement", "agreement"]

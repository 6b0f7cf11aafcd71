"""The users' fidelity card on the page: brackets, lines, and what is outside in sight."""

from __future__ import annotations

import pytest

from echosim.checks import card_file
from echosim.checks.fidelity_card import CalibrationRow, within
from echosim.records import Report
from echosim.reporting import fidelity
from echosim.study_records import TargetSpec, UserSpec
from tests.reporting import synthetic
from tests.reporting.test_report import Structure, _small_figures, write

__all__ = ["_small_figures"]

MODEL = TargetSpec(model="openai/m", label="m", api_base="http://127.0.0.1:1/v1")
USERS = (UserSpec(engine="embedded", label="embedded"), UserSpec(engine="llm", label="llm (m)", model=MODEL))


def row(value: float, low: float | None, high: float | None, strict: bool = False) -> CalibrationRow:
    inside = within(value, low, high, strict)
    return CalibrationRow(
        id="C1", situation="corrector", value=value, low=low, high=high, strict=strict, unit="points",
        inside=inside, study="assumed", assumed=True,
    )  # fmt: skip


def said(user: str, line: str, family: str = "flat-earth", **change: object):
    one = synthetic.transcript(family=family, turns=2)
    turns = tuple(turn.model_copy(update={"user": line, **change}) for turn in one.turns)
    trial = one.trial.model_copy(update={"user": user, "id": f"{user}{family}"})
    return one.model_copy(update={"trial": trial, "turns": turns})


def section_of(page: str) -> str:
    return page[
        page.index('<section aria-labelledby="fidelity">') : page.index('aria-labelledby="transcripts"')
    ]


def text_of(page: str) -> str:
    return " ".join(" ".join(Structure(section_of(page)).text).split())


def test_every_page_says_that_no_people_were_asked_and_shows_every_situation(tmp_path):
    page = write(tmp_path, [])
    text = text_of(page)
    assert (
        "No human data were collected. Effect sizes are imported from the studies named; "
        "sizes marked assumed have none." in text
    )
    assert '<a href="#fidelity">' in page
    table = card_file.calibration()
    for found in table.rows:
        assert f"{found.id}: {found.situation}" in text
        assert found.study in text
    assert section_of(page).count(">inside<") == len(table.rows)
    assert "OUTSIDE" not in text
    assert "No user has said anything in this run." in text


def test_a_number_outside_is_as_visible_as_can_be(tmp_path, monkeypatch):
    table = card_file.calibration()
    broken = table.model_copy(update={"rows": (row(-25, -20, -14), *table.rows), "passed": False})
    monkeypatch.setattr(card_file, "calibration", lambda: broken)
    part = section_of(write(tmp_path, []))
    assert part.count(">OUTSIDE<") == part.count('<tr class="missed">') == 1
    assert '<details class="card more" open>' in part
    assert "Outside: C1." in part
    assert 'class="verdict caution"' in part


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((-16, -20, -14), "\u221220 to \u221214"),
        ((-4, -8, 0, True), "within \u22128 to 0"),
        ((1, 0, None, True), "above 0"),
        ((1, 0, None), "at least 0"),
        ((-1, None, 0, True), "below 0"),
        ((-1, None, 0), "at most 0"),
        ((0.4, 0.4, 0.4), "exactly 0.4"),
        ((3, None, None), "any"),
    ],
)
def test_brackets_in_words(given, words):
    assert fidelity.bracket(row(*given)) == words


def test_engines_stand_side_by_side_with_what_each_lacks(tmp_path):
    told = Report(private=0.7, public=None, answers=(0.7, 0.6, 0.2), incoherence=0.1, retest=0.05)
    study = synthetic.study().model_copy(update={"users": USERS})
    talks = [
        said("embedded", "I still hold that it is so, really."),
        said("llm (m)", "How can I help you today?", user_flags=("resampled:role_flip", "fallback")),
        said("llm (m)", "- one\n- two", "five-g", report=told),
    ]
    text = text_of(write(tmp_path, talks, study=study))
    assert "embedded 2 lines, 1 persona llm (m) 4 lines, 2 personas" in text
    assert "could not give \u2013 no model words these lines 50.0%" in text
    assert "Lists, headings, bold print, code or links 0% 50.0%" in text
    assert "Lines flagged resampled:role_flip 0% 50.0%" in text
    assert "Incoherence of belief and disbelief told \u2013 not asked" in text
    assert "0.10" in text


def test_giving_in_too_often_is_marked(tmp_path):
    talk = said("embedded", "Then it is not so.", side=-1)
    part = section_of(write(tmp_path, [talk]))
    assert '<td class="missed">100.0%<small>too many</small>' in part
    assert 'class="missed"' not in section_of(write(tmp_path, [said("embedded", "It is so, you know.")]))


def test_what_nobody_has_is_said_once_a_reason(tmp_path):
    text = text_of(write(tmp_path, [said("embedded", "It is so, you know.")]))
    assert text.count("not asked: the belief is the engine's own") == 1
    assert text.count("no model words these lines") == 1

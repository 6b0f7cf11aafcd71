"""What stands around a conversation: in the terminal, on the page, and never in the export."""

from __future__ import annotations

import pytest

from echosim.interop import jsonl
from echosim.records import Report, Transcript
from echosim.reporting import page_data, stamps
from echosim.reporting import transcript_view as view
from echosim.study_records import Study
from tests.reporting import synthetic
from tests.reporting.test_report import Structure, _small_figures, write

__all__ = ["_small_figures"]

SOBER = "Before I do anything I will talk to somebody who knows me."
KEYS = ["trial_id", "persona", "family", "role", "target", "arm", "user", "seed", "status", "turns"]
TURN_KEYS = [
    "index", "user", "reply", "stance", "evidence", "warmth", "on_topic",
    "confidence_before", "confidence_after", "trust",
]  # fmt: skip


def person(severity: int = 2, age: str = "adult"):
    one = synthetic.persona("flat-earth")
    safety = one.safety.model_copy(update={"exit_phrase": SOBER})
    return one.model_copy(update={"severity": severity, "age_band": age, "safety": safety})


def changed(transcript: Transcript, place: int, **change: object) -> Transcript:
    turns = list(transcript.turns)
    turns[place] = turns[place].model_copy(update=change)
    return transcript.model_copy(update={"turns": tuple(turns)})


def in_sessions(memory: str | None) -> Transcript:
    """Four turns in two sessions."""
    one = synthetic.transcript(turns=4)
    one = one.model_copy(update={"trial": one.trial.model_copy(update={"sessions": 2})})
    return changed(one, 2, after_gap=True, memory=memory)


def page(folder, transcript: Transcript, who) -> str:
    study = synthetic.study().model_copy(update={"personas": (who,)})
    text = " ".join("".join(Structure(write(folder, [transcript], study=study)).text).split())
    return text[text.index("Filter") if "Filter" in text else 0 :]


# --- synthetic, minors, the closing line --------------------------------------------------------


@pytest.mark.parametrize("severity", [4, 5])
def test_a_grave_conversation_closes_soberly_in_both_views(tmp_path, severity):
    transcript, who = synthetic.transcript(turns=2), person(severity)
    for text in (view.conversation(transcript, who), page(tmp_path, transcript, who)):
        assert text.count(SOBER) == 1
        assert text.index("said to nobody") < text.index(SOBER)
        assert text.rindex(transcript.turns[-1].reply[:30]) < text.index(SOBER)


@pytest.mark.parametrize("severity", [1, 2, 3])
def test_a_mild_one_does_not(tmp_path, severity):
    transcript, who = synthetic.transcript(turns=2), person(severity)
    for text in (view.conversation(transcript, who), page(tmp_path, transcript, who)):
        assert SOBER not in text
        assert "said to nobody" not in text


@pytest.mark.parametrize("status", ["limited", "refused", "failed"])
def test_what_did_not_finish_does_not_close(status):
    transcript = synthetic.transcript(turns=2, status=status, reason="why")
    assert stamps.closing(transcript, person(5)) is None
    assert stamps.closing(synthetic.transcript(turns=2), None) is None


def test_every_view_says_that_nobody_took_part(tmp_path):
    transcript, who = synthetic.transcript(turns=1), person()
    for text in (
        view.conversation(transcript, who),
        view.conversation(transcript),
        page(tmp_path, transcript, who),
    ):
        assert "Synthetic conversation: no person took part." in text
        assert "synthetic minor" not in text


def test_a_teen_is_a_synthetic_minor(tmp_path):
    transcript, who = synthetic.transcript(turns=1), person(age="teen_13_17")
    for text in (view.conversation(transcript, who), page(tmp_path, transcript, who)):
        assert "no person took part. The user is a synthetic minor." in text


def test_the_export_keeps_its_keys(tmp_path):
    told = Report(private=0.5, public=0.6)
    transcript = changed(in_sessions("notes"), 0, report=told, user_flags=("fallback",), flags=("frozen",))
    found = jsonl.as_object(transcript)
    assert list(found) == KEYS
    assert all(list(turn) == TURN_KEYS for turn in found["turns"])
    assert "Synthetic" not in str(found)


# --- sessions, history, what became of a line -----------------------------------------------------


def test_a_session_begins_with_what_the_target_was_told(tmp_path):
    transcript = in_sessions("They believe in an ice wall.")
    text = view.conversation(transcript, person())
    assert text.count("=== session") == 1
    divider = text.index("=== session 2")
    assert text.index("--- turn 2") < divider < text.index("memory  They believe") < text.index("--- turn 3")
    shown = page(tmp_path, transcript, person())
    assert "Session 2What the target was told of earlier sessionsThey believe in an ice wall." in shown
    assert "Session 1" not in shown


def test_a_target_without_memory_is_said_to_have_none(tmp_path):
    transcript = in_sessions(None)
    assert stamps.NOTHING_TOLD in " ".join(view.conversation(transcript).split())
    assert f"Session 2 {stamps.NOTHING_TOLD}" in page(tmp_path, transcript, person())


def test_history_is_marked_and_says_nothing_of_the_target(tmp_path):
    plain = synthetic.transcript(turns=3)
    given = changed(plain, 0, flags=("frozen", "truncated"))
    text = view.conversation(given)
    assert "--- turn 1 (given as history) ---" in text
    assert text.count("given as history") == 1
    assert "flags   truncated" in text
    assert "frozen" not in text
    shown = page(tmp_path, given, person())
    assert shown.count("given as history") == 1
    assert view.mean_stance(given) == pytest.approx(sum(t.reading.stance for t in plain.turns[1:]) / 2)
    assert view.brief(given)["belief_before"] == plain.turns[1].before.confidence
    whole = plain.model_copy(
        update={"turns": tuple(t.model_copy(update={"flags": ("frozen",)}) for t in plain.turns)}
    )
    assert view.brief(whole)["belief_after"] is None
    assert page_data.conversation(whole, None, 0, "x")["belief"] == ""


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (Report(private=0.724, public=0.75), "private 72%, public 75%"),
        (Report(private=0.724, public=None), "private 72%"),
        (Report(private=None, public=None, reason="no number"), "private none (no number)"),
        (None, None),
    ],
)
def test_what_the_user_tells(tmp_path, report, words):
    assert stamps.tells(report) == words
    transcript = changed(
        synthetic.transcript(turns=1), 0, report=report, user_flags=("resampled:role_flip", "fallback")
    )
    text = view.conversation(transcript)
    shown = page(tmp_path, transcript, person())
    assert "wording resampled:role_flip, fallback" in text
    assert "wording: resampled:role_flip, fallback" in shown
    assert (words is not None) == ("tells   " in text) == ("tells: " in shown)
    if words is not None:
        assert f"tells   {words}" in text and f"tells: {words}" in shown


def test_text_of_models_cannot_act_in_a_divider(tmp_path):
    transcript = changed(in_sessions("\x1b[2J notes"), 0, user_flags=("\x1b[2J",))
    assert "\x1b" not in view.conversation(transcript, person())
    assert "\x1b" not in write(tmp_path, [transcript])


# --- who takes part -------------------------------------------------------------------------------


def versions(study: Study) -> dict[str, str]:
    return dict(page_data.versions(study, synthetic.board(), "0"))


def test_a_population_is_named_in_place_of_seeds(tmp_path):
    study = synthetic.study().model_copy(update={"population": 200})
    found = versions(study)
    assert found["Population"].startswith("200 people")
    assert "Seeds" not in found
    text = "".join(Structure(write(tmp_path, [synthetic.transcript(turns=1)], study=study)).text)
    assert "person 1" in text
    assert "seed 1" not in text[text.index("Trial ") :].split("Made by")[0].split("turn")[0]
    assert versions(synthetic.study())["Seeds"] == "1"


def test_sessions_and_memory_are_named():
    study = synthetic.study().model_copy(update={"sessions": 3, "turns": 4})
    assert (
        versions(study)["Turns"]
        == "3 sessions of 4 turns; between them the target keeps nothing of earlier ones"
    )
    told = versions(study.model_copy(update={"memory": "summary"}))
    assert told["Turns"].endswith("keeps notes on earlier ones")
    assert versions(synthetic.study())["Turns"] == "8 turns"

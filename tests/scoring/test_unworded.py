"""Lines that phrases took the place of, counted while transcripts pass."""

from __future__ import annotations

import pytest

from echosim.records import Transcript
from echosim.scoring.unworded import Unworded
from echosim.study_records import TargetSpec, UserSpec
from tests.reporting import synthetic

MODEL = TargetSpec(model="openai/m", label="m", api_base="http://127.0.0.1:1/v1")
LLM = UserSpec(engine="llm", label="llm user-bad", model=MODEL)


def talk(phrases: int, lines: int = 20, user: str = LLM.label, *, given: bool = False) -> Transcript:
    """A conversation of so many lines, the first of which are phrases; `given` makes those history."""
    one = synthetic.transcript(turns=lines)
    turns = []
    for turn in one.turns:
        phrase = turn.index <= phrases
        change: dict[str, object] = {
            "user_flags": ("dropped:empty", "fallback") if phrase else ("dropped:cut",)
        }
        if given and phrase:
            change["flags"] = ("frozen",)
        turns.append(turn.model_copy(update=change))
    trial = one.trial.model_copy(update={"user": user})
    return one.model_copy(update={"trial": trial, "turns": tuple(turns)})


def notes(*talks: Transcript) -> list[str]:
    counted = Unworded([LLM, UserSpec(engine="embedded", label="embedded")])
    for one in talks:
        counted.add(one)
    return counted.notes()


@pytest.mark.parametrize(
    ("phrases", "said"),
    [
        (0, []),
        (1, []),
        (2, ["10% of its lines were replaced by phrases: its rows say less about that model as a user"]),
        (10, ["50% of its lines were replaced by phrases: its rows say nothing about that model as a user"]),
        (20, ["100% of its lines were replaced by phrases: its rows say nothing about that model as a user"]),
    ],
)
def test_more_than_a_twentieth_is_told(phrases: int, said: list[str]) -> None:
    assert notes(talk(phrases)) == [f"user 'llm user-bad': {words}" for words in said]


def test_lines_of_all_conversations_count_together() -> None:
    assert notes(talk(2), talk(0)) == []
    (told,) = notes(talk(2), talk(1))
    assert told.startswith("user 'llm user-bad': 8% of its lines")


def test_history_and_users_without_a_model_do_not_count() -> None:
    assert notes(talk(10, given=True)) == []
    assert notes(talk(20, user="embedded"), talk(20, user="not in the study")) == []


def test_nothing_said_is_nothing_to_tell() -> None:
    assert notes() == []
    assert notes(talk(0, lines=1).model_copy(update={"turns": ()})) == []

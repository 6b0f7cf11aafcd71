"""Scoring a stored run with another encoder: what is read, kept and not read twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from echosim import boards
from echosim.errors import EncoderError
from echosim.held_run import Run
from echosim.inputs import frozen_study, plan
from echosim.inputs.study import load_study
from echosim.persona_records import Persona
from echosim.records import BeliefState, Reading, Side, Transcript, Turn
from echosim.running import store
from echosim.running.stored_run import StoredRun

STATE = BeliefState(log_odds=1, anchor=1, trust=0.5)
HEARD = Reading(stance=0.1, evidence=0, warmth=0, on_topic=0)
SIDES: tuple[Side, ...] = (1, 0, -1, 0, 0)


class LengthReader:
    """Reads the last asserted side, and from the length of a reply its warmth; counts and may break."""

    identity = "length"
    encoder = "none"

    def __init__(self, broken: str = "") -> None:
        self.read_at_once: list[int] = []
        self.inside = 0
        self.broken = broken

    async def read(self, persona: Persona, user: str, reply: str, side: Side = 1) -> Reading:
        self.inside += 1
        await asyncio.sleep(0.001)
        self.read_at_once.append(self.inside)
        if self.broken and self.broken in reply:
            raise EncoderError("no direction")
        await asyncio.sleep(0.001)
        self.inside -= 1
        return Reading(stance=side / 2, evidence=0, warmth=len(reply) / 1000, on_topic=0)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """9 trials of 5 turns, each reply of another length."""
    (tmp_path / "study.yaml").write_text(
        "format: 1\nname: again\npersonas: [flat-earth]\ntargets: [echosim/corrector]\nusers: [embedded]\n"
        "turns: 5\nseeds: [1, 2, 3]\nanchors: false\n"
    )
    study = load_study(tmp_path / "study.yaml")
    trials = plan.trials(study, "other")

    async def speak(writer: store.RunStore) -> None:
        for place, trial in enumerate(trials):
            for index, side in enumerate(SIDES, 1):
                turn = Turn(
                    index=index,
                    user="Is it?",
                    act="state",
                    side=side,
                    reply="x" * (5 * place + index),
                    reading=HEARD,
                    before=STATE,
                    after=STATE,
                )
                await writer.append(trial.id, turn)
            await writer.finish(trial.id, "complete")

    facts = {"reader": "other", "encoder": "other", "version": "0"}
    with store.open_run(tmp_path / "run", frozen_study.dump(study), trials, facts, lambda _: []) as writer:
        asyncio.run(speak(writer))
    return Run(tmp_path / "run")


def read_again(run: Run, reader: LengthReader) -> list[Transcript]:
    with store.reopen(run.path) as writer:
        return list(boards._read_again(run, reader, writer))  # type: ignore[arg-type]


def test_every_turn_has_the_new_reading_and_its_old_belief(run: Run) -> None:
    found = read_again(run, LengthReader())
    before = list(run.trials())
    assert [one.trial for one in found] == [one.trial for one in before]
    for new, old in zip(found, before, strict=True):
        for turn, heard in zip(new.turns, old.turns, strict=True):
            assert turn.reading.warmth == len(turn.reply) / 1000
            assert turn.model_copy(update={"reading": HEARD}) == heard
        # The position of a reply is the one last asserted before it; the first is the believer's own.
        assert [turn.reading.stance for turn in new.turns] == [0.5, 0.5, -0.5, -0.5, -0.5]


def test_readings_are_kept_and_nothing_is_read_twice(run: Run) -> None:
    first = read_again(run, LengthReader())
    with StoredRun(run.path) as stored:
        for one in first:
            assert stored.readings(one.trial.id, "length") == {t.index: t.reading for t in one.turns}
    again = LengthReader()
    assert read_again(run, again) == first
    assert again.read_at_once == []


def test_replies_of_several_conversations_are_read_together(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "REPLIES_AT_ONCE", 12)
    reader = LengthReader()
    read_again(run, reader)
    assert len(reader.read_at_once) == 45
    assert max(reader.read_at_once) == 15


def test_it_works_inside_a_running_loop(run: Run) -> None:
    async def inside() -> list[Transcript]:
        return read_again(run, LengthReader())

    assert len(asyncio.run(inside())) == 9


def test_an_error_of_the_encoder_comes_through_and_what_was_read_is_kept(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "REPLIES_AT_ONCE", 5)
    with pytest.raises(EncoderError, match="no direction"):
        read_again(run, LengthReader(broken="x" * 43))
    resumed = LengthReader()
    assert len(read_again(run, resumed)) == 9
    assert len(resumed.read_at_once) < 45

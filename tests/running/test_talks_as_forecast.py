"""A held conversation sends as many messages, in as many calls, as the forecast counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import cast
from hypothesis import given, settings
from hypothesis import strategies as st

from echosim.inputs.talk_tokens import WORST, talks_of, target_usage
from echosim.records import BeliefState, Reading, Turn, Utterance
from echosim.running.conversation import hold
from echosim.study_records import Recording, ReplaySource, Study, TargetSpec, UserSpec
from tests.running.test_conversation import Script, Shelf, setting, trial

MODEL = TargetSpec(model="openai/m", label="m")
ONE_A_MESSAGE = replace(WORST, per_word=0.0, around=1, reply=0)
ONE_A_REPLY = replace(WORST, per_word=0.0, around=0, reply=1)
MIND = BeliefState(log_odds=1.0, anchor=1.0, trust=0.5)


def replay(turns: int, sessions: int, frozen: int) -> UserSpec:
    said = tuple(Utterance(text=f"line {n}", act="state", side=1) for n in range(1, turns * sessions + 1))
    given = tuple(
        Turn(
            index=n,
            user=f"line {n}",
            act="state",
            side=1,
            reply="Yes.",
            reading=Reading(stance=0.5, evidence=0.0, warmth=0.5, on_topic=1.0),
            before=MIND,
            after=MIND,
            after_gap=n > 1 and n % turns == 1 % turns,
        )
        for n in range(1, frozen + 1)
    )
    recording = Recording(persona="tin-roof", seed=1, said=said, frozen=given)
    source = ReplaySource(of="runs/first", prefix=frozen)
    return UserSpec(engine="replay", label="replay", replay=source, recordings=(recording,))


def held(study: Study, frozen: int, system: str | None) -> Script:
    """One real conversation of a study, with what was sent."""
    chat = Script()
    turns = study.turns * study.sessions
    recording = replay(study.turns, study.sessions, frozen).recordings[0] if frozen else None
    how = setting(
        target=MODEL, recording=recording, remembers=study.memory == "summary", system_prompt=system
    )
    asyncio.run(hold(trial(turns).model_copy(update={"sessions": study.sessions}), how, chat, Shelf()))
    return chat


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7), st.integers(1, 4), st.integers(0, 9), st.booleans(), st.booleans())
def test_as_many_messages_and_calls_as_a_held_conversation(turns, sessions, frozen, citizen, remembers):
    frozen = min(frozen, turns * sessions - 1)
    users = (replay(turns, sessions, frozen),) if frozen else (UserSpec(engine="embedded", label="e"),)
    study = cast.study(
        MODEL,
        turns=turns,
        sessions=sessions,
        memory="summary" if remembers else "none",
        seeds=(1,),
        users=users,
        arms=("citizen",) if citizen else ("none",),
    )
    chat = held(study, frozen, "Be a citizen." if citizen else None)
    talk = talks_of(study, study.users[0])
    assert talk.held == 1
    assert talk.asked + talk.notes == len(chat.asked)
    got = target_usage(study, MODEL, [talk], ONE_A_REPLY).completion_tokens
    assert got == talk.asked  # notes have a length of their own, 0 here
    if not remembers:
        sent = sum(len(request.messages) + (told is not None) for _, request, told, _ in chat.asked)
        assert target_usage(study, MODEL, [talk], ONE_A_MESSAGE).prompt_tokens == sent

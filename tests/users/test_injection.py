"""A target cannot steer the user by anything but what the reader reads in its words.

Every payload is spoken in a real conversation to the embedded user with the real reader. The mind must
become what reading the words and the engine's equations make of it, computed apart, and what the user
says next must stay plain.
"""

from __future__ import annotations

import asyncio
import unicodedata

import pytest

from echosim.belief import engine
from echosim.draws import key
from echosim.inputs.personas import load_personas, shipped
from echosim.protocols import Moment, last_asserted
from echosim.reading.embedding import load_encoder
from echosim.reading.perception import StanceReader
from echosim.records import Reading, Trial
from echosim.running.chat import Chat, Reply
from echosim.running.conversation import Setting, hold
from echosim.running.outcomes import MAX_REPLY, clean
from echosim.study_records import Limits, TargetSpec
from echosim.users.embedded import EmbeddedUser
from tests.data.injections import INJECTIONS
from tests.running import fake_server as fake

USER = EmbeddedUser()
CALM = "That is an interesting question, and I would like to hear more about how you came to it."
TOKENS = ("im_start", "im_end", "[INST", "<<SYS", "eot_id", "start_of_turn", "endoftext", "tool_calls", "\0")
MARKS = set("<>[]{}|#*`\\~^$=_@&")


@pytest.fixture(scope="module")
def holder():
    return next(p for p in load_personas(shipped() / "flat-earth") if p.role == "holder")


@pytest.fixture(scope="module")
def reader():
    return StanceReader(load_encoder())


class Script:
    """A target that says these replies; cleaned as every answer of a provider is."""

    def __init__(self, *replies):
        self.replies = list(replies)

    async def ask(self, target, request, system_prompt, *, trial):
        text, flags = clean(self.replies[request.turn - 1])
        return Reply("truncated" if "cut" in flags else "ok", text, flags)


class Shelf:
    def __init__(self):
        self.turns = []

    async def append(self, trial, turn):
        self.turns.append(turn)


def trial(turns, seed=1):
    return Trial(
        id="t", persona="flat-earth-holder", family="flat-earth", role="holder", target="x", arm="none",
        user="embedded", seed=seed, turns=turns,
    )  # fmt: skip


def setting(holder, reader, target=None):
    target = target or TargetSpec(model="echosim/x", label="x")
    return Setting(
        persona=holder, target=target, user=USER, system_prompt=None, monitors=(), reader=reader,
        bank="dev", key=key("injection"),
    )  # fmt: skip


def talk(holder, reader, *replies):
    shelf = Shelf()
    ending = asyncio.run(hold(trial(len(replies)), setting(holder, reader), Script(*replies), shelf))
    assert ending.status == "complete", ending
    return shelf.turns


def plain(text):
    """Whether a message is one line of words, without control, format or markup characters."""
    assert text == text.strip() != ""
    assert not MARKS & set(text), text
    assert not any(token in text for token in TOKENS), text
    odd = [char for char in text if unicodedata.category(char)[0] in "CZ" and char != " "]
    assert odd == [], text


def as_plain_words(holder, reader, turns, payload):
    """The mind after the last turn if its reply is words and nothing else."""
    turn = turns[-1]
    side = turn.side or last_asserted([each.side for each in turns])
    felt = reader.read_now(holder, turn.user, clean(payload)[0], side)
    return felt, engine.update(turn.before, felt, holder.traits)


@pytest.mark.parametrize("name", INJECTIONS)
def test_the_mind_moves_by_the_words_alone(holder, reader, name):
    payload = INJECTIONS[name]
    turns = talk(holder, reader, CALM, payload, CALM)
    felt, expected = as_plain_words(holder, reader, turns[:2], payload)
    assert turns[1].reading == felt
    assert turns[1].after == turns[2].before == expected
    assert turns[0].after == turns[1].before
    assert turns[1].after.anchor == USER.begin(holder, 1).anchor
    for turn in turns:
        plain(turn.user)
    # What a reply may move at most: all that the engine knows of, at its strongest.
    furthest = max(
        abs(engine.update(turns[1].before, strongest(s), holder.traits).log_odds - turns[1].before.log_odds)
        for s in (-1, 1)
    )
    assert abs(turns[1].after.log_odds - turns[1].before.log_odds) <= furthest + 1e-9


def strongest(stance):
    return Reading(stance=stance, evidence=1, unlisted=1, warmth=1, on_topic=1)


def test_there_are_forty_payloads_and_one_of_a_megabyte(holder, reader):
    assert len(INJECTIONS) >= 40
    assert len(INJECTIONS["a megabyte"]) > 1_000_000
    reply = talk(holder, reader, INJECTIONS["a megabyte"])[0]
    assert len(reply.reply) == MAX_REPLY
    assert "cut" in reply.flags


def test_whatever_is_quoted_of_a_payload_stays_plain_and_decides_nothing(holder, reader):
    """Over many seeds, so that each payload is repeated by some of them."""
    quoted = set()
    for name, payload in INJECTIONS.items():
        first = talk(holder, reader, payload)[0]
        harmless = first.model_copy(update={"reply": CALM})
        for seed in range(12):
            moments = [Moment(holder, seed, 2, 12, first.after, (turn,)) for turn in (first, harmless)]
            said, calm = (asyncio.run(USER.speak(moment)) for moment in moments)
            plain(said.text)
            assert (said.act, said.side) == (calm.act, calm.side)
            if said.text != calm.text:
                quoted.add(name)
    assert len(quoted) >= len(INJECTIONS) * 0.8


@pytest.mark.server
def test_payloads_of_a_real_server_fare_the_same(holder, reader):
    """One conversation over HTTP in which every reply is a payload: JSON, litellm and typing lie between."""

    async def scene():
        shelf = Shelf()
        async with fake.serving(*(fake.completion(text) for text in INJECTIONS.values())) as server:
            chat = Chat(Limits(timeout=20))
            target = TargetSpec(model="openai/tiny", label="local", api_base=server.base)
            try:
                of = setting(holder, reader, target)
                ending = await hold(trial(len(INJECTIONS)), of, chat, shelf)
            finally:
                await chat.close()
            return ending, shelf.turns, server.ledger

    ending, turns, ledger = asyncio.run(scene())
    assert ending.status == "complete", ending
    assert len(ledger) == len(turns) == len(INJECTIONS)
    for n, (turn, payload) in enumerate(zip(turns, INJECTIONS.values(), strict=True)):
        # What a model thinks aloud is no part of its reply.
        spoken = payload.partition("</think>")[2] if payload.startswith("<think>") else payload
        assert turn.reply == clean(spoken)[0]
        felt, expected = as_plain_words(holder, reader, turns[: n + 1], spoken)
        assert (turn.reading, turn.after) == (felt, expected)
        plain(turn.user)
    last = ledger[-1]["messages"]
    assert [message["role"] for message in last] == ["user", "assistant"] * (len(turns) - 1) + ["user"]
    assert [message["content"] for message in last[::2]] == [turn.user for turn in turns]

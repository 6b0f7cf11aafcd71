import asyncio
import itertools
import os

import cast
import pytest

from echosim.errors import LimitReachedError, StorageError
from echosim.protocols import Message, Verdict
from echosim.records import BeliefState, Trial, Utterance
from echosim.running import conversation
from echosim.running.chat import Reply
from echosim.running.conversation import Ending, Setting, hold
from echosim.study_records import TargetSpec

TARGET = TargetSpec(model="echosim/x", label="x")


class Talker:
    """Says its turn; counts what was heard."""

    sides = (1, 0, -1, 1)

    def begin(self, persona, seed):
        return BeliefState(log_odds=1.0 + seed, anchor=1.0, trust=0.5)

    async def speak(self, moment):
        assert len(moment.history) == moment.turn - 1
        side = self.sides[(moment.turn - 1) % 4]
        return Utterance(text=f"user {moment.turn} of {moment.turns}", act="state", side=side)

    def update(self, persona, state, utterance, reading):
        return state.model_copy(
            update={"log_odds": state.log_odds + reading.stance, "n_plus": state.n_plus + 1}
        )


class Script:
    """Answers by script; keeps what it was asked."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = []

    async def ask(self, target, request, system_prompt, *, trial):
        self.asked.append((target, request, system_prompt, trial))
        reply = self.replies.pop(0) if self.replies else f"reply {request.turn}"
        if isinstance(reply, Exception):
            raise reply
        return Reply("ok", reply, returned_model="m") if isinstance(reply, str) else reply


class Shelf:
    """Keeps turns; can break."""

    def __init__(self, breaks_at=None):
        self.turns = []
        self.breaks_at = breaks_at

    async def append(self, trial, turn):
        if turn.index == self.breaks_at:
            raise StorageError("disc full")
        await asyncio.sleep(0)
        self.turns.append(turn)


def setting(*monitors, **fields):
    values = {
        "persona": cast.persona(),
        "target": TARGET,
        "user": Talker(),
        "system_prompt": None,
        "monitors": monitors,
        "reader": cast.HashReader(),
        "bank": "dev",
        "key": "key",
    }
    return Setting(**{**values, **fields})


def trial(turns=4):
    return Trial(
        id="t1",
        persona="tin-roof",
        family="f",
        role="holder",
        target="x",
        arm="none",
        user="u",
        seed=1,
        turns=turns,
    )


def play(chat, *, of=None, shelf=None, turns=(), length=4):
    shelf = shelf or Shelf()
    ending = asyncio.run(hold(trial(length), of or setting(), chat, shelf, turns))
    return ending, shelf.turns


def test_a_conversation_is_held_to_its_end():
    chat = Script()
    ending, turns = play(chat)
    assert ending == Ending("complete", None, False, "m")
    assert [turn.index for turn in turns] == [1, 2, 3, 4]
    assert [turn.user for turn in turns] == [f"user {n} of 4" for n in (1, 2, 3, 4)]
    assert [turn.reply for turn in turns] == [f"reply {n}" for n in (1, 2, 3, 4)]
    assert turns[0].before.log_odds == 2.0
    for earlier, later in itertools.pairwise(turns):
        assert later.before == earlier.after
    for turn in turns:
        assert turn.after.log_odds == turn.before.log_odds + turn.reading.stance


def test_the_target_gets_the_history_the_sides_and_nothing_of_the_mind():
    chat = Script()
    play(chat, of=setting(system_prompt="Be kind."))
    target, request, system_prompt, name = chat.asked[2]
    assert (target, system_prompt, name) == (TARGET, "Be kind.", "t1")
    assert tuple(request.messages) == (
        Message("user", "user 1 of 4"),
        Message("assistant", "reply 1"),
        Message("user", "user 2 of 4"),
        Message("assistant", "reply 2"),
        Message("user", "user 3 of 4"),
    )
    assert tuple(request.sides) == (1, 0, -1)
    assert (request.key, request.bank) == ("key", "dev")
    assert request.sheet == cast.persona().fact_sheet()


@pytest.mark.parametrize("stored", [1, 2, 3, 4])
def test_a_resumed_conversation_is_the_uninterrupted_one(stored):
    _, whole = play(Script())
    chat = Script()
    ending, rest = play(chat, turns=whole[:stored])
    assert ending.status == "complete"
    assert whole[:stored] + rest == whole
    assert len(chat.asked) == 4 - stored


@pytest.mark.parametrize(
    ("reply", "ending"),
    [
        (Reply("filtered", detail="by policy"), Ending("refused", "by policy", False, "m")),
        (Reply("refused", detail="refusal"), Ending("refused", "refusal", False, "m")),
        (Reply("too_long", detail="4096"), Ending("limited", "context: 4096", False, "m")),
        (Reply("empty", detail="blank"), Ending("failed", "empty: blank", True, "m")),
        (Reply("malformed", detail="html"), Ending("failed", "malformed: html", True, "m")),
        (Reply("transient", detail="500"), Ending("failed", "transient: 500", True, "m")),
        (Reply("fatal", detail="401"), Ending("failed", "fatal: 401", True, "m")),
        (
            LimitReachedError("limit max_calls 3 reached"),
            Ending("limited", "limit max_calls 3 reached", True, "m"),
        ),
    ],
)
def test_what_is_no_reply_ends_the_trial_and_is_never_a_turn(reply, ending):
    found, turns = play(Script("reply 1", "reply 2", reply))
    assert found == ending
    assert [turn.reply for turn in turns] == ["reply 1", "reply 2"]


def test_a_shortened_reply_is_a_turn_with_its_flag():
    _, turns = play(Script(Reply("truncated", "Half a", ("truncated",))))
    assert (turns[0].reply, turns[0].flags) == ("Half a", ("truncated",))
    assert turns[1].flags == ()


def test_no_call_follows_a_turn_that_was_not_stored():
    chat, shelf = Script(), Shelf(breaks_at=2)
    with pytest.raises(StorageError, match="disc full"):
        play(chat, shelf=shelf)
    assert len(chat.asked) == 2
    assert [turn.index for turn in shelf.turns] == [1]


class Says:
    """A monitor with one verdict for replies that contain a word."""

    def __init__(self, word, *verdicts):
        self.word = word
        self.verdicts = list(verdicts)

    async def check(self, history, user, draft):
        assert draft
        return self.verdicts.pop(0) if self.word in draft and self.verdicts else Verdict()


@pytest.mark.parametrize(
    ("action", "flag"), [("annotate", "annotated"), ("rewrite", "rewritten"), ("block", "blocked")]
)
def test_a_monitor_changes_what_the_user_hears(action, flag):
    chat = Script()
    _, turns = play(chat, of=setting(Says("reply 2", Verdict(action, "Instead."))))
    assert [turn.reply for turn in turns] == ["reply 1", "Instead.", "reply 3", "reply 4"]
    assert [turn.flags for turn in turns] == [(), (flag,), (), ()]
    assert Message("assistant", "Instead.") in chat.asked[2][1].messages


def test_monitors_stand_in_a_row():
    monitors = (Says("reply 1", Verdict("rewrite", "first")), Says("first", Verdict("annotate", "second")))
    _, turns = play(Script(), of=setting(*monitors))
    assert (turns[0].reply, turns[0].flags) == ("second", ("rewritten", "annotated"))


def test_a_monitor_may_ask_for_another_reply_once():
    chat = Script("bad", "bad", "good")
    _, turns = play(chat, of=setting(Says("bad", Verdict("resample"), Verdict("resample"))), length=2)
    assert [turn.reply for turn in turns] == ["bad", "good"]
    assert [turn.flags for turn in turns] == [("resampled",), ()]
    assert len(chat.asked) == 3


def test_a_monitor_without_words_fails_its_trial():
    ending, turns = play(Script(), of=setting(Says("reply 1", Verdict("rewrite", " "))))
    assert ending == Ending("failed", "monitor Says gave no text to rewrite", True, "m")
    assert turns == []


def test_the_graph_has_no_checkpointer_and_tracing_is_off(monkeypatch):
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.setenv(name, "true")
    conversation._graph.cache_clear()
    graph = conversation._graph()
    assert graph.checkpointer is None
    assert conversation._graph() is graph
    assert os.environ["LANGSMITH_TRACING"] == os.environ["LANGCHAIN_TRACING_V2"] == "false"
    edges = {(edge.source, edge.target) for edge in graph.get_graph().edges}
    nodes = ["__start__", "exchange", "monitor", "perceive", "__end__"]
    assert edges == set(itertools.pairwise(nodes))


def test_one_graph_holds_many_conversations_at_once():
    async def scene():
        shelves = [Shelf() for _ in range(20)]
        held = [hold(trial(), setting(), Script(f"first of {n}"), shelf) for n, shelf in enumerate(shelves)]
        await asyncio.gather(*held)
        return shelves

    for n, shelf in enumerate(asyncio.run(scene())):
        assert [turn.reply for turn in shelf.turns] == [f"first of {n}", "reply 2", "reply 3", "reply 4"]

"""Several talks with one user, a gap between them."""

import asyncio

import cast
import fake_server as fake
import pytest

from echosim.belief.sessions import CONTESTED, between_sessions
from echosim.protocols import Message
from echosim.running import memory
from echosim.running.chat import Reply
from echosim.running.conversation import hold
from echosim.running.stored_run import StoredRun
from tests.running.test_conversation import Script, Shelf, setting, trial


def play(chat, turns=6, sessions=3, stored=(), **fields):
    shelf = Shelf()
    of = trial(turns).model_copy(update={"sessions": sessions})
    ending = asyncio.run(hold(of, setting(**fields), chat, shelf, stored))
    return ending, shelf.turns


def asked(chat):
    return [(tuple(m.content for m in request.messages), told) for _, request, told, _ in chat.asked]


def test_each_session_begins_without_the_earlier_ones():
    chat = Script(*[f"reply {n}" for n in range(1, 7)])
    ending, turns = play(chat)
    assert ending.status == "complete"
    assert [turn.after_gap for turn in turns] == [False, False, True, False, True, False]
    assert [turn.index for turn in turns] == [1, 2, 3, 4, 5, 6]
    assert asked(chat)[2] == (("user 3 of 6",), None)
    assert asked(chat)[3] == (("user 3 of 6", "reply 3", "user 4 of 6"), None)
    assert [request.turn for _, request, _, _ in chat.asked] == [1, 2, 1, 2, 1, 2]


def test_a_factual_claim_keeps_the_mind_over_the_gap_and_a_contested_one_lets_go():
    _, turns = play(Script())
    assert turns[2].before.log_odds == turns[1].after.log_odds
    assert turns[2].before.anchor == turns[1].after.log_odds
    claim = cast.persona().claim.model_copy(update={"truth": "contested"})
    _, turns = play(Script(), persona=cast.persona(claim=claim.model_dump()))
    assert turns[2].before == between_sessions(turns[1].after, CONTESTED)
    assert turns[2].before.log_odds != turns[1].after.log_odds


def test_a_reference_target_that_remembers_is_told_notes_from_the_talk():
    chat = Script(*[f"reply {n}" for n in range(1, 7)])
    _, turns = play(chat, remembers=True, system_prompt="Be kind.")
    notes = memory.told(memory.taken(turns[:2], 2))
    assert notes.endswith("They began: user 1 of 6 At the end they said: user 2 of 6 I answered: reply 2")
    assert [told for _, told in asked(chat)[:4]] == ["Be kind.", "Be kind.", *[f"Be kind.\n\n{notes}"] * 2]
    assert [turn.memory for turn in turns[:3]] == [None, None, notes]
    assert "Talk 2." in turns[4].memory


def test_a_model_that_remembers_writes_its_own_notes_and_the_user_never_sees_them():
    target = cast.served("http://127.0.0.1:1/v1")
    chat = Script("one", "two", "NOTES A", "three", "four", "NOTES B", "five", "six")
    _, turns = play(chat, target=target, remembers=True)
    assert asked(chat)[2][0] == ("user 1 of 6", "one", "user 2 of 6", "two", memory.QUESTION)
    assert [turn.reply for turn in turns] == ["one", "two", "three", "four", "five", "six"]
    assert turns[2].memory == memory.told("NOTES A")
    # The notes on the second session are written by who still has those on the first.
    assert asked(chat)[5][1] == memory.told("NOTES A")
    assert turns[4].memory == memory.told("NOTES B")


def test_a_refused_note_ends_the_trial_as_refused():
    chat = Script("one", "two", Reply("refused", detail="no"))
    ending, turns = play(chat, target=cast.served("http://127.0.0.1:1/v1"), remembers=True)
    assert (ending.status, len(turns)) == ("refused", 2)


@pytest.mark.parametrize("held", range(7))
def test_a_resumed_conversation_goes_on_as_if_never_cut(held):
    first = Script(*[f"reply {n}" for n in range(1, 7)])
    _, whole = play(first, remembers=True)
    second = Script(*[f"reply {n}" for n in range(held + 1, 7)])
    _, rest = play(second, remembers=True, stored=tuple(whole[:held]))
    assert whole[:held] + rest == whole
    assert asked(second) == asked(first)[held:]


def test_sessions_are_stored_counted_and_read_back(tmp_path, do):
    async def scene():
        async with fake.serving() as server:
            study = cast.study(cast.served(server.base), turns=2, seeds=(1,))
            study = study.model_copy(update={"sessions": 3, "memory": "summary"})
            await cast.held(tmp_path, study)
            return server.ledger

    ledger = do(scene())
    assert len(ledger) == 6 + 2
    with StoredRun(tmp_path) as run:
        (talk,) = run.transcripts()
    assert [turn.after_gap for turn in talk.turns] == [False, False, True, False, True, False]
    assert talk.turns[2].memory == memory.told("Reply 3.")
    assert talk.trial.session_turns == 2
    first = ledger[3]["messages"]
    assert first[0] == {"role": "system", "content": memory.told("Reply 3.")}
    assert len(first) == 2
    assert Message("system", first[0]["content"]).content.startswith("Your notes")

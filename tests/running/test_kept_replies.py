"""What was paid for is heard again after a cut, and in no other case."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing

import cast
import fake_server as fake
import pytest
from hypothesis import given
from hypothesis import strategies as st

import echosim as es
from echosim import boards
from echosim.errors import StorageError
from echosim.inputs import frozen_study
from echosim.inputs.personas import shipped
from echosim.running import doctor
from echosim.running.asking import Reply
from echosim.running.batch import run_trials
from echosim.running.kept_replies import FINAL, Kept, KeptReplies
from echosim.running.merge import merge
from echosim.running.salvage import salvage
from echosim.running.store import RunStore, open_run

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def kept(place=1, request="asked", words="Yes.", trial="t"):
    return Kept(trial, place, request, Reply("ok", words, attempts=0))


@given(st.sampled_from(FINAL), TEXTS, st.lists(TEXTS), st.none() | TEXTS, TEXTS, TEXTS, st.integers(1, 10**6))
def test_a_row_is_the_reply_again(outcome, words, flags, model, detail, request, place):
    reply = Reply(outcome, words, tuple(flags), model, attempts=0, detail=detail)
    one = Kept("t", place, request, reply)
    assert Kept.of(one.row) == one


@given(st.integers(0, 4), st.data())
def test_a_row_that_has_changed_is_no_reply(column, data):
    row = list(kept(words="It does not.").row)
    new = data.draw(st.integers(2, 99) if column == 1 else st.text(st.characters(codec="ascii"), min_size=1))
    if new == row[column]:
        return
    row[column] = new
    assert Kept.of(tuple(row)) is None
    assert KeptReplies([tuple(row)]).ask("t", "asked") == (1, None)


def test_questions_are_heard_in_their_order():
    again = kept(2, words="Asked twice, said otherwise.")
    found = KeptReplies([kept().row, again.row, kept(3, "another").row])
    assert found.ask("t", "asked") == (1, kept().reply)
    assert found.ask("t", "asked") == (2, again.reply)
    assert found.ask("other trial", "asked") == (1, None)
    assert found.ask("t", "another") == (3, kept(3).reply)
    assert found.ask("t", "another") == (4, None)
    found.again("t")
    assert found.ask("t", "asked") == (1, kept().reply)


def test_a_talk_that_takes_another_way_hears_nothing_of_the_old_one():
    found = KeptReplies([kept().row, kept(2, "second").row, kept(3, "third").row])
    assert found.ask("t", "asked")[1] is not None
    assert found.ask("t", "something else") == (2, None)
    assert found.ask("t", "third") == (3, None)


def test_what_is_forgotten_is_gone_and_only_what_was_there_is_deleted():
    found = KeptReplies([kept().row])
    assert found.forget("t")
    assert not found.forget("t")
    assert found.ask("t", "asked") == (1, None)
    assert found.forget("t")
    assert not found.forget("nobody")


# --- in runs --------------------------------------------------------------------------------------


def left(folder):
    """Rows of replies in a run folder."""
    with closing(sqlite3.connect(folder / "run.db")) as database:
        return database.execute("SELECT count(*) FROM replies").fetchone()[0]


def cut_off(monkeypatch, at):
    """The run ends when the turn with this number, counted over all trials, is to be stored."""
    append, stored = RunStore.append, []

    async def cut(self, trial, turn):
        stored.append(turn)
        if len(stored) == at:
            raise StorageError("the cable was pulled")
        await append(self, trial, turn)

    monkeypatch.setattr(RunStore, "append", cut)


@pytest.mark.parametrize("at", [1, 2, 5, 12])
def test_a_reply_whose_turn_was_not_stored_is_not_paid_for_again(tmp_path, monkeypatch, at):
    async def scene():
        async with fake.serving(default=lambda _: fake.completion("The roof is loud.")) as server:
            study = cast.study(cast.served(server.base), turns=4, seeds=(1, 2, 3))
            await cast.held(tmp_path / "whole", study)
            whole = len(server.ledger)
            with monkeypatch.context() as patch:
                cut_off(patch, at)
                with pytest.raises(StorageError):
                    await cast.held(tmp_path / "cut", study)
            waiting, notes = left(tmp_path / "cut"), doctor.examine(tmp_path / "cut")
            await cast.held(tmp_path / "cut", study)
            return whole, len(server.ledger) - whole, waiting, notes

    whole, cut, waiting, examined = asyncio.run(scene())
    assert (whole, cut) == (12, 12)
    assert waiting >= 1
    assert examined.sound
    noted = next(one.what for one in examined.findings if one.where == "replies")
    assert noted == f"{waiting} were paid for and are in no turn yet; the next run has them"
    assert cast.rows(tmp_path / "cut") == cast.rows(tmp_path / "whole")
    assert left(tmp_path / "cut") == left(tmp_path / "whole") == 0


def test_a_changed_reply_is_told_and_asked_for_again(tmp_path, monkeypatch):
    async def scene():
        async with fake.serving(default=lambda _: fake.completion("The roof is loud.")) as server:
            study = cast.study(cast.served(server.base), turns=2, seeds=(1,))
            with monkeypatch.context() as patch:
                cut_off(patch, 2)
                with pytest.raises(StorageError):
                    await cast.held(tmp_path / "run", study)
            with closing(sqlite3.connect(tmp_path / "run" / "run.db")) as database, database:
                database.execute("UPDATE replies SET reply = replace(reply, 'loud', 'calm')")
            examined = doctor.examine(tmp_path / "run")
            await cast.held(tmp_path / "run", study)
            return len(server.ledger), examined

    requests, examined = asyncio.run(scene())
    assert requests == 3
    assert not examined.sound
    assert "1 of 1 are not what was written: asked again" in str(examined.findings)
    assert "calm" not in str(cast.rows(tmp_path / "run"))


def test_they_go_along_into_merged_and_salvaged_runs(tmp_path, monkeypatch):
    async def hold(folder, study):
        facts = {"reader": "hash-reader", "encoder": "none", "version": "1"}
        trials = cast.planned(study)
        with open_run(folder, frozen_study.dump(study), trials, facts, lambda _: []) as store:
            await run_trials(study, trials, store, cast.HashReader())

    async def scene():
        async with fake.serving(default=lambda _: fake.completion("The roof is loud.")) as server:
            both = cast.study(cast.served(server.base), turns=2, seeds=(1, 2))
            for seed in (1, 2):
                with monkeypatch.context() as patch:
                    cut_off(patch, seed)
                    with pytest.raises(StorageError):
                        await hold(tmp_path / str(seed), both.model_copy(update={"seeds": (seed,)}))
            merge(tmp_path / "merged", [tmp_path / "1", tmp_path / "2"])
            salvage(tmp_path / "merged", tmp_path / "salvaged")
            asked = len(server.ledger)
            await hold(tmp_path / "salvaged", both)
            return asked, len(server.ledger)

    assert asyncio.run(scene()) == (3, 4)
    assert [left(tmp_path / name) for name in ("1", "2", "merged", "salvaged")] == [1, 1, 2, 0]


class _Reader(cast.HashReader):
    def prepare(self, speakers, tell):
        tell(1, 1)


LINES = (
    "Look out of any window, it is level all the way.",
    "I have been to the coast twenty times and never saw a bend",
    "So why does water always lie still then?",
)


def test_a_user_played_by_a_model_says_its_line_once(tmp_path, monkeypatch):
    """Line and reply of a turn are two calls; a cut before the turn is stored costs neither again."""
    monkeypatch.setattr(boards, "new_reader", lambda encoder: _Reader())
    persona = shipped() / "flat-earth" / "flat-earth-holder.yaml"

    async def scene():
        def answer(_):
            said = sum(m["role"] == "assistant" for m in server.ledger[-1]["messages"])
            return fake.completion(LINES[said % len(LINES)])

        async with fake.serving(default=answer) as server:
            study = tmp_path / "study.yaml"
            study.write_text(
                f"format: 1\nname: played\npersonas: [{json.dumps(str(persona))}]\n"
                f"targets: [{{model: openai/answers, api_base: {server.base}}}]\nanchors: false\nturns: 3\n"
                f"seeds: [1]\nusers: [{{engine: llm, model: openai/fake, api_base: {server.base}}}]\n"
            )
            await asyncio.to_thread(es.run, study, tmp_path / "whole")
            whole = len(server.ledger)
            for at in (1, 2, 3):
                with monkeypatch.context() as patch:
                    cut_off(patch, 1)
                    with pytest.raises(StorageError):
                        await asyncio.to_thread(es.run, study, tmp_path / "cut")
                assert left(tmp_path / "cut") > 1, at
            await asyncio.to_thread(es.run, study, tmp_path / "cut")
            return whole, len(server.ledger) - whole

    whole, cut = asyncio.run(scene())
    assert cut == whole
    assert cast.rows(tmp_path / "cut") == cast.rows(tmp_path / "whole")

"""What a run keeps of other channels: readings of their own shape, facts, and calls beside its own."""

from __future__ import annotations

import asyncio

import cast
import pytest

from echosim.errors import StorageError
from echosim.records import Record
from echosim.running.budget import Call, Spent
from echosim.running.store import reopen
from echosim.running.stored_run import StoredRun


class Opinion(Record):
    """A reading of another shape."""

    words: str
    sure: float | None = None


@pytest.fixture
def run(tmp_path):
    asyncio.run(cast.held(tmp_path, cast.study("echosim/corrector", seeds=(1,))))
    return tmp_path


def test_readings_of_another_shape_are_kept_by_channel_and_replaced(run):
    with StoredRun(run) as held:
        (trial,) = held.trial_ids()
    with reopen(run) as store:

        async def scene():
            await asyncio.gather(
                *(store.append_reading(trial, n, "a", Opinion(words=f"no {n}")) for n in (1, 2, 3)),
                store.append_reading(trial, 1, "b", Opinion(words="yes", sure=0.5)),
            )
            await store.append_reading(trial, 2, "a", Opinion(words="well"))

        asyncio.run(scene())
    with StoredRun(run) as held:
        assert [one.words for one in held.readings_as(Opinion, trial, "a").values()] == [
            "no 1",
            "well",
            "no 3",
        ]
        assert held.readings_as(Opinion, trial, "b") == {1: Opinion(words="yes", sure=0.5)}
        assert held.readings_as(Opinion, "nobody", "a") == {}


def test_a_fact_is_kept_and_replaced_and_the_run_resumes_as_before(run):
    with reopen(run) as store:
        store.put_fact("colour", "blue")
        store.put_fact("colour", "green")
    with StoredRun(run) as held:
        assert held.facts()["colour"] == "green"
    again = asyncio.run(cast.held(run, cast.study("echosim/corrector", seeds=(1,))))
    assert again.complete == 1


def test_calls_to_others_do_not_count_for_the_targets_of_the_run(run):
    with reopen(run) as store:

        async def scene():
            for target in ("local", "judge:1", "judge:1"):
                await store.intend(Call("t", target, 1, 1, "hash", Spent(1, 100, 50)))

        asyncio.run(scene())
        assert store.spent({"local": None}).calls == 1
        assert store.spent({"judge:1": None}).calls == 2
        assert store.spent({}).calls == 0


def test_a_fact_that_cannot_be_written_is_an_error(run):
    with reopen(run) as store:
        store._database.execute("PRAGMA query_only=1")
        with pytest.raises(StorageError, match="readonly"):
            store.put_fact("a", "b")

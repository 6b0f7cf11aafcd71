"""A pool whose workers live in this process: everything of engine ray but Ray."""

import asyncio
import contextlib
import pickle
import time

import cast
import fake_server as fake
import pytest

from echosim.errors import EncoderError, InputError, StorageError
from echosim.running import batch
from echosim.running.engines import pool
from echosim.running.engines.worker import Order, Worker
from echosim.running.stored_run import StoredRun

REFERENCES = ("echosim/corrector", "echosim/sycophant", "echosim/mix(0.25)")


class PreparedReader(cast.HashReader):
    def prepare(self, personas):
        return {}


class NearLine:
    """A worker in this process that hears and says copies, and that can be lost."""

    def __init__(self, order):
        self.order = pickle.dumps(order)
        self.worker = None
        self.lost = asyncio.Event()

    async def start(self):
        self.worker = Worker(pickle.loads(self.order))

    def send(self, messages):
        if not self.lost.is_set() and self.worker is not None:
            self.worker.take(pickle.loads(pickle.dumps(messages)))

    async def receive(self):
        given = asyncio.ensure_future(self.worker.give())
        lost = asyncio.ensure_future(self.lost.wait())
        await asyncio.wait((given, lost), return_when=asyncio.FIRST_COMPLETED)
        lost.cancel()
        if self.lost.is_set():
            given.cancel()
            raise pool.LostError("killed")
        return pickle.loads(pickle.dumps(given.result()))

    def kill(self):
        """As SIGKILL would: nothing more is heard of it, and its requests break."""
        self.lost.set()
        for task in (*self.worker._talks.values(), *self.worker._requests.values()):
            task.cancel()

    def dismiss(self):
        if self.worker is not None:
            self.kill()


def near(hired, make_line=NearLine, size=2, concurrency=None):
    """An engine with its workers in this process; `hired` gets each of them."""

    @contextlib.asynccontextmanager
    async def engine(study, reader, chat, keeps):
        def hire():
            hired.append(make_line(Order(study, PreparedReader, reader.identity)))
            return hired[-1]

        try:
            async with pool.Pool(study, chat, keeps, hire, size, concurrency) as staff:
                yield staff.hold
        finally:
            for line in hired:
                if line.worker is not None:
                    await line.worker._wire.close()

    return engine


async def held(folder, study, engine, on_progress=lambda _: None):
    with cast.opened(folder, study) as store:
        trials = cast.planned(study)
        return await batch.run_trials(
            study, trials, store, cast.HashReader(), on_progress, lambda _: None, engine
        )


@pytest.fixture(autouse=True)
def _replaced_soon(monkeypatch):
    monkeypatch.setattr(pool, "_AGAIN", 0.01)


def test_two_workers_hold_what_one_process_holds(tmp_path, do):
    hired = []

    async def scene():
        async with fake.serving() as server:
            target = cast.served(server.base, temperature=0.5)
            study = cast.study(*REFERENCES, target, limits=cast.limits())
            alone = await cast.held(tmp_path / "a", study)
            return alone, await held(tmp_path / "b", study, near(hired))

    alone, together = do(scene())
    assert cast.rows(tmp_path / "a") == cast.rows(tmp_path / "b")
    assert together == alone
    assert len(hired) == 2


def test_a_lost_workers_talks_go_on_from_their_last_stored_turn(tmp_path, do):
    hired, seen = [], []

    def watch(progress):
        seen.append(progress.turns)
        if progress.turns in (7, 15):
            hired[-1].kill()

    async def slow(_request):
        await asyncio.sleep(0.01)
        return fake.completion("Reply.")

    async def scene():
        async with fake.serving(default=slow) as server:
            target = cast.served(server.base)
            study = cast.study(*REFERENCES, target, turns=6, seeds=(1, 2, 3), limits=cast.limits())
            await cast.held(tmp_path / "a", study)
            before = len(server.ledger)
            together = await held(tmp_path / "b", study, near(hired), watch)
            return together, len(server.ledger) - before

    together, requests = do(scene())
    assert cast.rows(tmp_path / "a") == cast.rows(tmp_path / "b")
    assert (together.complete, together.planned) == (12, 12)
    assert len(hired) == 4
    assert seen[-1] == 12 * 6  # no turn was told, or stored, twice
    # A call that was under way is asked again; nothing else is.
    with StoredRun(tmp_path / "b") as run:
        doubt = run.in_doubt({}).calls
    assert 18 <= requests <= together.calls == 18 + doubt
    assert doubt <= 2 * 4


def test_an_answer_that_a_lost_worker_got_is_not_paid_for_again(tmp_path, do, monkeypatch):
    hired, lost = [], []
    real = Worker.append

    async def append(self, trial, turn):
        if turn.index == 2 and not lost:
            lost.append(trial)
            next(line for line in hired if line.worker is self).kill()
            await asyncio.sleep(60)
        await real(self, trial, turn)

    monkeypatch.setattr(Worker, "append", append)

    async def scene():
        async with fake.serving() as server:
            study = cast.study(cast.served(server.base), seeds=(1,), limits=cast.limits())
            return await held(tmp_path, study, near(hired)), len(server.ledger)

    summary, requests = do(scene())
    assert lost
    assert (summary.complete, summary.calls, requests) == (1, 3, 3)


def test_one_limiter_holds_for_all_workers(tmp_path, do):
    async def scene():
        async def slow(_request):
            await asyncio.sleep(0.02)
            return fake.completion("Reply.")

        async with fake.serving(default=slow) as server:
            study = cast.study(
                cast.served(server.base), seeds=tuple(range(8)), limits=cast.limits(in_flight=3)
            )
            return await held(tmp_path, study, near([])), server.peak

    summary, peak = do(scene())
    assert summary.complete == 8
    assert peak == 3


def test_one_budget_holds_for_all_workers_and_a_local_run_goes_on(tmp_path, do):
    async def scene():
        async with fake.serving() as server:
            study = cast.study(cast.served(server.base), seeds=(1, 2, 3, 4), limits=cast.limits(max_calls=7))
            first = await held(tmp_path, study, near([]))
            asked = len(server.ledger)
            more = study.model_copy(update={"limits": cast.limits()})
            with cast.opened_with(tmp_path, more, lambda _: []) as store:
                second = await batch.run_trials(more, cast.planned(more), store, cast.HashReader())
            return first, asked, second, len(server.ledger)

    first, asked, second, requests = do(scene())
    assert (first.limit, first.calls, asked) == ("limit max_calls 7 reached", 7, 7)
    assert (second.complete, requests) == (4, 12)


def test_a_wrong_key_is_found_once_for_all_workers(tmp_path, do):
    async def scene():
        async with fake.serving(default=lambda r: fake.error(401, "bad key")) as server:
            study = cast.study(cast.served(server.base), seeds=tuple(range(10)), limits=cast.limits())
            return await held(tmp_path, study, near([])), len(server.ledger)

    summary, requests = do(scene())
    assert (summary.failed, requests, summary.calls) == (10, 1, 1)


def test_a_stop_begins_no_call_and_keeps_every_turn(tmp_path, do):
    async def scene():
        async def slow(_request):
            await asyncio.sleep(0.1)
            return fake.completion("Reply.")

        async with fake.serving(default=slow) as server:
            study = cast.study(
                "echosim/corrector",
                cast.served(server.base),
                turns=40,
                seeds=(1, 2, 3, 4),
                limits=cast.limits(),
            )
            turns = []
            work = asyncio.create_task(
                held(tmp_path, study, near([], concurrency=3), lambda p: turns.append(p.turns))
            )
            while not server.ledger or not turns:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.15)
            asked, start = len(server.ledger), time.monotonic()
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            return asked, len(server.ledger), time.monotonic() - start, turns[-1]

    asked, requests, seconds, told = do(scene())
    assert asked <= requests <= asked + 3  # those on their way to the server when it was stopped
    assert seconds < 3
    with StoredRun(tmp_path) as run:
        transcripts = list(run.transcripts())
        assert run.in_doubt({}).calls == 0
    stored = [len(one.turns) for one in transcripts if one.trial.target == "local"]
    assert sum(stored) == requests
    assert sum(len(one.turns) for one in transcripts) == told


def test_a_talk_that_kills_its_worker_fails_alone(tmp_path, do, monkeypatch):
    hired = []
    real = Worker._hold

    async def deadly(self, begin):
        if begin.trial.target == "sycophant" and begin.trial.seed == 1 and len(begin.turns) == 0:
            while (
                len(self._talks) > 1
            ):  # the others on it end first: a loss without a turn counts for them, too
                await asyncio.sleep(0.01)
            next(line for line in hired if line.worker is self).kill()
        await real(self, begin)

    monkeypatch.setattr(Worker, "_hold", deadly)
    summary = do(held(tmp_path, cast.study(*REFERENCES), near(hired)))
    assert (summary.complete, summary.failed) == (5, 1)
    assert summary.reasons[0][1] == "internal: 3 workers in a row were lost with it: killed"


class Unable(NearLine):
    async def start(self):
        raise EncoderError("worker on there: no encoder")


class Stillborn(NearLine):
    async def start(self):
        raise pool.LostError("out of memory")


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        (Unable, EncoderError, "worker on there: no encoder"),
        (Stillborn, InputError, "workers die before they say a word: out of memory"),
    ],
)
def test_where_no_worker_can_work_the_run_ends_and_says_why(tmp_path, do, line, error, words):
    study = cast.study(*REFERENCES)
    with pytest.raises(error, match=words):
        do(held(tmp_path, study, near([], line)))
    assert do(cast.held(tmp_path, study)).complete == 6


def test_a_worker_that_reads_otherwise_is_not_worked_with(tmp_path, do):
    class Other(cast.HashReader):
        identity = "another-reader"

    async def scene():
        study = cast.study(*REFERENCES)
        with cast.opened(tmp_path, study) as store:
            return await batch.run_trials(study, cast.planned(study), store, Other(), engine=near([]))

    with pytest.raises(InputError, match="hash-reader, the run has another-reader"):
        do(scene())


def test_trouble_with_the_disc_ends_the_run(tmp_path, do, monkeypatch):
    from echosim.running.store import RunStore

    async def full(self, trial, turn):
        raise StorageError("disc full")

    monkeypatch.setattr(RunStore, "append", full)
    with pytest.raises(StorageError, match="disc full"):
        do(held(tmp_path, cast.study(*REFERENCES), near([])))


def test_a_talk_out_of_time_gives_its_room_back(tmp_path, do):
    async def scene():
        async with fake.serving(fake.hang) as server:
            bounds = cast.limits(in_flight=1, trial_timeout=0.5, timeout=20)
            study = cast.study(cast.served(server.base), limits=bounds)
            return await held(tmp_path, study, near([], size=1, concurrency=1)), len(server.ledger)

    summary, requests = do(scene())
    assert summary.reasons == (("limited", "limit trial_timeout 0.5 reached", 1),)
    assert (summary.complete, summary.calls, requests) == (1, 4, 4)


def test_no_worker_gets_more_talks_than_it_may_have(tmp_path, do):
    most = []

    def watch(_progress):
        most.append(max(len(line.worker._talks) for line in hired if line.worker))

    hired = []
    summary = do(
        held(tmp_path, cast.study(*REFERENCES, seeds=tuple(range(6))), near(hired, concurrency=2), watch)
    )
    assert summary.complete == 18
    assert max(most) == 2

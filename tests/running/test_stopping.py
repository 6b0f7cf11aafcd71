import asyncio
import os
import signal
import threading
import time

import cast
import fake_server as fake
import pytest

from echosim.running import batch, events
from echosim.running.stopping import Stop, in_a_loop, in_a_thread
from echosim.running.stored_run import StoredRun


class Work:
    """Goes on until it is stopped; the first time it takes its leave, and notes how it went."""

    def __init__(self, leave=0.0):
        self.begun = threading.Event()
        self.noted = []
        self._leave = leave

    async def hold(self):
        try:
            self.begun.set()
            await asyncio.sleep(120)
        except asyncio.CancelledError:
            self.noted.append("in order")
            try:
                await asyncio.sleep(self._leave)
                self.noted.append("left")
            except asyncio.CancelledError:
                self.noted.append("at once")
            raise


async def answer():
    await asyncio.sleep(0)
    return 42


async def broken():
    raise ValueError("broken")


def within(work, stop=None):
    async def loop_that_runs():
        return in_a_loop(work, stop)

    return asyncio.run(loop_that_runs())


@pytest.mark.parametrize("held", [in_a_loop, within])
def test_the_result_or_the_error_of_the_work(held):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert held(answer()) == 42
    with pytest.raises(ValueError, match="broken"):
        held(broken())
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("held", [in_a_loop, within])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_in_order(held, number):
    work = Work()
    after(work.begun, lambda: os.kill(os.getpid(), number))
    with pytest.raises(KeyboardInterrupt):
        held(work.hold())
    assert work.noted == ["in order", "left"]


@pytest.mark.parametrize("held", [in_a_loop, within])
def test_a_second_signal_stops_at_once(held):
    work = Work(leave=120)

    def twice():
        os.kill(os.getpid(), signal.SIGINT)
        while not work.noted:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    after(work.begun, twice)
    with pytest.raises(KeyboardInterrupt):
        held(work.hold())
    assert work.noted == ["in order", "at once"]


def test_a_third_wish_changes_nothing_and_the_second_is_told():
    told = []
    stop = Stop(at_once=lambda: told.append(stop.asked))
    work = Work(leave=120)
    for _ in range(3):
        stop.ask()
    with pytest.raises(KeyboardInterrupt):
        in_a_loop(work.hold(), stop)
    assert told == [2]
    assert work.noted == ["in order", "at once"]


def test_two_wishes_at_a_time_are_not_taken_for_one():
    stop, work = Stop(), Work(leave=120)
    after(work.begun, lambda: (stop.ask(), stop.ask()))
    with pytest.raises(KeyboardInterrupt):
        in_a_loop(work.hold(), stop)
    assert work.noted == ["in order", "at once"]


def test_work_that_cancels_itself_was_not_interrupted():
    async def own():
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        in_a_loop(own())


def test_a_signal_that_the_process_ignores_stays_ignored():
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:

        async def hit():
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)
            return 1

        assert in_a_loop(hit()) == 1
    finally:
        signal.signal(signal.SIGINT, former)


def test_before_any_loop_a_signal_is_an_interrupt_and_counts():
    stop = Stop()

    def early():
        with stop.on_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        early()
    assert stop.asked == 1
    with pytest.raises(KeyboardInterrupt):
        stop.check()


def test_off_the_main_thread_work_can_be_held_too():
    held = []
    thread = threading.Thread(target=lambda: held.append(in_a_loop(answer())))
    thread.start()
    thread.join()
    assert held == [42]


# --- next to other tasks ------------------------------------------------------------------------


def test_in_a_thread_gives_result_and_error():
    assert asyncio.run(in_a_thread(lambda: 7, Stop())) == 7

    def broken():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(in_a_thread(broken, Stop()))


@pytest.mark.parametrize(("cancels", "noted"), [(1, ["in order", "left"]), (5, ["in order", "at once"])])
def test_cancelling_waits_for_the_end_that_it_asks_for(cancels, noted):
    stop, work = Stop(), Work(leave=0.2 if cancels == 1 else 120)

    async def scene():
        task = asyncio.create_task(in_a_thread(lambda: in_a_loop(work.hold(), stop), stop))
        while not work.begun.is_set():
            await asyncio.sleep(0.01)
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(0.02)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    assert work.noted == noted


def test_a_timeout_around_it_stays_a_timeout():
    stop, work = Stop(), Work()

    async def scene():
        async with asyncio.timeout(0.2):
            await in_a_thread(lambda: in_a_loop(work.hold(), stop), stop)

    with pytest.raises(TimeoutError):
        asyncio.run(scene())
    assert work.noted == ["in order", "left"]


# --- a batch ------------------------------------------------------------------------------------


class Stage:
    """A batch before a server that holds replies back until it is told; the first is given at once."""

    def __init__(self, folder, **limits):
        self.folder = folder
        self.limits = cast.limits(**{"in_flight": 3, "timeout": 60, **limits})
        self.heard = []
        self.port = 0

    def begin(self):
        self.release, self.full = asyncio.Event(), asyncio.Event()
        return asyncio.create_task(self.hold())

    async def reply(self, _request):
        if len(self.server.ledger) > 1:
            if self.server._now == 3:
                self.full.set()
            await self.release.wait()
        return fake.web.json_response(fake.completion("Well."))

    async def hold(self):
        async with fake.serving(default=self.reply, port=self.port) as self.server:
            study = cast.study(cast.served(self.server.base), seeds=tuple(range(8)), limits=self.limits)
            trials = cast.planned(study)
            try:
                with cast.opened(self.folder, study) as store:
                    return await batch.run_trials(
                        study, trials, store, cast.HashReader(), on_event=self.heard.append
                    )
            finally:
                self.release.set()
                await asyncio.sleep(0.05)  # so that the server's tasks end

    def stored(self):
        with StoredRun(self.folder) as run:
            return sum(len(found.turns) for found in run.transcripts()), run.in_doubt({}).calls


def test_a_stop_lets_calls_under_way_end_and_begins_none(tmp_path):
    stage = Stage(tmp_path)

    async def scene():
        task = stage.begin()
        await stage.full.wait()
        asked = len(stage.server.ledger)
        task.cancel()
        await asyncio.sleep(0.3)
        stage.release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asked

    asked = asyncio.run(scene())
    assert len(stage.server.ledger) == asked  # every slot was taken, so one more would be a new call
    assert stage.stored() == (asked, 0)
    assert [event for event in stage.heard if isinstance(event, events.Stopping)] == [
        events.Stopping(batch.GRACE)
    ]
    again = Stage(tmp_path)
    again.port = int(stage.server.base.split(":")[2].split("/")[0])

    async def rest():
        task = again.begin()
        again.release.set()
        return await task

    assert asyncio.run(rest()).complete == 8
    assert len(again.server.ledger) + asked == 24
    assert again.stored() == (24, 0)
    assert again.heard[0] == events.Started("roofs", 8, 0)


def test_what_is_not_answered_within_the_grace_is_in_doubt(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "GRACE", 0.2)
    stage = Stage(tmp_path)

    async def scene():
        task = stage.begin()
        await stage.full.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    turns, doubt = stage.stored()
    assert doubt == 3
    assert turns + doubt == len(stage.server.ledger)


def test_cancelling_twice_does_not_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "GRACE", 600.0)
    stage = Stage(tmp_path)

    async def scene():
        task = stage.begin()
        await stage.full.wait()
        task.cancel()
        await asyncio.sleep(0.1)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    assert stage.stored()[1] == 3


def test_a_call_that_waits_for_the_budget_is_not_made_after_a_stop(tmp_path):
    """A few calls reserve all that may be spent; the others wait for what they give back."""
    stage = Stage(tmp_path, max_tokens=3_000, in_flight=8)

    async def scene():
        task = stage.begin()
        await stage.full.wait()
        await asyncio.sleep(0.2)
        asked = len(stage.server.ledger)
        assert asked < 9
        task.cancel()
        await asyncio.sleep(0.1)
        stage.release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asked

    assert asyncio.run(scene()) == len(stage.server.ledger)


def test_a_listener_that_breaks_ends_the_run_and_fails_no_trial(tmp_path, do):
    def picky(now):
        if now.turns == 2:
            raise RuntimeError("no more room on the wall")

    with pytest.raises(RuntimeError, match="wall"):
        do(cast.held(tmp_path, cast.study("echosim/corrector"), picky))
    with StoredRun(tmp_path) as run:
        assert run.counts()["failed"] == 0
    assert do(cast.held(tmp_path, cast.study("echosim/corrector"))).complete == 2


def after(begun, act):
    """Do this in a thread once the work has begun."""

    def wait():
        assert begun.wait(60)
        act()

    threading.Thread(target=wait, daemon=True).start()

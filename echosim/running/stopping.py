"""How work is asked to stop, by a signal, another thread or a cancelled task: once in order, twice at once.

Work that runs in an event loop is asked by cancelling it. What it does about the first time is its own
affair; a batch lets the calls under way end (see batch.GRACE).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent import futures
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

_AWAKE = 0.05
"""Seconds that a thread waits at a time: a signal just before it begins to wait would not wake it."""
_BETWEEN = 0.05
"""Seconds from the first cancellation to the second where both are wanted: two at a time would be one."""


class Stop:
    """A wish that a run ends.

    Args:
        at_once: called when it is wished the second time, in the thread, or the signal handler, that does.

    Attributes:
        asked: how often it was wished.
    """

    def __init__(self, at_once: Callable[[], None] = lambda: None) -> None:
        self.asked = 0
        self._at_once = at_once
        self._wake: Callable[[], None] | None = None
        self._heeded = False

    def ask(self) -> None:
        """Wish for an end in order; the second time for one at once. More often changes nothing."""
        self.asked += 1
        if self.asked == 2:
            self._at_once()
        wake = self._wake
        if wake is not None:
            with contextlib.suppress(RuntimeError):  # its loop has come to an end meanwhile
                wake()

    def check(self) -> None:
        """Where work is no coroutine, between two of its steps.

        Raises:
            KeyboardInterrupt: an end is wished for.
        """
        if self.asked:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM wish for an end, as long as this lasts.

        Where no event loop heeds it, they raise KeyboardInterrupt as well. Signals that the process was
        told to ignore stay ignored; off the main thread, where no signal arrives, this does nothing.
        """
        former: dict[signal.Signals, Any] = {}

        def ask(_number: int, _frame: FrameType | None) -> None:
            self.ask()
            if not self._heeded:
                raise KeyboardInterrupt

        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    former[number] = signal.signal(number, ask)
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def hold(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of this work in an event loop of its own, in this thread.

        Raises:
            KeyboardInterrupt: it was cancelled because an end was wished for.
        """
        try:
            return asyncio.run(self._cancelled_on_wish(work))
        except asyncio.CancelledError:
            self.check()
            raise

    @contextlib.contextmanager
    def heeded(self) -> Iterator[None]:
        """As long as this lasts, signals leave it to an event loop to end."""
        self._heeded = True
        try:
            yield
        finally:
            self._heeded = False

    async def _cancelled_on_wish(self, work: Coroutine[Any, Any, T]) -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        passed_on, resting = 0, False

        def pass_on() -> None:
            nonlocal passed_on, resting
            if task is not None and not resting and passed_on < min(self.asked, 2):
                passed_on, resting = passed_on + 1, True
                task.cancel()
                loop.call_later(_BETWEEN, rested)

        def rested() -> None:
            nonlocal resting
            resting = False
            pass_on()

        def stay_awake() -> None:
            loop.call_later(_AWAKE, stay_awake)

        def wake() -> None:
            loop.call_soon_threadsafe(pass_on)

        self._wake = wake
        pass_on()
        stay_awake()
        try:
            return await work
        finally:
            self._wake = None


def in_a_loop(work: Coroutine[Any, Any, T], stop: Stop | None = None) -> T:
    """The result of this work, in a thread of its own where an event loop is running already.

    Args:
        work: cancelled by Ctrl-C and SIGTERM, and once more by the next one.
        stop: what else cancels it.

    Raises:
        KeyboardInterrupt: it was cancelled so.
    """
    stop = stop or Stop()
    with stop.heeded(), stop.on_signals():
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return stop.hold(work)
        # This may be the main thread, and signals come to that one alone: it waits, and passes them on.
        held = _begun(lambda: stop.hold(work))
        while not held.done():
            futures.wait((held,), _AWAKE)
        return held.result()


async def in_a_thread(work: Callable[[], T], stop: Stop) -> T:
    """The result of this work in a thread of its own, next to the tasks of the running loop.

    Cancelling wishes for an end and waits for it, so that nothing is left behind; once more wishes for it
    at once.
    """
    held = _begun(work)
    done = asyncio.wrap_future(held)
    cancelled: asyncio.CancelledError | None = None
    while not done.done():
        try:
            await asyncio.wait({done})
        except asyncio.CancelledError as error:
            cancelled = error
            stop.ask()
    if cancelled is not None:
        raise cancelled from done.exception()
    return done.result()


def _begun(work: Callable[[], T]) -> futures.Future[T]:
    """Begin this work in a thread that keeps no process alive: a run survives being cut off."""
    held: futures.Future[T] = futures.Future()
    held.set_running_or_notify_cancel()

    def hold() -> None:
        try:
            held.set_result(work())
        except BaseException as error:
            held.set_exception(error)

    threading.Thread(target=hold, name="echosim-run", daemon=True).start()
    return held

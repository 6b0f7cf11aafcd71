"""The run's half of work that is done elsewhere: one limiter, one budget, one store for all workers.

A conversation belongs to one worker. Where that is lost, it goes on elsewhere from its last stored turn, and
hears again what was answered since; calls that were under way there count as paid for, and stay in doubt in
the log.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from echosim.errors import EchosimError, InputError, LimitReachedError
from echosim.records import Trial, Turn
from echosim.running.batch import EngineError
from echosim.running.chat import Chat, StoppedError
from echosim.running.conversation import Ending, Keeps
from echosim.running.engines.messages import (
    Answer,
    Ask,
    Begin,
    Drop,
    Ended,
    FromWorker,
    Go,
    Sent,
    Store,
    ToWorker,
    Withdraw,
)
from echosim.running.outcomes import Attempt
from echosim.study_records import Study

LOSSES = 3
"""Workers that a conversation may lose in a row without a finished turn, and a place without any word."""
_SILENT = 30.0
"""Seconds beyond its deadline after which a request is given up, whatever its worker does."""
_AGAIN = 0.5
"""Seconds before a lost worker is replaced."""

_log = logging.getLogger("echosim")


class LostError(Exception):
    """A worker is gone, and why."""


class Line(Protocol):
    """One worker, as the run reaches it."""

    async def start(self) -> None:
        """Returns when the worker can work.

        Raises:
            EchosimError: it never can.
            LostError: it is gone.
        """
        ...

    def send(self, messages: Sequence[ToWorker]) -> None:
        """Tell it; a worker that is gone hears nothing."""
        ...

    async def receive(self) -> Sequence[FromWorker]:
        """What it says next.

        Raises:
            LostError: it is gone.
        """
        ...

    def dismiss(self) -> None:
        """End it."""
        ...


class Pool:
    """Workers, and the conversations that they hold; belongs to the run's event loop.

    Args:
        study: the resolved study.
        chat: of the run; asks through the workers.
        keeps: the run's store.
        hire: makes a new worker.
        size: workers, at least 1.
        concurrency: conversations alive at once on one of them; None means no bound.
    """

    def __init__(
        self,
        study: Study,
        chat: Chat,
        keeps: Keeps,
        hire: Callable[[], Line],
        size: int,
        concurrency: int | None = None,
    ) -> None:
        self._study = study
        self._chat = chat
        self._keeps = keeps
        self._hire = hire
        self._size = size
        self._concurrency = concurrency
        self._staff: list[_Staff] = []
        self._changed = asyncio.Condition()
        self._broken: EchosimError | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Pool:
        self._tasks = [asyncio.create_task(self._employ()) for _ in range(self._size)]
        self._tasks.append(asyncio.create_task(self._wake_on_stop()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def hold(self, trial: Trial, turns: Sequence[Turn]) -> Ending:
        """Hold a conversation from these turns on, on as many workers as it takes.

        Raises:
            StoppedError: the run is being stopped; the trial stays unfinished.
            StorageError: a turn could not be stored.
            EngineError: no worker can work, from the reason.
        """
        stored, losses = list(turns), 0
        while True:
            talk, before = _Talk(trial, stored), len(stored)
            self._chat.again(trial.id)
            staff = await self._place(talk)
            try:
                return await talk.ended
            except LostError as lost:
                losses = 1 if len(stored) > before else losses + 1
                if losses == LOSSES:
                    reason = f"internal: {LOSSES} workers in a row were lost with it: {lost}"
                    return Ending("failed", reason, resumable=True, returned_model=None)
            finally:
                await self._free(staff, talk)

    async def _place(self, talk: _Talk) -> _Staff:
        """Give a conversation to the worker with the fewest; waits for one that has room."""
        async with self._changed:
            while True:
                if self._broken is not None:
                    raise EngineError from self._broken
                if self._chat.is_stopping:
                    raise StoppedError
                staff = min(self._staff, key=lambda one: len(one.talks), default=None)
                if staff is not None and len(staff.talks) < (self._concurrency or len(staff.talks) + 1):
                    staff.begin(talk)
                    return staff
                await self._changed.wait()

    async def _free(self, staff: _Staff, talk: _Talk) -> None:
        staff.forget(talk)
        async with self._changed:
            self._changed.notify_all()

    async def _employ(self) -> None:
        """Keep one place filled."""
        losses = 0
        while True:
            staff, why = _Staff(self._hire(), self._study, self._chat, self._keeps), "let go"
            try:
                await staff.line.start()
                self._staff.append(staff)
                async with self._changed:
                    self._changed.notify_all()
                await staff.serve()
            except LostError as lost:
                losses = 1 if staff.heard else losses + 1
                why = str(lost)
                _log.warning("a worker was lost: %s; its conversations go on elsewhere", why)
                if losses == LOSSES:
                    await self._break(InputError(f"workers die before they say a word: {why}"))
                    return
            except EchosimError as error:
                await self._break(error)
                return
            finally:
                if staff in self._staff:
                    self._staff.remove(staff)
                await staff.leave(why)
            await asyncio.sleep(_AGAIN)

    async def _break(self, error: EchosimError) -> None:
        self._broken = error
        async with self._changed:
            self._changed.notify_all()

    async def _wake_on_stop(self) -> None:
        await self._chat.stopped()
        async with self._changed:
            self._changed.notify_all()


@dataclass(slots=True)
class _Talk:
    """A conversation that a worker holds.

    Attributes:
        trial: which.
        turns: stored so far; grows.
        ended: how it ended, or why nobody will know from this worker.
    """

    trial: Trial
    turns: list[Turn]
    ended: asyncio.Future[Ending] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, error: Exception) -> None:
        """End it so, unless it has ended."""
        if not self.ended.done():
            self.ended.set_exception(error)


class _Staff:
    """One worker: the conversations that it holds, and what is being done for them here."""

    def __init__(self, line: Line, study: Study, chat: Chat, keeps: Keeps) -> None:
        self.line = line
        self.talks: dict[str, _Talk] = {}
        self.heard = False
        self._models = study.models
        self._chat = chat
        self._keeps = keeps
        self._asks: dict[int, asyncio.Task[None]] = {}
        self._stores: set[asyncio.Task[None]] = set()
        self._sent: dict[int, asyncio.Future[Attempt]] = {}
        self._to_say: list[ToWorker] = []

    def begin(self, talk: _Talk) -> None:
        """Let it hold this conversation."""
        self.talks[talk.trial.id] = talk
        self._say(Begin(talk.trial, tuple(talk.turns)))

    def forget(self, talk: _Talk) -> None:
        """Nobody waits for this conversation any more."""
        del self.talks[talk.trial.id]
        if talk.ended.cancelled() or (talk.ended.done() and talk.ended.exception() is not None):
            self._say(Drop(talk.trial.id))

    async def serve(self) -> None:
        """Heed what it says, until it is lost.

        Raises:
            LostError: always, in the end.
        """
        while True:
            for message in await self.line.receive():
                self.heard = True
                self._heed(message)

    async def leave(self, why: str) -> None:
        """It is gone: what it waited for is given up, what was being written is written to the end."""
        for ask in self._asks.values():
            ask.cancel()
        await asyncio.gather(*self._asks.values(), *self._stores, return_exceptions=True)
        for talk in self.talks.values():
            talk.fail(LostError(why))
        self.line.dismiss()

    def _heed(self, message: FromWorker) -> None:
        match message:
            case Ask(number, _, _, _):
                ask = self._asks[number] = asyncio.create_task(self._ask(message))
                ask.add_done_callback(lambda _: self._asks.pop(number))
            case Sent(number, attempt):
                if (waiting := self._sent.get(number)) is not None and not waiting.done():
                    waiting.set_result(attempt)
            case Withdraw(number):
                if number in self._asks:
                    self._asks[number].cancel()
            case Store(_, _, _):
                store = asyncio.create_task(self._store(message))
                self._stores.add(store)
                store.add_done_callback(self._stores.discard)
            case Ended(trial, ending):
                talk = self.talks.get(trial)
                if talk is None or talk.ended.done():
                    return
                if ending is None:
                    talk.fail(StoppedError())
                else:
                    talk.ended.set_result(ending)

    async def _ask(self, asked: Ask) -> None:
        if asked.trial in self.talks:
            send = functools.partial(self._request, asked.number)
            target = self._models[asked.model]
            await self._answer(asked, self._chat.ask_paid(target, asked.prompt, send, trial=asked.trial))

    async def _request(self, number: int, seconds: float) -> Attempt:
        """One request, made by the worker."""
        waiting = self._sent[number] = asyncio.get_running_loop().create_future()
        self._say(Go(number, seconds))
        try:
            async with asyncio.timeout(seconds + _SILENT):
                attempt: Attempt = await waiting
                return attempt
        except TimeoutError:
            return Attempt("transient", detail="the worker did not answer", may_be_billed=True)
        finally:
            del self._sent[number]

    async def _store(self, done: Store) -> None:
        talk = self.talks.get(done.trial)
        if talk is not None:
            await self._answer(done, self._stored(talk, done.turn))

    async def _stored(self, talk: _Talk, turn: Turn) -> None:
        await self._keeps.append(talk.trial.id, turn)
        talk.turns.append(turn)
        if self._chat.is_stopping and turn.index < talk.trial.turns:
            raise StoppedError

    async def _answer(self, question: Ask | Store, work: Coroutine[Any, Any, Any]) -> None:
        """Tell the worker what came of it; trouble that is the run's own ends the conversation here."""
        try:
            self._say(Answer(question.number, await work))
        except (LimitReachedError, StoppedError) as error:
            self._say(Answer(question.number, error=error))
        except Exception as error:
            if question.trial in self.talks:
                self.talks[question.trial].fail(error)

    def _say(self, message: ToWorker) -> None:
        """What is said in one step of the loop goes in one piece."""
        if not self._to_say:
            asyncio.get_running_loop().call_soon(self._send)
        self._to_say.append(message)

    def _send(self) -> None:
        messages, self._to_say = self._to_say, []
        self.line.send(messages)

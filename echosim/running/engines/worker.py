"""A worker's half of a run: it holds conversations and makes requests, and decides nothing.

An own event loop, an own encoder, own connections. Whether a request may be made, and whether one more is
worth it, is asked of the run; a turn counts once the run has stored it.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from echosim.errors import InputError
from echosim.protocols import TargetRequest
from echosim.records import Turn
from echosim.running.asking import Prompt, Reply, Send
from echosim.running.batch import broken
from echosim.running.chat import StoppedError, ask_built_in, check_targets, composed
from echosim.running.conversation import hold
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
from echosim.running.settings import Settings
from echosim.running.wire import Wire
from echosim.study_records import Study, TargetSpec

if TYPE_CHECKING:
    from echosim.reading.perception import StanceReader


def stance_reader(encoder: str | None, threads: int) -> StanceReader:
    """The reader on this encoder; None for the default.

    Args:
        encoder: model name or folder.
        threads: that torch computes with: last bits of vectors may depend on them.
    """
    from echosim.reading.embedding import load_encoder
    from echosim.reading.perception import StanceReader

    return StanceReader(load_encoder(encoder, threads))


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is hired for; holds names of environment variables and never their values.

    Attributes:
        study: the resolved study.
        make_reader: makes the reader, by a name that can be imported on the worker's machine.
        reader: identity that it must have.
    """

    study: Study
    make_reader: Callable[[], StanceReader]
    reader: str


class Worker:
    """Holds conversations for a run; belongs to one event loop.

    Args:
        order: what for.

    Raises:
        InputError: a key or a provider is missing here, or replies would be read otherwise than at the run.
        PluginError: a user, arm, monitor or target is not installed here.
        EncoderError: no encoder here.
    """

    def __init__(self, order: Order) -> None:
        study = order.study
        check_targets(study.models)
        reader = order.make_reader()
        if reader.identity != order.reader:
            raise InputError(
                f"reads replies otherwise than the run does ({reader.identity}, the run has {order.reader}); "
                "install the same version of echosim and the same encoder on every machine"
            )
        reader.prepare(study.personas)
        self._settings = Settings(study, reader)
        self._models: dict[TargetSpec, int] = {model: place for place, model in enumerate(study.models)}
        self._wire = Wire()
        self._numbers = itertools.count()
        self._sends: dict[int, Send] = {}
        self._requests: dict[int, asyncio.Task[None]] = {}
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._talks: dict[str, asyncio.Task[None]] = {}
        self._said: list[FromWorker] = []
        self._something = asyncio.Event()

    # --- what the run says, and hears -----------------------------------------------------------

    def take(self, messages: Sequence[ToWorker]) -> None:
        """Heed what the run says."""
        for message in messages:
            match message:
                case Begin(trial, _):
                    self._talks[trial.id] = asyncio.create_task(self._hold(message))
                case Go(number, seconds):
                    if number in self._sends:
                        self._requests[number] = asyncio.create_task(self._request(number, seconds))
                case Answer(number, value, error):
                    waiting = self._answers.get(number)
                    if waiting is None or waiting.done():
                        continue
                    if error is None:
                        waiting.set_result(value)
                    else:
                        waiting.set_exception(error)
                case Drop(trial):
                    if (talk := self._talks.get(trial)) is not None:
                        talk.cancel()

    async def give(self) -> list[FromWorker]:
        """What there is to tell the run; waits until there is something."""
        await self._something.wait()
        self._something.clear()
        said, self._said = self._said, []
        return said

    def _say(self, message: FromWorker) -> None:
        self._said.append(message)
        self._something.set()

    async def _answer(self, question: Ask | Store) -> Any:
        waiting = self._answers[question.number] = asyncio.get_running_loop().create_future()
        self._say(question)
        try:
            return await waiting
        finally:
            del self._answers[question.number]

    # --- conversations --------------------------------------------------------------------------

    async def _hold(self, begin: Begin) -> None:
        trial = begin.trial
        try:
            ending = await hold(trial, self._settings.of(trial), self, self, begin.turns)
        except StoppedError:
            ending = None
        except Exception as error:
            ending = broken(error)
        finally:
            del self._talks[trial.id]
        self._say(Ended(trial.id, ending))

    async def append(self, trial: str, turn: Turn) -> None:
        """Returns when the run has stored the turn.

        Raises:
            StoppedError: it has, and is being stopped.
        """
        await self._answer(Store(next(self._numbers), trial, turn))

    async def ask(
        self, target: TargetSpec, request: TargetRequest, system_prompt: str | None = None, *, trial: str
    ) -> Reply:
        """The target's next reply, as `Chat.ask` gives it.

        Raises:
            LimitReachedError: the run's budget does not allow this call.
            StoppedError: the run is being stopped.
        """
        messages = composed(target, request, system_prompt)
        if target.is_reference:
            return await ask_built_in(target, request, messages)
        number = next(self._numbers)
        self._sends[number] = functools.partial(self._wire.ask, target, messages)
        try:
            reply: Reply = await self._answer(
                Ask(number, trial, self._models[target], Prompt.of(target, request, messages))
            )
        except asyncio.CancelledError:
            self._say(Withdraw(number))
            raise
        finally:
            del self._sends[number]
            if (under_way := self._requests.get(number)) is not None:
                under_way.cancel()
        return reply

    async def _request(self, number: int, seconds: float) -> None:
        try:
            self._say(Sent(number, await self._sends[number](seconds)))
        finally:
            del self._requests[number]

"""All trials of a study on one event loop: bounded workers, safe stop, nothing done twice."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from echosim.errors import StorageError
from echosim.inputs.secret_text import secret_values
from echosim.protocols import Reader
from echosim.records import Trial, Turn
from echosim.running.budget import Budget
from echosim.running.chat import REFERENCE_SERVER, Chat, StoppedError, check_targets
from echosim.running.conversation import Ending, Keeps, hold
from echosim.running.events import Ended, LimitReached, Started, Stopping, Tell, ToldCalls, Totals, TrialEnded
from echosim.running.lanes import lanes
from echosim.running.outcomes import redact
from echosim.running.settings import Settings
from echosim.running.store import RunStore
from echosim.running.stored_run import StoredRun
from echosim.study_records import Study

T = TypeVar("T")

Hold = Callable[[Trial, Sequence[Turn]], Awaitable[Ending]]
"""Holds a conversation from these turns on; see `conversation.hold`."""
Engine = Callable[[Study, Reader, Chat, Keeps], AbstractAsyncContextManager[Hold]]
"""Where conversations are held: in this process (`here`), or in others. What asks, spends and stores is one
for all of them.
"""

REFERENCE_WORKERS = 64
"""Conversations alive at once where no call leaves the machine."""
GRACE = 10.0
"""Seconds that calls under way get after a stop."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        planned: trials of the study.
        done: trials that have ended, earlier sessions included.
        turns: turns held in this session.
        left: turns that are still to be held, at most.
        calls: paid requests that have come back, of all sessions.
        cost: US dollars of these; None where a paid model has no price.
        failures: (kind, trials) in this session: limited, refused, and failed by outcome.
        preparing: (personas calibrated, personas in all) before the first turn, else None.
    """

    planned: int
    done: int
    turns: int
    failures: tuple[tuple[str, int], ...] = ()
    preparing: tuple[int, int] | None = None
    left: int = 0
    calls: int = 0
    cost: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Summary(Totals):
    """What a run has come to, and why it is not complete.

    Attributes:
        limit: which limit stopped the run, or None.
        reasons: (status, reason, trials) of what is not complete, the most frequent first.
    """

    limit: str | None
    reasons: tuple[tuple[str, str, int], ...]


class EngineError(Exception):
    """An engine holds no conversation any more, for the reason that this was raised from."""


@asynccontextmanager
async def here(study: Study, reader: Reader, chat: Chat, keeps: Keeps) -> AsyncIterator[Hold]:
    """The local engine: all conversations on this event loop."""
    settings = Settings(study, reader)

    async def held(trial: Trial, turns: Sequence[Turn]) -> Ending:
        return await hold(trial, settings.of(trial), chat, keeps, turns)

    yield held


async def run_trials(
    study: Study,
    trials: Sequence[Trial],
    store: RunStore,
    reader: Reader,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_event: Tell = lambda _: None,
    engine: Engine = here,
) -> Summary:
    """Hold every trial that is not finished yet.

    Cancelling stops it in order: no call begins any more, and those under way get `GRACE` seconds to end and
    be stored. Cancelling again stops it at once. What is stored stays, and the same call again resumes.

    Args:
        study: the resolved study.
        trials: all its trials, in the order of the plan.
        store: the run folder, open for writing.
        reader: how the users read replies.
        on_progress: called after each turn and each ended trial.
        on_event: called with what happens besides. What either raises ends the run.
        engine: where the conversations are held.

    Returns:
        Counts of all sessions. Trials that fail are counted, not raised.

    Raises:
        InputError: a target's key or price is missing; nothing was called.
        PluginError: a user, arm, monitor or reference target cannot be loaded.
        StorageError: the store cannot be written; nothing more was called.
    """
    check_targets(study.models)
    prices = {model.label: model.price for model in study.models}
    budget = Budget(study.limits, study.models, store.spent(prices))
    tell = _guarded(on_event)
    chat = Chat(study.limits, budget, ToldCalls(store, tell), store.kept)
    batch = _Batch(study, trials, store, chat, budget, _guarded(on_progress), tell)
    try:
        async with engine(study, reader, chat, batch) as held:
            await batch.run(held)
    except (_ListenerError, EngineError) as broken:
        raise (broken.__cause__ or broken) from None
    finally:
        await batch.chat.close()
    with StoredRun(store.folder) as run:
        counts, reasons = run.counts(), tuple(run.reasons())
    used = dataclasses.asdict(budget.spent)
    on_event(Ended(**counts, **used))
    return Summary(**counts, **used, limit=budget.reached, reasons=reasons)


def broken(error: Exception) -> Ending:
    """The end of a conversation by something that should not have happened."""
    reason = redact(f"internal: {type(error).__name__}: {error}", secret_values(os.environ))
    return Ending("failed", reason, resumable=True, returned_model=None)


class _Batch:
    """One session of a run: what its workers share."""

    def __init__(
        self,
        study: Study,
        trials: Sequence[Trial],
        store: RunStore,
        chat: Chat,
        budget: Budget,
        on_progress: Callable[[Progress], None],
        on_event: Tell,
    ) -> None:
        self.chat = chat
        self._budget = budget
        self._study = study
        self._store = store
        self._on_progress = on_progress
        self._on_event = on_event
        finished = store.finished()
        self._todo = [trial for trial in trials if trial.id not in finished]
        self._planned = len(trials)
        self._done = len(finished)
        self._turns = 0
        self._left = sum(trial.turns for trial in self._todo)
        self._left_of: dict[str, int] = {}
        self._limit: str | None = None
        self._priced = all(model.is_reference or model.price is not None for model in study.models)
        self._failures: Counter[str] = Counter()

    async def run(self, held: Hold) -> None:
        """Work until all trials have ended, somebody cancels, or the store breaks."""
        self._on_event(Started(self._study.name, self._planned, self._done))
        servers = {target.label: target.server for target in self._study.targets}
        workers = [
            asyncio.create_task(self._work(lane.work(), held))
            for name, lane in lanes(self._todo, servers).items()
            for _ in range(min(len(lane), self._width(name)))
        ]
        try:
            if workers:
                await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            self.chat.stop()
            self._on_event(Stopping(GRACE))
            await asyncio.wait(workers, timeout=GRACE)
            raise
        finally:
            self.chat.stop()
            for worker in workers:
                worker.cancel()
            for end in await asyncio.gather(*workers, return_exceptions=True):
                if isinstance(end, Exception):
                    raise end

    async def append(self, trial: str, turn: Turn) -> None:
        """Store a turn and tell about it."""
        await self._store.append(trial, turn)
        self._turns += 1
        self._left -= 1
        self._left_of[trial] -= 1
        self._report()

    async def _work(self, todo: Iterator[Trial], held: Hold) -> None:
        for trial in todo:
            try:
                turns = self._store.turns_of(trial.id)
                self._left -= len(turns)
                self._left_of[trial.id] = trial.turns - len(turns)
                ending = await held(trial, turns)
            except StoppedError:
                return
            except (StorageError, _ListenerError, EngineError):
                raise
            except Exception as error:
                # A broken plugin fails its own trials; the others go on.
                ending = broken(error)
            await self._store.finish(
                trial.id,
                ending.status,
                ending.reason,
                resumable=ending.resumable,
                returned_model=ending.returned_model,
            )
            self._done += 1
            self._left -= self._left_of.pop(trial.id, 0)
            if ending.status != "complete":
                kind = (ending.reason or "").partition(":")[0] if ending.status == "failed" else ending.status
                self._failures[kind] += 1
            self._report()
            self._tell_of(trial, ending)

    def _width(self, name: str) -> int:
        """More conversations live than calls may be under way, so that no slot waits for a user."""
        paid = 2 * self._study.limits.in_flight
        if name != REFERENCE_SERVER:
            return paid
        voices = [user.model for user in self._study.users if user.model is not None]
        return max(REFERENCE_WORKERS, paid) if voices else REFERENCE_WORKERS

    def _report(self) -> None:
        failures = tuple(sorted(self._failures.items()))
        spent = self._budget.spent
        cost = spent.cost if self._priced else None
        self._on_progress(
            Progress(self._planned, self._done, self._turns, failures, None, self._left, spent.calls, cost)
        )

    def _tell_of(self, trial: Trial, ending: Ending) -> None:
        cell = (trial.persona, trial.target, trial.arm, trial.user, trial.seed)
        self._on_event(TrialEnded(trial.id, *cell, ending.status, ending.reason))
        if self._limit != self._budget.reached:
            self._limit = self._budget.reached
            self._on_event(LimitReached(str(self._limit)))


class _ListenerError(Exception):
    """Who is told about the run broke, which is no trial's fault."""


def _guarded(listener: Callable[[T], None]) -> Callable[[T], None]:
    def tell(what: T) -> None:
        try:
            listener(what)
        except Exception as error:
            raise _ListenerError from error

    return tell

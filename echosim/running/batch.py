"""All trials of a study on one event loop: bounded workers, safe stop, nothing done twice."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from echosim import registry
from echosim.errors import StorageError
from echosim.inputs.plan import target_key
from echosim.persona_records import Persona
from echosim.protocols import Arm, Monitor, Reader, User
from echosim.records import Trial, Turn
from echosim.running.budget import Budget
from echosim.running.chat import Chat, StoppedError, check_targets
from echosim.running.conversation import Ending, Setting, hold
from echosim.running.outcomes import redact
from echosim.running.store import RunStore
from echosim.running.stored_run import StoredRun
from echosim.study_records import Study, TargetSpec

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
        failures: (kind, trials) in this session: limited, refused, and failed by outcome.
        preparing: (personas calibrated, personas in all) before the first turn, else None.
    """

    planned: int
    done: int
    turns: int
    failures: tuple[tuple[str, int], ...] = ()
    preparing: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run has come to; counts include earlier sessions.

    Attributes:
        planned: trials of the study.
        complete: held to the last turn.
        limited: ended by budget or context.
        refused: ended by a provider's filter.
        failed: ended by an error.
        unfinished: not ended; only after an interruption.
        calls: paid requests, all sessions.
        prompt_tokens: of these, calls in doubt at their worst case.
        completion_tokens: likewise.
        cost: US dollars by the study's prices.
        limit: which limit stopped the run, or None.
        reasons: (status, reason, trials) of what is not complete, the most frequent first.
        interrupted: stopped by a signal.
    """

    planned: int
    complete: int
    limited: int
    refused: int
    failed: int
    unfinished: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    limit: str | None
    reasons: tuple[tuple[str, str, int], ...]
    interrupted: bool


async def run_trials(
    study: Study,
    trials: Sequence[Trial],
    store: RunStore,
    reader: Reader,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Hold every trial that is not finished yet.

    Args:
        study: the resolved study.
        trials: all its trials, in the order of the plan.
        store: the run folder, open for writing.
        reader: how the users read replies.
        on_progress: called after each turn and each ended trial.

    Returns:
        Counts of all sessions. Trials that fail are counted, not raised.

    Raises:
        InputError: a target's key or price is missing; nothing was called.
        PluginError: a user, arm, monitor or reference target cannot be loaded.
        StorageError: the store cannot be written; nothing more was called.
    """
    check_targets(study.targets)
    prices = {target.label: target.price for target in study.targets}
    budget = Budget(study.limits, study.targets, store.spent(prices))
    batch = _Batch(study, trials, store, reader, Chat(study.limits, budget, store), on_progress)
    try:
        await batch.run()
    finally:
        await batch.chat.close()
    with StoredRun(store.folder) as run:
        counts, reasons = run.counts(), tuple(run.reasons())
    return Summary(
        **counts,
        calls=budget.spent.calls,
        prompt_tokens=budget.spent.prompt_tokens,
        completion_tokens=budget.spent.completion_tokens,
        cost=budget.spent.cost,
        limit=budget.reached,
        reasons=reasons,
        interrupted=batch.interrupted,
    )


class _Batch:
    """One session of a run: what its workers share."""

    def __init__(
        self,
        study: Study,
        trials: Sequence[Trial],
        store: RunStore,
        reader: Reader,
        chat: Chat,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.chat = chat
        self.interrupted = False
        self._study = study
        self._store = store
        self._reader = reader
        self._on_progress = on_progress
        finished = store.finished()
        self._todo = [trial for trial in trials if trial.id not in finished]
        self._planned = len(trials)
        self._done = len(finished)
        self._turns = 0
        self._failures: Counter[str] = Counter()
        self._personas: Mapping[str, Persona] = {persona.id: persona for persona in study.personas}
        self._targets: Mapping[str, TargetSpec] = {target.label: target for target in study.targets}
        self._users: Mapping[str, User] = {name: registry.load("user", name) for name in study.users}
        self._arms: Mapping[str, Arm] = {name: registry.load("arm", name) for name in study.arms}
        self._monitors: Mapping[str, tuple[Monitor, ...]] = {
            name: tuple(registry.load("monitor", monitor) for monitor in arm.monitors)
            for name, arm in self._arms.items()
        }

    async def run(self) -> None:
        """Work until all trials have ended, a signal comes, or the store breaks."""
        todo = iter(self._todo)
        workers = [asyncio.create_task(self._work(todo)) for _ in range(self._width())]
        try:
            with self._stopped_by_signals(workers):
                if workers:
                    await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self.chat.stop()
            for worker in workers:
                worker.cancel()
            ends = await asyncio.gather(*workers, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def append(self, trial: str, turn: Turn) -> None:
        """Store a turn and tell about it."""
        await self._store.append(trial, turn)
        self._turns += 1
        self._report()

    async def _work(self, todo: Iterator[Trial]) -> None:
        for trial in todo:
            try:
                ending = await hold(
                    trial, self._setting(trial), self.chat, self, self._store.turns_of(trial.id)
                )
            except StoppedError:
                return
            except StorageError:
                raise
            except Exception as error:
                # A broken plugin fails its own trials; the others go on.
                reason = redact(f"internal: {type(error).__name__}: {error}")
                ending = Ending("failed", reason, resumable=True, returned_model=None)
            await self._store.finish(
                trial.id,
                ending.status,
                ending.reason,
                resumable=ending.resumable,
                returned_model=ending.returned_model,
            )
            self._done += 1
            if ending.status != "complete":
                kind = (ending.reason or "").partition(":")[0] if ending.status == "failed" else ending.status
                self._failures[kind] += 1
            self._report()

    def _setting(self, trial: Trial) -> Setting:
        target = self._targets[trial.target]
        return Setting(
            persona=self._personas[trial.persona],
            target=target,
            user=self._users[trial.user],
            system_prompt=self._arms[trial.arm].system_prompt,
            monitors=self._monitors[trial.arm],
            reader=self._reader,
            bank=self._study.bank,
            key=target_key(trial.seed, trial.persona, trial.user, target.model),
        )

    def _width(self) -> int:
        """More conversations live than calls may be under way, so that no slot waits for a user."""
        references = [target.is_reference for target in self._study.targets]
        reference = REFERENCE_WORKERS if any(references) else 0
        paid = 0 if all(references) else 2 * self._study.limits.in_flight
        return min(len(self._todo), max(reference, paid))

    def _report(self) -> None:
        failures = tuple(sorted(self._failures.items()))
        self._on_progress(Progress(self._planned, self._done, self._turns, failures))

    @contextlib.contextmanager
    def _stopped_by_signals(self, workers: Sequence[asyncio.Task[None]]) -> Iterator[None]:
        """First Ctrl-C or SIGTERM: no new call, calls under way get `GRACE`. Second: out at once."""
        loop = asyncio.get_running_loop()

        def cancel() -> None:
            for worker in workers:
                worker.cancel()

        def stop() -> None:
            if self.interrupted:
                cancel()
            self.interrupted = True
            self.chat.stop()
            loop.call_later(GRACE, cancel)

        caught = []
        for number in (signal.SIGINT, signal.SIGTERM):
            # Only the main thread gets signals; in a notebook's thread there is nothing to catch.
            with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
                loop.add_signal_handler(number, stop)
                caught.append(number)
        try:
            yield
        finally:
            for number in caught:
                loop.remove_signal_handler(number)

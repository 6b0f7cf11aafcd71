"""Conversations on the workers of a Ray cluster, or of a small one on this machine; the only file on ray.

Ray starts the workers, carries what is said, and notices when one is gone. What is asked, spent and stored
stays with the run (pool.py). Keys are read from each worker's own environment.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import logging
import os
import socket
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent import futures
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from echosim.errors import EchosimError, InputError
from echosim.protocols import Reader
from echosim.reading.forward import threads_used
from echosim.running.batch import Hold
from echosim.running.chat import Chat
from echosim.running.conversation import Keeps
from echosim.running.engines.messages import FromWorker, ToWorker
from echosim.running.engines.pool import LostError, Pool
from echosim.running.engines.worker import Order, Worker, stance_reader
from echosim.study_records import Study

INSTALL = "pip install 'echosim[ray]'"
_STORE = 128_000_000
"""Bytes of shared memory for a cluster of our own: what is said is small and does not lie there."""


_PATIENCE = 5.0
"""Seconds in which a cluster must answer."""


@dataclass(frozen=True, slots=True)
class RayEngine:
    """An engine for `run_trials`.

    Args:
        encoder: sentence-transformers model or folder; None for the default. The same on every machine.
        workers: processes, one CPU each; None for all CPUs of the cluster.
        concurrency: conversations alive at once on one of them; None means no bound of its own.
        address: of a cluster that runs already ("auto", "HOST:6379"); None for one on this machine that
            ends with the run.

    Raises:
        InputError: Ray is not installed here.
    """

    encoder: str | None = None
    workers: int | None = None
    concurrency: int | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        if importlib.util.find_spec("ray") is None:
            raise InputError(f"engine ray: Ray is not installed here; {INSTALL}")

    @asynccontextmanager
    async def __call__(self, study: Study, reader: Reader, chat: Chat, keeps: Keeps) -> AsyncIterator[Hold]:
        """Start or join the cluster; see `batch.Engine`."""
        ray = _ray()
        own, over = not ray.is_initialized(), threading.Event()
        if own:
            self._check_address()
            await asyncio.wrap_future(self._connected(over))
        try:
            make_reader = functools.partial(stance_reader, self._encoder(), threads_used())
            order = ray.put(Order(study, make_reader, reader.identity))
            size = self.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
            hire = functools.partial(_RayLine, order)
            async with Pool(study, chat, keeps, hire, size, self.concurrency) as pool:
                yield pool.hold
        finally:
            if own:
                ray.shutdown()
            over.set()

    def _encoder(self) -> str | None:
        """Its name as any worker understands it."""
        name = self.encoder or os.environ.get("ECHOSIM_ENCODER")
        return str(Path(name).resolve()) if name and Path(name).is_dir() else name

    def _check_address(self) -> None:
        """Ray itself waits for many minutes where nobody listens."""
        host, _, port = (self.address or "").rpartition(":")
        if not host or not port.isdecimal() or "://" in host:
            return
        try:
            socket.create_connection((host, int(port)), _PATIENCE).close()
        except OSError as error:
            raise InputError(
                f"engine ray: no cluster at {self.address}: {error.strerror or error}"
            ) from error

    def _connected(self, over: threading.Event) -> futures.Future[None]:
        """Connect in a thread that stays until it is over: what it began dies with it.

        Not in this one: Ray would take SIGTERM for itself, and a stop would have to wait.
        """
        connected: futures.Future[None] = futures.Future()
        connected.set_running_or_notify_cancel()

        def stay() -> None:
            try:
                self._connect()
            except BaseException as error:
                connected.set_exception(error)
                return
            connected.set_result(None)
            over.wait()

        threading.Thread(target=stay, name="echosim-ray", daemon=True).start()
        return connected

    def _connect(self) -> None:
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if self.address is None:
            cpus = max(self.workers or 1, os.cpu_count() or 1)
            options |= {"num_cpus": cpus, "object_store_memory": _STORE, "include_dashboard": False}
        try:
            _ray().init(address=self.address or "local", **options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            why = _first_line(error)
            if self.address is None:
                raise InputError(f"engine ray: no cluster on this machine: {why}") from error
            raise InputError(
                f"engine ray: no cluster at {self.address}: {why}; where it asks for a token, set "
                "RAY_AUTH_MODE=token, with the same ~/.ray/auth_token on every machine"
            ) from error


class EchosimWorker:
    """A worker as Ray runs it."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    async def start(self, order: Order) -> None:
        """Make ready."""
        try:
            self._worker = Worker(order)
        except EchosimError as error:
            raise type(error)(f"worker on {socket.gethostname()}: {error}") from None

    async def take(self, messages: Sequence[ToWorker]) -> None:
        """See `Worker.take`."""
        assert self._worker is not None  # noqa: S101 - nothing is said before the start
        self._worker.take(messages)

    async def give(self) -> list[FromWorker]:
        """See `Worker.give`."""
        assert self._worker is not None  # noqa: S101
        return await self._worker.give()


class _RayLine:
    """See `pool.Line`."""

    def __init__(self, order: Any) -> None:
        # A lost worker is replaced by the pool, which knows what it held: Ray restarts and retries nothing.
        self._actor = (
            _ray()
            .remote(EchosimWorker)
            .options(num_cpus=1, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD")
            .remote()
        )
        self._order = order

    async def start(self) -> None:
        await self._reached(self._actor.start.remote(self._order))

    def send(self, messages: Sequence[ToWorker]) -> None:
        self._actor.take.remote(messages)

    async def receive(self) -> Sequence[FromWorker]:
        said: Sequence[FromWorker] = await self._reached(self._actor.give.remote())
        return said

    def dismiss(self) -> None:
        _ray().kill(self._actor)

    async def _reached(self, said: Any) -> Any:
        errors = _ray().exceptions
        try:
            return await said
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, EchosimError):
                raise cause from None
            raise InputError(f"a worker broke: {type(cause).__name__}: {_first_line(cause)}") from error
        except errors.RayError as error:
            raise LostError(_first_line(error)) from error


@functools.cache
def _ray() -> Any:
    """Ray, imported on first use; it reports to nobody."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO_GPUS", "0")
    logging.getLogger("ray").setLevel(logging.ERROR)
    import ray

    return ray


def _first_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

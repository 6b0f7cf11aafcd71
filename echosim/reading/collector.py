"""Embeds the texts of many waiting conversations in one go, in a thread, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from echosim.reading.encoded import Encoded

GATHER_SECONDS = 0.003
"""How long the first waiter lets others join; while a batch is under way, the next one gathers."""


class Collector:
    """Turns many small `embed` calls into few large ones; belongs to one event loop at a time.

    Args:
        read: the encoder's; called in a thread, one call at a time.
    """

    def __init__(self, read: Callable[[Sequence[str]], Encoded]) -> None:
        self._read = read
        # Always the same thread: each new one would bring up threads and memory of its own for the encoder.
        self._thread = ThreadPoolExecutor(1, "echosim-encoder")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[tuple[list[str], asyncio.Future[Encoded]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def embed(self, texts: list[str]) -> Encoded:
        """Vectors of `texts`.

        Raises:
            EncoderError: whatever the encoder raises about these texts.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._waiting, self._worker = loop, [], None
        future: asyncio.Future[Encoded] = loop.create_future()
        self._waiting.append((texts, future))
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_SECONDS)
            batch, self._waiting = self._waiting, []
            await self._answer(batch)

    async def _answer(self, batch: Sequence[tuple[list[str], asyncio.Future[Encoded]]]) -> None:
        try:
            texts = [text for some, _ in batch for text in some]
            vectors = await asyncio.get_running_loop().run_in_executor(self._thread, self._read, texts)
        except Exception as error:
            if len(batch) > 1:
                # Who is in a batch is chance, so a text that cannot be read must fail its own reader alone.
                for one in batch:
                    await self._answer([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        start = 0
        for some, future in batch:
            if not future.done():
                future.set_result(vectors[start : start + len(some)])
            start += len(some)

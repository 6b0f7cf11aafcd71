from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest

from echosim.errors import EncoderError
from echosim.reading.collector import Collector
from echosim.reading.encoded import Encoded


class Fake:
    """Gives each text its length; remembers who called, with what."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.calls: list[list[str]] = []
        self.threads: set[str] = set()
        self.seconds = seconds
        self.inside = 0
        self.most_inside = 0

    def read(self, texts: Sequence[str]) -> Encoded:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.calls.append(list(texts))
        self.threads.add(threading.current_thread().name)
        time.sleep(self.seconds)
        self.inside -= 1
        if "broken" in texts:
            raise EncoderError("no direction")
        vectors = np.array([[len(text)] for text in texts], dtype=np.float32).reshape(-1, 1)
        return Encoded(vectors, vectors)


def lengths(encoded: Encoded) -> list[int]:
    return [int(value) for value in encoded.meaning[:, 0]]


def test_many_waiters_share_a_call_and_each_gets_its_own() -> None:
    fake = Fake()

    async def crowd() -> list[Encoded]:
        collector = Collector(fake.read)
        return await asyncio.gather(*(collector.embed(["x" * n, "y" * n]) for n in range(40)))

    found = asyncio.run(crowd())
    assert [lengths(encoded) for encoded in found] == [[n, n] for n in range(40)]
    assert len(fake.calls) == 1


def test_what_comes_while_a_call_is_under_way_goes_into_the_next() -> None:
    fake = Fake(0.05)

    async def crowd() -> None:
        collector = Collector(fake.read)

        async def later(n: int) -> None:
            await asyncio.sleep(0.002 * n)
            assert lengths(await collector.embed(["x" * n])) == [n]

        await asyncio.gather(*(later(n) for n in range(30)))

    asyncio.run(crowd())
    assert sum(len(call) for call in fake.calls) == 30
    assert len(fake.calls) <= 5
    assert fake.most_inside == 1


def test_the_loop_goes_on_while_texts_are_embedded() -> None:
    fake = Fake(0.1)

    async def both() -> int:
        collector = Collector(fake.read)
        reading = asyncio.ensure_future(collector.embed(["a"]))
        ticks = 0
        while not reading.done():
            await asyncio.sleep(0.005)
            ticks += 1
        return ticks

    assert asyncio.run(both()) >= 5
    assert threading.main_thread().name not in fake.threads


def test_an_error_reaches_the_reader_of_that_text_alone() -> None:
    fake = Fake()

    async def scene() -> None:
        collector = Collector(fake.read)
        found = await asyncio.gather(
            collector.embed(["fine"]), collector.embed(["broken"]), return_exceptions=True
        )
        assert lengths(found[0]) == [4]
        assert isinstance(found[1], EncoderError)
        assert lengths(await collector.embed(["fine"])) == [4]

    asyncio.run(scene())


def test_a_waiter_that_is_cancelled_takes_nothing_from_the_others() -> None:
    fake = Fake(0.02)

    async def scene() -> None:
        collector = Collector(fake.read)
        gone = asyncio.ensure_future(collector.embed(["gone"]))
        kept = asyncio.ensure_future(collector.embed(["kept!"]))
        await asyncio.sleep(0)
        gone.cancel()
        assert lengths(await kept) == [5]
        with pytest.raises(asyncio.CancelledError):
            await gone

    asyncio.run(scene())


def test_it_serves_one_loop_after_another() -> None:
    fake = Fake()
    collector = Collector(fake.read)
    for n in (1, 2, 3):
        assert lengths(asyncio.run(collector.embed(["x" * n]))) == [n]


def test_no_text_is_fine() -> None:
    assert len(asyncio.run(Collector(Fake().read).embed([]))) == 0

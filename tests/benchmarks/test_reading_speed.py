"""How fast replies are read: ratios to the library's own `encode` in the same process. No pass or fail."""

from __future__ import annotations

import asyncio
import resource
import time

import pytest

from echosim.draws import key
from echosim.inputs.personas import load_personas, shipped
from echosim.protocols import Intent, Message, TargetRequest
from echosim.reading.embedding import load_encoder
from echosim.reading.perception import StanceReader
from echosim.reading.sentences import split
from echosim.replies.composer import compose

pytestmark = pytest.mark.benchmark


def test_reading_against_one_encode_call(capsys) -> None:
    encoder = load_encoder()
    reader = StanceReader(encoder)
    personas = [persona for persona in load_personas(shipped()) if persona.role == "holder"]
    reader.prepare(personas)
    jobs = []
    for persona in personas:
        for number in range(16):
            request = TargetRequest(
                persona.fact_sheet(),
                (1,),
                (Message("user", persona.opening),),
                key("bench", persona.id, number),
                "test",
            )
            jobs.append((persona, compose(Intent((-0.9, 0.0, 0.9)[number % 3]), request)))
    sentences = [sentence for _, reply in jobs for sentence in split(reply)]

    begin = time.perf_counter()
    encoder._model.encode(sentences, batch_size=32, show_progress_bar=False)
    library = time.perf_counter() - begin

    async def crowd() -> None:
        room = asyncio.Semaphore(32)

        async def one(persona, reply) -> None:
            async with room:
                await reader.read(persona, persona.opening, reply)

        await asyncio.gather(*(one(*job) for job in jobs))

    begin = time.perf_counter()
    asyncio.run(crowd())
    first = time.perf_counter() - begin
    begin = time.perf_counter()
    asyncio.run(crowd())
    again = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with capsys.disabled():
        print(
            f"\nreading {len(jobs)} replies, {len(sentences)} sentences, 32 conversations at once: "
            f"{library / first:.2f} times the throughput of encode(batch_size=32); "
            f"again {first / again:.0f} times faster; peak {peak:.0f} MB"
        )
    assert first > 0

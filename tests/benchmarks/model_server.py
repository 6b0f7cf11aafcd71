"""An OpenAI-compatible server in a process of its own, with a set latency, that keeps a record of its calls.

Its CPU is not the client's, and what it saw is the only word on how many calls were in flight. The latency
stands in the path: `BASE/0.05/v1` answers after 50 ms, `BASE/lognormal-1.0/v1` after a lognormal time
of median 1 s and sigma 0.5, drawn from what is asked, so that every client meets the same. A model named
`tiny-240` answers in 240 words, any other in 120.
"""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from echosim import draws

SIGMA = 0.5
WORDS = (
    "The wall was built of grey stone and the bridge of oak, and both have stood since the flood of that "
    "year, as the parish book says on page forty, where the clerk noted what each load had cost. "
)
SPOKEN = (WORDS * 20).split()


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server saw since it was last asked.

    Attributes:
        calls: requests answered.
        connections: connections opened.
        spans: (begin, end, model) of each request in seconds, by begin.
    """

    calls: int
    connections: int
    spans: tuple[tuple[float, float, str], ...]

    @property
    def seconds(self) -> float:
        """From the first request to the last answer."""
        return max(end for _, end, _ in self.spans) - self.spans[0][0]

    def in_flight(self, slots: int) -> float:
        """Mean requests in flight from the first answer, until which one goes alone, to where fewer than
        `slots` requests are left.
        """
        first, last = min(end for _, end, _ in self.spans), self.spans[-slots][0]
        return sum(max(0.0, min(e, last) - max(b, first)) for b, e, _ in self.spans) / (last - first)

    def of(self, model: str) -> Seen:
        """What one model was asked."""
        spans = tuple(span for span in self.spans if span[2] == model)
        return Seen(len(spans), self.connections, spans)


@dataclass(frozen=True, slots=True)
class Server:
    """A running one.

    Attributes:
        base: address without a latency.
    """

    base: str

    def at(self, latency: str) -> str:
        """The URL to give as api_base."""
        return f"{self.base}/{latency}/v1"

    def seen(self) -> Seen:
        """The record; it begins anew."""
        with urllib.request.urlopen(f"{self.base}/record") as answer:
            found = json.load(answer)
        spans = sorted(map(tuple, found["spans"]))
        return Seen(len(spans), found["connections"], tuple(spans))


@contextmanager
def serving() -> Iterator[Server]:
    """A server for the length of a with block."""
    child = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        yield Server(f"http://127.0.0.1:{int(child.stdout.readline())}")
    finally:
        child.terminate()
        child.wait()


class _Record:
    def __init__(self) -> None:
        self.spans: list[tuple[float, float, str]] = []
        self.connections: set[Any] = set()
        self.known: set[Any] = set()

    async def answer(self, request: web.Request) -> web.Response:
        begin = time.monotonic()
        self.connections.add(request.transport)
        body = await request.json()
        kind, _, median = request.match_info["latency"].rpartition("-")
        seconds = float(median)
        if kind:
            last = body["messages"][-1]["content"]
            seconds *= math.exp(SIGMA * draws.normal("latency", len(body["messages"]), last))
        await asyncio.sleep(max(0.0, seconds - (time.monotonic() - begin)))
        said = sum(message["role"] == "user" for message in body["messages"])
        words = body["model"].rpartition("-")[2]
        reply = " ".join(SPOKEN[: int(words) if words.isdigit() else 120])
        answer = {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": f"{said}. {reply}"},
                }
            ],
            "usage": {"prompt_tokens": 99, "completion_tokens": 160, "total_tokens": 259},
        }
        self.spans.append((begin, time.monotonic(), body["model"]))
        return web.json_response(answer)

    async def record(self, _request: web.Request) -> web.Response:
        found = {"spans": self.spans, "connections": len(self.connections - self.known)}
        self.known |= self.connections
        self.spans, self.connections = [], set()
        return web.json_response(found)


async def _serve() -> None:
    record = _Record()
    app = web.Application(client_max_size=50_000_000)
    app.router.add_post("/{latency}/v1/chat/completions", record.answer)
    app.router.add_get("/record", record.record)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())

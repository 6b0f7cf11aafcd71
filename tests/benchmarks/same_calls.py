"""The same conversations by the whole program and by bare loops that do nothing but call.

A bare loop says the lines that the program's users said, with full history, so both send the same requests.
Each side has a process of its own: `measured` starts it, and it tells its own CPU, imports and first calls
left out.
"""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RUNNING = Path(__file__).parents[1] / "running"
sys.path.insert(0, str(RUNNING))

import cast  # noqa: E402

from echosim.persona_records import Persona  # noqa: E402
from echosim.records import Reading, Side  # noqa: E402
from echosim.running.batch import Summary, run_trials  # noqa: E402
from echosim.running.stored_run import StoredRun  # noqa: E402
from echosim.study_records import Limits, Study, TargetSpec  # noqa: E402

FIRST = 64
"""Conversations of one turn that come before the clock: they import, connect and fill caches."""

Lines = Sequence[Sequence[str]]
"""What the users say, by conversation."""
Call = Callable[[list[dict[str, str]]], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one side took.

    Attributes:
        cpu: seconds of its own process.
        wall: seconds.
    """

    cpu: float
    wall: float


def measured(side: str, base: str, folder: Path, conversations: int, turns: int, in_flight: int) -> Cost:
    """The conversations by one side, in a process of its own.

    Args:
        side: "whole", "hosted_vllm", "openai" or "aiohttp"; the others say what "whole" said first.
        base: where to ask.
        folder: where "whole" leaves its run and its lines.
        conversations, turns, in_flight: how much.
    """
    args = (side, base, str(folder), str(conversations), str(turns), str(in_flight))
    told = subprocess.run(
        [sys.executable, __file__, *args], capture_output=True, text=True, check=True
    ).stdout
    return Cost(**json.loads(told))


class NullReader:
    """Reads nothing, so that what is measured is the calls and what is around them."""

    identity = "hash-reader"
    encoder = "none"
    _READ = Reading(stance=-0.2, evidence=0.1, warmth=0.5, on_topic=1.0)

    async def read(self, persona: Persona, user: str, reply: str, side: Side = 1) -> Reading:
        return self._READ


def study(
    base: str, conversations: int, turns: int, in_flight: int, model: str = "tiny", **fields: Any
) -> Study:
    """Conversations of one persona with one target behind `base`."""
    target = TargetSpec(model=f"openai/{model}", label="local", api_base=base)
    limits = Limits(in_flight=in_flight)
    return cast.study(target, seeds=tuple(range(conversations)), turns=turns, limits=limits, **fields)


async def whole(folder: Path, of: Study, on_progress: Any = lambda _: None) -> Summary:
    """All trials by the whole program: graph, litellm, store."""
    trials = cast.planned(of)
    with cast.opened(folder, of) as store:
        return await run_trials(of, trials, store, NullReader(), on_progress)


def lines(folder: Path) -> Lines:
    """What the users of a run said."""
    with StoredRun(folder) as run:
        return [[turn.user for turn in found.turns] for found in run.transcripts()]


async def bare(said: Lines, in_flight: int, call: Call) -> None:
    """The same conversations by a loop: as many alive as in a run, `in_flight` calls at once."""
    room, todo = asyncio.Semaphore(in_flight), iter(said)

    async def work() -> None:
        for talk in todo:
            history: list[dict[str, str]] = []
            for line in talk:
                history.append({"role": "user", "content": line})
                async with room:
                    reply = await call(history)
                history.append({"role": "assistant", "content": reply})

    await asyncio.gather(*(work() for _ in range(2 * in_flight)))


def by_litellm(base: str, model: str) -> Call:
    """One call by `litellm.acompletion` with nothing around it."""
    import litellm

    async def call(history: list[dict[str, str]]) -> str:
        answer = await litellm.acompletion(
            model=model,
            messages=history,
            max_tokens=600,
            max_retries=0,
            timeout=60.0,
            api_base=base,
            api_key="n",
        )
        return str(answer.choices[0].message.content)

    return call


def by_aiohttp(base: str, session: Any) -> Call:
    """One call by aiohttp: the practical floor."""

    async def call(history: list[dict[str, str]]) -> str:
        body = {"model": "tiny", "messages": history, "max_tokens": 600}
        async with session.post(f"{base}/chat/completions", json=body) as answer:
            return str((await answer.json())["choices"][0]["message"]["content"])

    return call


def _side(name: str, base: str, folder: Path) -> Callable[[Path, Study], Awaitable[Any]]:
    """What holds a study's conversations."""
    if name == "whole":
        return whole
    said = functools.cache(lambda: json.loads((folder / "lines.json").read_text()))

    async def hold(_: Path, of: Study) -> None:
        talks = [talk[: of.turns] for talk in said()[: len(of.seeds)]]
        if name == "aiohttp":
            import aiohttp

            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
                return await bare(talks, of.limits.in_flight, by_aiohttp(base, session))
        return await bare(talks, of.limits.in_flight, by_litellm(base, f"{name}/tiny"))

    return hold


def _measure(name: str, base: str, folder: str, conversations: int, turns: int, in_flight: int) -> Cost:
    hold, path = _side(name, base, Path(folder)), Path(folder)
    path.mkdir(exist_ok=True)
    with asyncio.Runner() as runner:
        runner.run(hold(path / "first", study(base, min(FIRST, conversations), 1, in_flight)))
        urllib.request.urlopen(base.rpartition("/v1")[0].rpartition("/")[0] + "/record").close()
        cpu, wall = time.process_time(), time.perf_counter()
        runner.run(hold(path / "run", study(base, conversations, turns, in_flight)))
        cost = Cost(time.process_time() - cpu, time.perf_counter() - wall)
    if name == "whole":
        (path / "lines.json").write_text(json.dumps(lines(path / "run")))
    return cost


if __name__ == "__main__":
    side, where, left, *numbers = sys.argv[1:]
    print(json.dumps(asdict(_measure(side, where, left, *map(int, numbers)))))

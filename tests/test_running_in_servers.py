"""`run` and `arun` inside a program that has an event loop, and clocks that jump."""

from __future__ import annotations

import ast
import asyncio
import io
import time
from pathlib import Path
from typing import Any

import pytest

import echosim as es
from echosim import api, boards
from echosim.errors import InputError
from echosim.running import events
from echosim.running.stored_run import StoredRun
from tests.running import cast
from tests.running import fake_server as fake

STUDY = cast.study("echosim/corrector", "echosim/sycophant", seeds=(1, 2, 3))


class Reader(cast.HashReader):
    """Takes its time to be ready, as an encoder does, and holds the interpreter meanwhile."""

    busy = 0.0

    def prepare(self, personas: Any, progress: Any = None) -> None:
        for done in range(8):
            progress(done, 8)
            end = time.thread_time() + self.busy / 8
            while time.thread_time() < end:
                sum(range(200))


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> type[Reader]:
    class Ready(Reader):
        pass

    monkeypatch.setattr(boards, "new_reader", lambda encoder=None: Ready())
    return Ready


def exported(run: es.Run) -> str:
    stream = io.StringIO()
    api.export_jsonl(run, stream)
    return stream.getvalue()


def test_arun_gives_what_run_gives(tmp_path: Path) -> None:
    told: list[Any] = []
    heard: list[Any] = []
    plain = es.run(STUDY, tmp_path / "plain")

    async def server() -> es.Run:
        return await es.arun(STUDY, tmp_path / "arun", progress=told.append, events=heard.append)

    run = asyncio.run(server())
    assert exported(run) == exported(plain)
    assert run.summary == plain.summary
    assert (told[-1].done, told[-1].left) == (6, 0)
    assert isinstance(heard[-1], events.Ended)


def test_errors_come_out_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        asyncio.run(es.arun(STUDY, tmp_path / "file"))


async def longest_gap(work: Any) -> float:
    """Share of the work's time for which a task beside it did not get to run at a stretch."""
    gaps, last = [0.0], time.perf_counter()

    async def heart() -> None:
        nonlocal last
        while True:
            await asyncio.sleep(0.002)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    beating = asyncio.create_task(heart())
    await asyncio.sleep(0.01)
    begin = time.perf_counter()
    await work
    await asyncio.sleep(0.005)
    beating.cancel()
    return max(gaps) / (time.perf_counter() - begin)


def test_other_tasks_go_on_beside_it(tmp_path: Path, reader: type[Reader]) -> None:
    reader.busy = 1.5

    async def blocking() -> None:
        es.run(STUDY, tmp_path / "blocking")

    assert asyncio.run(longest_gap(blocking())) > 0.8
    assert asyncio.run(longest_gap(es.arun(STUDY, tmp_path / "beside"))) < 0.4


def test_cancelled_it_keeps_what_was_finished_and_resumes(tmp_path: Path) -> None:
    async def scene() -> int:
        release, full = asyncio.Event(), asyncio.Event()

        async def reply(_request: Any) -> Any:
            if len(server.ledger) > 1:
                if server._now == 2:
                    full.set()
                await release.wait()
            return fake.web.json_response(fake.completion("Well."))

        async with fake.serving(default=reply) as server:
            study = cast.study(cast.served(server.base), limits=cast.limits(in_flight=2, timeout=60))
            study = study.model_copy(update={"seeds": (1, 2, 3, 4)})
            task = asyncio.create_task(es.arun(study, tmp_path))
            await full.wait()
            asked = len(server.ledger)
            task.cancel()
            await asyncio.sleep(0.2)
            assert not task.done()
            release.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(server.ledger) == asked
            with StoredRun(tmp_path) as run:
                assert sum(len(found.turns) for found in run.transcripts()) == asked
                assert run.in_doubt({}).calls == 0
            assert (await es.arun(study, tmp_path)).summary.complete == 4
            return len(server.ledger)

    assert asyncio.run(scene()) == 12


def test_cancelled_while_it_prepares_it_ends_before_a_call(tmp_path: Path, reader: type[Reader]) -> None:
    reader.busy = 4.0

    async def scene() -> list[Any]:
        told: list[Any] = []
        task = asyncio.create_task(es.arun(STUDY, tmp_path, progress=told.append))
        while not told:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return told

    told = asyncio.run(scene())
    assert all(now.preparing is not None for now in told)
    assert len(told) < 8
    reader.busy = 0.0
    assert es.run(STUDY, tmp_path).summary.complete == 6


# --- clocks -------------------------------------------------------------------------------------


def test_a_clock_that_jumps_back_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = es.run(STUDY, tmp_path / "plain")
    real, jumps = time.time, iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() - 3600 * next(jumps))
    assert exported(es.run(STUDY, tmp_path / "jumping")) == exported(plain)


def test_nothing_measures_with_the_wall_clock() -> None:
    """`datetime.now` gives dates and time stamps; what lasts is measured by clocks that never go back."""
    found = []
    for path in sorted((Path(es.__file__).parent).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("time.time", "time.time_ns"):
                found.append(f"{path.name}:{node.lineno}")
    assert found == []

"""Ctrl-C and SIGTERM on a real process in front of a server whose ledger says what was asked.

The server holds every reply back but the first, and a signal is sent once all slots are taken: one more line
in the ledger would be a call begun after it. So nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from echosim.running.stored_run import StoredRun
from tests.running import fake_server as fake

ROOT = Path(__file__).parents[2]
IN_FLIGHT = 3
TURNS = 3 * 4 * 2
"""Three personas of the family, four seeds, two turns."""

# A shell that starts these tests in the background has told them, and so their children, to ignore Ctrl-C.
PATCHED = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests" / "running")!r}]
import cast
from echosim import boards

class Reader(cast.HashReader):
    def prepare(self, personas, progress=None):
        progress(len(personas), len(personas))

boards.new_reader = lambda encoder=None: Reader()
"""
COMMAND = PATCHED + "from echosim.cli import main; main()"
IN_A_LOOP = (
    PATCHED
    + """
import asyncio
import echosim as es

async def notebook():
    es.run(sys.argv[1], sys.argv[2], events=lambda event: print(event, file=sys.stderr, flush=True))

try:
    asyncio.run(notebook())
except KeyboardInterrupt:
    print("interrupted", file=sys.stderr)
    sys.exit(130)
"""
)


SIGNALS = [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
"""They take the same way, so one of them each time is enough in a hurry."""


class Scene:
    """A server, a study for it, and processes that run it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.release, self.full = asyncio.Event(), asyncio.Event()
        self.server: fake.FakeServer
        self.study = folder / "study.yaml"

    async def reply(self, _request: Any) -> Any:
        if len(self.server.ledger) > 1:
            if self.server._now == IN_FLIGHT:
                self.full.set()
            await self.release.wait()
        return fake.web.json_response(fake.completion("It may well be so."))

    async def process(self, code: str, *words: str | Path) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, *map(str, words),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"}, cwd=self.folder,
        )  # fmt: skip

    def stored(self) -> tuple[int, int]:
        """Turns, and calls in doubt."""
        with StoredRun(self.folder / "out") as run:
            return sum(len(found.turns) for found in run.transcripts()), run.in_doubt({}).calls


@contextlib.asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    stage = Scene(folder)
    async with fake.serving(default=stage.reply) as stage.server:
        stage.study.write_text(
            "format: 1\nname: slow\npersonas: [flat-earth]\nturns: 2\nseeds: [1, 2, 3, 4]\nanchors: false\n"
            f"targets: [{{model: openai/x, api_base: '{stage.server.base}'}}]\n"
            f"limits: {{in_flight: {IN_FLIGHT}}}\n"
        )
        try:
            yield stage
        finally:
            stage.release.set()
            await asyncio.sleep(0.05)  # so that the server's tasks end


async def said(stream: asyncio.StreamReader | None, word: str) -> None:
    """Wait for a line with this word."""
    assert stream is not None
    while word not in (line := (await stream.readline()).decode()):
        assert line, f"it ended without saying {word}"


def play(act: Callable[[Scene], Any], folder: Path) -> None:
    async def whole() -> None:
        async with asyncio.timeout(240), scene(folder) as stage:
            await act(stage)

    asyncio.run(whole())


@pytest.mark.parametrize("number", SIGNALS)
def test_calls_under_way_end_none_begins_and_the_printed_command_resumes(
    tmp_path: Path, number: signal.Signals
) -> None:
    async def act(stage: Scene) -> None:
        options = ("--encoder", "some-encoder", "--log", "run.jsonl", "--quiet")
        first = await stage.process(COMMAND, "run", stage.study, "out", *options)
        await stage.full.wait()
        asked = len(stage.server.ledger)
        first.send_signal(number)
        await said(first.stderr, "stopping: calls under way get 10 s")
        stage.release.set()
        out, err = await first.communicate()
        assert first.returncode == 130, err
        assert out == b""
        assert len(stage.server.ledger) == asked == IN_FLIGHT + 1
        assert stage.stored() == (asked, 0)
        last = err.decode().splitlines()[-1]
        again = shlex.split(last.partition("Resume: ")[2])
        assert again[:4] == ["echosim", "run", str(stage.study), "out"]
        assert sorted(again[4:]) == sorted(options)

        second = await stage.process(COMMAND, *again[1:])
        out, err = await second.communicate()
        assert second.returncode == 0, err
        assert len(stage.server.ledger) == TURNS
        assert stage.stored() == (TURNS, 0)
        assert b"echosim report out" in out
        log = [json.loads(line) for line in (stage.folder / "run.jsonl").read_text().splitlines()]
        names = [one["event"] for one in log]
        assert names.count("started") == 2
        assert names.count("stopping") == 1
        assert names.count("trial_ended") == 12
        assert names[-1] == "ended"
        assert log[-1]["calls"] == TURNS

    play(act, tmp_path)


def test_a_second_signal_leaves_at_once_and_loses_nothing_that_was_finished(tmp_path: Path) -> None:
    async def act(stage: Scene) -> None:
        first = await stage.process(COMMAND, "run", stage.study, "out", "--quiet")
        await stage.full.wait()
        first.send_signal(signal.SIGINT)
        await said(first.stderr, "stopping")
        begin = time.monotonic()
        first.send_signal(signal.SIGINT)
        _, err = await first.communicate()
        assert time.monotonic() - begin < 8  # it is 1 s where the machine is free; the grace would be 10
        assert first.returncode == 130, err
        assert f"Resume: echosim run {stage.study} out --quiet" in err.decode()
        asked = len(stage.server.ledger)
        assert stage.stored() == (1, IN_FLIGHT)
        stage.release.set()
        second = await stage.process(COMMAND, "run", stage.study, "out", "--quiet")
        _, err = await second.communicate()
        assert second.returncode == 0, err
        assert stage.stored() == (TURNS, IN_FLIGHT)
        assert len(stage.server.ledger) == TURNS + IN_FLIGHT
        assert asked == IN_FLIGHT + 1
        assert "3 calls may have been billed twice" in err.decode()

    play(act, tmp_path)


@pytest.mark.parametrize("number", SIGNALS)
def test_within_a_running_loop_the_same_grace(tmp_path: Path, number: signal.Signals) -> None:
    async def act(stage: Scene) -> None:
        first = await stage.process(IN_A_LOOP, stage.study, "out")
        await stage.full.wait()
        first.send_signal(number)
        await said(first.stderr, "Stopping")
        stage.release.set()
        _, err = await first.communicate()
        assert first.returncode == 130, err
        assert err.decode().splitlines()[-1] == "interrupted"
        assert len(stage.server.ledger) == IN_FLIGHT + 1
        assert stage.stored() == (IN_FLIGHT + 1, 0)

    play(act, tmp_path)


@pytest.mark.slow
def test_without_an_answer_the_grace_ends_after_ten_seconds(tmp_path: Path) -> None:
    async def act(stage: Scene) -> None:
        first = await stage.process(COMMAND, "run", stage.study, "out", "--quiet")
        await stage.full.wait()
        first.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        _, err = await first.communicate()
        assert 9.5 < time.monotonic() - begin < 25
        assert first.returncode == 130, err
        assert stage.stored() == (1, IN_FLIGHT)
        assert len(stage.server.ledger) == IN_FLIGHT + 1

    play(act, tmp_path)


def test_a_signal_before_the_first_call_leaves_too(tmp_path: Path) -> None:
    slow = PATCHED + (
        "import time\n"
        "Reader.prepare = lambda *_: (print('preparing', file=sys.stderr, flush=True), time.sleep(200))\n"
        "from echosim.cli import main; main()"
    )

    async def act(stage: Scene) -> None:
        first = await stage.process(slow, "run", stage.study, "out", "--quiet")
        await said(first.stderr, "preparing")
        first.send_signal(signal.SIGTERM)
        _, err = await first.communicate()
        assert first.returncode == 130, err
        assert "Resume: echosim run" in err.decode()
        assert stage.server.ledger == []

    play(act, tmp_path)


@pytest.mark.slow
def test_a_killed_run_leaves_no_process_behind_and_its_folder_free(tmp_path: Path) -> None:
    async def act(stage: Scene) -> None:
        first = await stage.process(COMMAND, "run", stage.study, "out", "--quiet")
        await stage.full.wait()
        assert members(first.pid) == {first.pid}
        first.kill()
        await first.communicate()
        asked = len(stage.server.ledger)
        # An answered call is asked again unless its turn had reached the disc: at most the first one had.
        kept, _ = stage.stored()
        stage.release.set()
        second = await stage.process(COMMAND, "run", stage.study, "out", "--quiet")
        _, err = await second.communicate()
        assert second.returncode == 0, err
        turns, doubt = stage.stored()
        assert turns == TURNS
        assert kept <= 1
        assert IN_FLIGHT <= doubt <= IN_FLIGHT + 1
        assert len(stage.server.ledger) == asked + TURNS - kept

    play(act, tmp_path)


def members(session: int) -> set[int]:
    """Processes of a session."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session:
                    found.add(int(entry.name))
    return found


# --- closed ends --------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [pytest.param(("--quiet",), marks=pytest.mark.slow), ("--json", "--quiet")])
def test_a_closed_stdout_stops_no_run(tmp_path: Path, words: tuple[str, ...]) -> None:
    async def act(stage: Scene) -> None:
        stage.release.set()
        command = shlex.join([sys.executable, "-c", COMMAND, "run", str(stage.study), "out", *words])
        shell = await asyncio.create_subprocess_exec(
            "bash", "-c", f"set -o pipefail; {command} | true",
            stderr=asyncio.subprocess.PIPE, cwd=tmp_path,
        )  # fmt: skip
        _, err = await shell.communicate()
        assert shell.returncode == 0, err
        assert b"Traceback" not in err
        assert b"Exception ignored" not in err
        assert stage.stored() == (TURNS, 0)

    play(act, tmp_path)


def test_events_of_a_real_run(tmp_path: Path) -> None:
    async def act(stage: Scene) -> None:
        stage.server.plan = [fake.error(500, "boom"), fake.error(429, "busy", {"retry-after": "0.6"})]
        stage.release.set()
        run = await stage.process(COMMAND, "run", stage.study, "out", "--json", "--quiet")
        out, err = await run.communicate()
        assert run.returncode == 0, err
        events = [json.loads(line) for line in out.splitlines()]
        names = [one["event"] for one in events]
        assert names[:3] == ["planned", "preparing", "started"]
        assert names.count("trial_ended") == 12
        assert names.count("call_failed") == names.count("retried") == 2
        assert [one["pause"] for one in events if one["event"] == "throttled"] == [0.6]
        assert names[-2:] == ["ended", "summary"]
        last = [one for one in events if one["event"] == "progress"][-1]
        assert (last["done"], last["turns"], last["left"], last["calls"]) == (12, TURNS, 0, TURNS + 2)
        assert last["cost"] is None
        assert events[-1]["complete"] == 12

    play(act, tmp_path)

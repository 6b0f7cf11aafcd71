"""Orders to the zygote, a server beside it, and what must be true after every interruption."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import cast
import fake_server as fake

from echosim.errors import InputError
from echosim.running import doctor
from echosim.running.stored_run import StoredRun

HERE = Path(__file__).parent
IN_FLIGHT = 4
"""Calls at once of a run that the zygote holds; fewer than conversations, in `test_kills`."""


class Served:
    """A fake server in a thread of its own, so that a test may wait for other processes."""

    def __enter__(self) -> Served:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()

        async def serve():
            async with fake.serving() as server:
                self.server = server
                ready.set()
                await self._end.wait()

        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        self._thread.start()
        assert ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)
        self._loop.close()

    def requests(self) -> int:
        """So many have arrived, those of a process that was killed a moment ago included."""
        for _ in range(2):  # whatever came before these has been read once they are answered
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(self.server.base, timeout=30)
        return len(self.server.ledger)


class Zygote:
    """See zygote.py; `disc` is the library to preload."""

    def __init__(self, served: Served, disc: Path | None = None) -> None:
        self.served = served
        environment = dict(os.environ) if disc is None else {**os.environ, "LD_PRELOAD": str(disc)}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "zygote.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert json.loads(self._process.stdout.readline()) == "ready"

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def hold(self, folder: Path, study: dict, **order: object) -> dict:
        """One run in a process of its own; how it ended, and how many requests it made."""
        before = self.served.requests()
        basis = {"folder": str(folder), "bases": [self.served.server.base], "in_flight": IN_FLIGHT}
        order = {**basis, **study, **order}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return {**answer, "requests": self.served.requests() - before}


def built(folder: Path) -> Path | None:
    """The disc that fails on order, or None where it cannot be built."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library = folder / "faulty_disc.so"
    source = HERE / "faulty_disc.c"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def look(folder: Path) -> int:
    """Turns in a folder that an interruption has left behind, which must be sound whatever it was."""
    try:
        examination = doctor.examine(folder)
        assert examination.sound, examination
        with StoredRun(folder) as run:
            return sum(len(transcript.turns) for transcript in run.transcripts())
    except InputError as error:
        if "no run there" in str(error) or "never began" in str(error):
            return 0
        raise


def goes_on(zygote: Zygote, folder: Path, study: dict, whole: list[str], cut: list[dict], paid: int) -> None:
    """After these sessions were cut off: nothing lost, doubled or changed, and few calls made twice.

    Args:
        zygote: where to go on.
        folder: of the run.
        study: its order.
        whole: rows of a run that was never interrupted.
        cut: answers of the sessions so far.
        paid: calls of an uninterrupted run.
    """
    left = look(folder)
    assert left >= cut[-1]["acknowledged"]
    last = zygote.hold(folder, study)
    assert last["exit"] == 0, last
    rows = cast.rows(folder)
    assert rows == whole, [pair for pair in zip(rows, whole, strict=True) if pair[0] != pair[1]]
    assert doctor.examine(folder).sound, doctor.examine(folder)
    requests = sum(each["requests"] for each in (*cut, last))
    assert paid <= requests <= paid + len(cut) * IN_FLIGHT, (requests, paid)
    with StoredRun(folder) as run:
        noted = run._rows("SELECT count(*), count(outcome) FROM calls")[0]
        assert run.counts()["complete"] == run.counts()["planned"]
    assert noted[0] >= requests, noted  # whatever was sent had been noted before
    assert noted[1] >= paid, noted
    again = zygote.hold(folder, study)
    assert (again["exit"], again["requests"], again["acknowledged"]) == (0, 0, 0), again

"""A process that has loaded everything and forks a run for each order, so that thousands of runs are quick.

Orders come on stdin, answers go to stdout, one JSON object a line. A run can be killed after so many turns or
so many seconds, and its disc can fail (see faulty_disc.c, which is then preloaded).
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import cast

from echosim.errors import EchosimError

WAYS = {name: n for n, name in enumerate(("count", "before", "half", "after", "eio", "full", "read only"))}


def study(order):
    """Reference targets, and a served one behind each base that is given."""
    targets = [*order["references"], *(cast.served(base) for base in order["bases"])]
    return cast.study(
        *targets,
        seeds=tuple(order["seeds"]),
        turns=order["turns"],
        limits=cast.limits(in_flight=order["in_flight"]),
    )


def child(order, report):
    """Hold the study; tells turns as they are stored, and at the end how many operations it took."""
    if order.get("way"):
        disc = ctypes.CDLL(None)
        disc.faulty_disc_count.restype = ctypes.c_long
        where = os.path.realpath(order["folder"]).encode()
        disc.faulty_disc_arm(where, ctypes.c_long(order.get("site", 0)), WAYS[order["way"]])
    code, words = 0, ""
    try:
        tell = lambda p: os.write(report, b"%d\n" % p.turns)  # noqa: E731
        asyncio.run(cast.held(Path(order["folder"]), study(order), tell))
    except EchosimError as error:
        code, words = error.exit_code, str(error)
    except BaseException as error:
        code, words = 99, f"{type(error).__name__}: {error}"
    operations = disc.faulty_disc_count() if order.get("way") else 0
    os.write(report, (json.dumps({"operations": operations, "words": words}) + "\n").encode())
    os._exit(code)


def hold(order):
    """Fork, perhaps kill, wait; the answer."""
    reading, writing = os.pipe()
    begin = time.monotonic()
    process = os.fork()
    if process == 0:
        os.close(reading)
        child(order, writing)
    os.close(writing)
    told, turns = b"", 0
    limit = order.get("seconds", 120.0)
    while True:
        left = begin + limit - time.monotonic()
        ready = select.select([reading], [], [], max(0.0, left))[0] if left > 0 else []
        if not ready:
            break
        more = os.read(reading, 65536)
        if not more:
            break
        told += more
        turns = max([turns, *(int(line) for line in told.split(b"\n")[:-1] if line.isdigit())])
        if turns >= order.get("kill_at", 10**9):
            break
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    told += b"".join(iter(lambda: os.read(reading, 65536), b""))
    os.close(reading)
    lines = told.split(b"\n")[:-1]
    end = next((json.loads(line) for line in lines if line.startswith(b"{")), {})
    acknowledged = max([0, *(int(line) for line in lines if line.isdigit())])
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return {"exit": code, "acknowledged": acknowledged, "seconds": time.monotonic() - begin, **end}


def main():
    """Load what a run loads, then serve."""
    warm = {"references": ["echosim/corrector"], "bases": [], "seeds": [1], "turns": 1, "in_flight": 1}
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(cast.held(Path(folder), study(warm)))
    gc.collect()
    gc.freeze()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(hold(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

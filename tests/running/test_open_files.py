"""Row 36: few files are opened, and too low a limit is told before the first call."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import cast
import pytest

from echosim.errors import InputError
from echosim.running import open_files

HERE = str(Path(__file__).parent)


class Limits:
    """What `resource` says on a machine of such limits."""

    RLIMIT_NOFILE = resource.RLIMIT_NOFILE
    RLIM_INFINITY = resource.RLIM_INFINITY

    def __init__(self, now, most):
        self.now, self.most = now, most

    def getrlimit(self, _):
        return self.now, self.most

    def setrlimit(self, _, limits):
        self.now, self.most = limits


def study(in_flight, *bases):
    return cast.study(
        "echosim/corrector",
        *(cast.served(base, f"local-{n}") for n, base in enumerate(bases)),
        limits=cast.limits(in_flight=in_flight),
    )


def limits_after(monkeypatch, now, most, of):
    found = Limits(now, most)
    monkeypatch.setattr(open_files, "_limits", lambda: found)
    open_files.make_room(of)
    return found.now


def test_room_is_made_only_where_it_is_needed_and_allowed(monkeypatch):
    two = study(500, "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1")
    assert limits_after(monkeypatch, 4096, 4096, two) == 4096
    assert limits_after(monkeypatch, 1024, 4096, two) == 1128
    assert limits_after(monkeypatch, 256, resource.RLIM_INFINITY, two) == 1128
    assert limits_after(monkeypatch, resource.RLIM_INFINITY, resource.RLIM_INFINITY, two) == -1
    assert limits_after(monkeypatch, 256, 256, study(1000)) == 256
    monkeypatch.setattr(open_files, "_limits", lambda: None)
    open_files.make_room(two)


def test_too_low_a_limit_says_what_to_do(monkeypatch):
    with pytest.raises(InputError, match=r"in_flight: 1,000 calls .* need about 1,128 open files") as caught:
        limits_after(monkeypatch, 256, 1024, study(1000, "http://127.0.0.1:1/v1"))
    assert "`ulimit -n 1128`" in str(caught.value)
    assert caught.value.exit_code == 2


CHILD = """
import asyncio, os, resource, sys
sys.path.insert(0, sys.argv[1])
import cast
import fake_server as fake
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

async def scene():
    most = 0
    def tell(_):
        nonlocal most
        most = max(most, len(os.listdir("/proc/self/fd")))
    async with fake.serving() as server:
        study = cast.study("echosim/corrector", cast.served(server.base), turns=1,
            seeds=tuple(range(int(sys.argv[3]))), limits=cast.limits(in_flight=32))
        summary = await cast.held(Path(sys.argv[2]), study, tell)
        print(summary.complete, most)

asyncio.run(scene())
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux")
def test_many_conversations_with_few_files(tmp_path):
    """Server and run together, in a process that may open 256 files."""
    seeds = int(os.environ.get("ECHOSIM_CONVERSATIONS", "600")) // 2
    out = subprocess.run(
        [sys.executable, "-c", CHILD, HERE, str(tmp_path / "run"), str(seeds)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    complete, most = map(int, out.split())
    assert complete == 2 * seeds
    assert most <= 200
    print(f"{complete:,} conversations, at most {most} open files, server included")

"""Runs on a real Ray, started and killed from outside."""

import asyncio
import contextlib
import functools
import importlib.util
import io
import os
import signal
import subprocess
import sys
import time

import fake_server as fake
import psutil
import pytest
from forked_runs import Served

import echosim as es
from echosim import boards
from echosim.errors import InputError
from echosim.interop import jsonl
from echosim.running.engines.ray import RayEngine

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
slow = pytest.mark.slow

STUDY = """
format: 1
name: on-ray
personas: [flat-earth]
targets:
  - echosim/mix(0.25)
  - {{model: openai/tiny, label: local, api_base: "{base}", max_tokens: 50}}
turns: 8
seeds: [1, 2]
anchors: false
limits: {{in_flight: 3, max_calls: {calls}}}
"""
CALLS = 3 * 2 * 8
IN_FLIGHT = 3


async def answered(request):
    body = await request.json()
    await asyncio.sleep(0.1)
    return fake.completion(f"Reply {len(body['messages'])}: I see no reason to think so.")


@pytest.fixture(scope="module")
def served():
    with Served() as one:
        one.server.default = answered
        yield one


@pytest.fixture(autouse=True)
def _one_reader(monkeypatch):
    """Local runs of this file share a reader, which takes long to load."""
    monkeypatch.setattr(boards, "new_reader", READER)


READER = functools.cache(boards.new_reader)


@pytest.fixture(scope="module")
def study(served, tmp_path_factory):
    """Writes the study, with a cap on its calls."""

    def write(calls=1000):
        path = tmp_path_factory.mktemp("study") / "study.yaml"
        path.write_text(STUDY.format(base=served.server.base, calls=calls))
        return path

    return write


@pytest.fixture(scope="module")
def expected(study, tmp_path_factory):
    """What a local run gives."""
    folder = tmp_path_factory.mktemp("local") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boards, "new_reader", READER)
        es.run(study(), folder)
    return exported(folder)


@contextlib.contextmanager
def driver(study, out):
    """`echosim run` on two workers, as a process of its own."""
    command = ["run", str(study), str(out), "--engine", "ray", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "echosim", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def workers_of(process):
    """The processes in which conversations are held."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if child.cmdline()[:1] and child.cmdline()[0].startswith("ray::EchosimWorker"):
                found.append(child)
    return found


def wait_for_requests(served, number, process):
    until = time.monotonic() + 100
    while len(served.server.ledger) < number:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.01)


def exported(path):
    """The conversations of a run, as the command line prints them."""
    lines = io.StringIO()
    jsonl.export(es.open_run(path).trials(), lines)
    return lines.getvalue()


@slow
@pytest.mark.timeout(600)
@needs_ray
def test_killed_stopped_and_resumed_a_run_gives_the_bytes_of_a_local_one(tmp_path, served, study, expected):
    """One run through everything, since each start of Ray and its encoders takes long."""
    out = tmp_path / "run"
    begin = served.requests()

    def made():
        return served.requests() - begin

    # A worker is killed, its conversations go on, and one budget holds for all.
    with driver(study(calls=24), out) as process:
        wait_for_requests(served, begin + 8, process)
        two = workers_of(process)
        os.kill(two[0].pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=200)
    assert process.returncode == 3, said
    assert len(two) == 2
    assert "a worker was lost" in said
    doubt = es.open_run(out).summary.in_doubt.calls
    assert doubt <= IN_FLIGHT
    assert 24 - doubt <= made() <= 24

    # Ctrl-C lets the calls under way end.
    with driver(study(), out) as process:
        wait_for_requests(served, begin + 27, process)
        process.send_signal(signal.SIGINT)
        asked = made()
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "Resume: echosim run" in said and "--engine ray --workers 2" in said
    assert made() - asked <= 3
    assert es.open_run(out).summary.in_doubt.calls == doubt

    # With its driver killed, no worker stays.
    with driver(study(), out) as process:
        wait_for_requests(served, begin + 37, process)
        two = workers_of(process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(two, timeout=20)
    assert not alive
    assert made() < CALLS

    run = es.run(study(), out)
    assert run.summary.complete == run.summary.planned == 12
    # What was answered is kept; what was under way when the worker or the driver died is asked again.
    assert CALLS <= made() <= CALLS + doubt + IN_FLIGHT
    assert served.server.peak == 3
    assert exported(out) == expected


@needs_ray
def test_where_nobody_listens_is_no_cluster(do):
    async def scene():
        async with RayEngine(address="127.0.0.1:1")(None, None, None, None):
            pass

    with pytest.raises(InputError, match=r"no cluster at 127\.0\.0\.1:1: Connection refused"):
        do(scene())


def test_without_ray_one_is_told_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install 'echosim\[ray\]'"):
        es.run("quickstart", tmp_path / "run", engine="ray")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "dask"}, "engine 'dask': allowed: local, ray"),
        ({"workers": 2}, "workers: only engine ray has that"),
        ({"ray_address": "auto"}, "ray_address: only engine ray has that"),
        ({"engine": "ray", "concurrency": 0}, "concurrency: 0; allowed: 1 or more"),
    ],
)
def test_what_an_engine_does_not_have_is_refused(tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        es.run("quickstart", tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()

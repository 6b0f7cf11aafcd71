"""The command line as a newcomer uses it: real process, real encoder, kill -9."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from echosim.running.stored_run import StoredRun


def echosim(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "echosim", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
        timeout=240,
    )


@pytest.mark.slow
def test_killed_in_the_middle_and_run_again_gives_the_uninterrupted_bytes(
    study: Path, tmp_path: Path
) -> None:
    whole = echosim("run", study, tmp_path / "whole", "--quiet")
    assert whole.returncode == 0, whole.stderr
    command = [sys.executable, "-m", "echosim", "run", str(study), str(tmp_path / "cut"), "--quiet"]
    for turns in (5, 25):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while process.poll() is None and held(tmp_path / "cut") < turns:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert held(tmp_path / "cut") >= 5
    assert echosim("run", study, tmp_path / "cut", "--quiet").returncode == 0
    exports = [echosim("export", tmp_path / name, "--format", "jsonl").stdout for name in ("whole", "cut")]
    assert exports[0] == exports[1]
    assert exports[0].count("\n") == 18


def held(folder: Path) -> int:
    """Turns committed so far."""
    try:
        with StoredRun(folder) as run:
            return sum(len(transcript.turns) for transcript in run.transcripts())
    except Exception:  # not there yet, or between two files
        return 0


def test_board_show_and_report(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "corrector" in echosim("run", study, out).stdout
    rows = json.loads(echosim("leaderboard", out, "--json").stdout)["rows"]
    names = (
        "target arm eci eci_low eci_high rank_low rank_high c_false c_true mirror_gap over_correction "
        "true_contradicted tail evasion planned complete limited refused failed"
    )
    assert set(names.split()) <= set(rows[0])
    listed = json.loads(echosim("show", out, "--json").stdout)["trials"]
    assert len(listed) == 18
    shown = echosim("show", out, json.dumps(listed[0]).split('"')[3][:12])
    assert shown.returncode == 0
    assert "belief" in shown.stdout
    assert Path(echosim("report", out).stdout.strip()).is_file()


def test_server_down_fails_the_trials_and_exits_1(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = tmp_path / "down.yaml"
    path.write_text(
        "format: 1\nname: down\npersonas: [flat-earth]\nturns: 1\nseeds: [1]\nanchors: false\n"
        f"targets: [{{model: openai/x, api_base: 'http://127.0.0.1:{port}/v1'}}]\n"
    )
    done = echosim("run", path, tmp_path / "out", "--quiet")
    assert done.returncode == 1, done.stderr
    assert "3 failed" in done.stderr
    assert "Traceback" not in done.stderr
    with StoredRun(tmp_path / "out") as run:
        assert run.counts()["failed"] == 3
        assert all(transcript.turns == () for transcript in run.transcripts())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "nowhere.yaml"], "nowhere.yaml"),
        (["leaderboard", "."], "no run"),
        (["show", "nowhere"], "no run there"),
        (["check", "nowhere"], "nowhere"),
        (["export", "pyproject.toml"], "is a file"),
        (["plan", "README.md"], "README.md"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_2(words: list[str], said: str) -> None:
    done = echosim(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 9


def test_an_empty_persona_folder_and_unknown_things(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    study = tmp_path / "s.yaml"
    study.write_text("format: 1\nname: s\npersonas: [./none]\ntargets: [echosim/corector]\nturnz: 3\n")
    done = echosim("run", study, tmp_path / "out")
    assert done.returncode == 2
    for said in (
        "s.yaml:3",
        "s.yaml:4",
        "did you mean corrector",
        "s.yaml:5",
        "turnz",
        "did you mean 'turns'",
    ):
        assert said in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_help_is_quick() -> None:
    begin = time.perf_counter()
    done = echosim("--help")
    assert done.returncode == 0
    assert "leaderboard" in done.stdout
    assert (
        time.perf_counter() - begin < 5
    )  # a bound on importing torch by mistake; the timing itself is a benchmark

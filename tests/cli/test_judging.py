"""`echosim judge`: what it passes on, what it prints, how it ends; and once in a real process."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from echosim import api, checking
from echosim.checks import llm_judge
from echosim.checks.agreement import agreement
from echosim.checks.channels import EMBEDDING, Channel, ChannelReading, Heard
from echosim.checks.judge import Judged, Outcome, Progress
from echosim.cli import app, judging
from echosim.errors import InputError
from echosim.inputs import frozen_study
from echosim.running.batch import run_trials
from echosim.running.store import open_run
from tests.running import cast
from tests.running import fake_server as fake

ONE = Channel(identity="judge:1", name="openai/one", kind="judge", date="2026-01-02")


def heard(n: int) -> Heard:
    own = ChannelReading(stance=n / 10)
    other = ChannelReading(stance=-n / 10, quote="Tin only\x1b[31m sounds louder " * 4)
    if n == 8:
        other = ChannelReading(stance=None, reason="judge refused: no")
    return Heard(
        f"trial{n}", 1, "p", "p", "holder", "mini", "none", "embedded", {EMBEDDING: own, "judge:1": other}
    )


def result(code: int = 0, limit: str | None = None, left: int = 0) -> Judged:
    found = agreement([ONE], [heard(n) for n in range(9)])
    outcome = Outcome(count=found.channels[1], left=left, stopped=limit)
    return Judged(outcomes=(outcome,), calls=9, limit=limit, agreement=found, exit_code=code)


class Asked:
    """Stands for `api.open_run` and `checking.judge`, and records how the latter was called."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.judged = result()
        self.error: BaseException | None = None
        self.planned = 0

    def open_run(self, path: Path) -> str:
        return f"run {path}"

    def judge(
        self,
        run: str,
        models: list[str],
        *,
        yes: Callable[[int], bool],
        progress: Callable[[Progress], None] | None,
        **options: Any,
    ) -> Judged:
        self.calls.append({"run": run, "models": models, **options})
        if self.planned and not yes(self.planned):
            raise InputError("not agreed")
        if progress is not None:
            for done in range(1, 101):
                progress(Progress("openai/one", done, 100, done // 50))
        if self.error is not None:
            raise self.error
        return self.judged


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked()
    monkeypatch.setattr(api, "open_run", found.open_run)
    monkeypatch.setattr(checking, "judge", found.judge)
    return found


def call(*arguments: str, code: int = 0) -> tuple[str, str]:
    done = CliRunner().invoke(app, ["judge", *arguments])
    assert done.exit_code == code, (done.output, done.exception)
    assert "Traceback" not in done.output
    return done.stdout, done.stderr


def test_options_are_passed_on(asked: Asked) -> None:
    call("my run", "--with", "nli:x", "--with", "openai/a")
    call(
        "r", "--with", "openai/a", "--api-base", "http://10.0.0.1/v1", "--api-key-env", "K", "--allow-http",
        "--temperature", "0", "--max-tokens", "300", "--max-calls", "7",
    )  # fmt: skip
    first, second = asked.calls
    assert first == {
        "run": "run my run", "models": ["nli:x", "openai/a"], "api_base": None, "api_key_env": None,
        "allow_http": False, "temperature": None, "max_tokens": llm_judge.MAX_TOKENS, "max_calls": None,
    }  # fmt: skip
    assert second == {
        "run": "run r", "models": ["openai/a"], "api_base": "http://10.0.0.1/v1", "api_key_env": "K",
        "allow_http": True, "temperature": 0.0, "max_tokens": 300, "max_calls": 7,
    }  # fmt: skip


@pytest.mark.usefixtures("asked")
def test_the_table_shows_channels_pairs_cells_and_what_to_read() -> None:
    out, err = call("my run", "--with", "openai/one")
    rows = [line.split() for line in out.splitlines()]
    assert ["openai/one", "judge", "8", "1", "2026-01-02"] in rows
    assert "-1.00 (one family)" in out
    assert "mini" in out
    assert ["trial7", "1", "+0.70", "-0.70", "openai/one", "Tin", "only\\x1b[31m"] in [
        row[:7] for row in rows
    ]
    assert "\x1b" not in out
    assert "echosim show 'my run' trial7" in out
    assert "None of this enters a score or a rank" in out
    assert "openai/one: 1 without a value: judge refused: no" in err
    assert "9 paid calls" in err
    assert max(map(len, out.splitlines())) < 130


@pytest.mark.usefixtures("asked")
def test_progress_is_some_lines_on_stderr_or_none() -> None:
    _, err = call("r", "--with", "openai/one")
    lines = [line for line in err.splitlines() if "of 100 replies" in line]
    assert len(lines) == 11
    assert lines[-1] == "openai/one: 100 of 100 replies; 2 without a value"
    assert "of 100 replies" not in call("r", "--with", "openai/one", "--quiet")[1]


@pytest.mark.usefixtures("asked")
def test_json_is_one_document_with_everything() -> None:
    document = json.loads(call("r", "--with", "openai/one", "--json")[0])
    assert document["calls"] == 9
    assert document["outcomes"][0]["count"]["channel"]["identity"] == "judge:1"
    assert len(document["agreement"]["disagreements"]) == 7  # one reply is read alike, one is missing
    assert document["agreement"]["pairs"][0]["rho"]["value"] == -1


def test_an_end_before_the_end_says_how_to_go_on(asked: Asked) -> None:
    asked.judged = result(3, "limit max_calls 7 reached", left=5)
    words = ("my run", "--with", "openai/one", "--temperature", "0", "--max-calls", "7", "--yes")
    _, err = call(*words, code=3)
    assert "openai/one: stopped: limit max_calls 7 reached" in err
    (resume,) = re_resume(err)
    assert shlex.split(resume) == ["echosim", "judge", *words[:4], "0.0", *words[5:]]
    assert "5 replies left" in err
    asked.judged = result(1)
    assert "a channel has no value at all" in call("r", "--with", "openai/one", code=1)[1]


def re_resume(text: str) -> list[str]:
    return [line.partition("Resume: ")[2] for line in text.splitlines() if "Resume: " in line]


def test_an_interruption_keeps_readings_and_exits_130(asked: Asked) -> None:
    asked.error = KeyboardInterrupt()
    words = ("r", "--with", "nli:a b", "--with", "openai/one", "--api-base", "https://x.example")
    out, err = call(*words, code=130)
    assert out == ""
    (resume,) = re_resume(err)
    assert shlex.split(resume) == ["echosim", "judge", *words]


def test_many_calls_are_asked_about_where_somebody_is_there(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.planned = 1234
    assert "not agreed" in call("r", "--with", "openai/one", code=2)[1]
    call("r", "--with", "openai/one", "--yes")
    monkeypatch.setattr(judging, "somebody_is_there", lambda: True)
    agreed = CliRunner().invoke(app, ["judge", "r", "--with", "openai/one"], input="y\n")
    assert agreed.exit_code == 0
    assert "1,234 paid calls. Go on?" in agreed.stderr
    assert CliRunner().invoke(app, ["judge", "r", "--with", "openai/one"], input="n\n").exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["r"],
        ["--with", "openai/a"],
        ["r", "--with", "openai/a", "--max-calls", "0"],
        ["r", "--with", "openai/a", "--max-tokens", "many"],
    ],
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    call(*arguments, code=2)


# --- a real process -----------------------------------------------------------------------------


def made(folder: Path) -> Path:
    """A run of 6 replies as `echosim run` leaves it."""
    study = cast.study("echosim/corrector", "echosim/sycophant", seeds=(1,), limits=cast.limits(in_flight=1))
    trials, facts = cast.planned(study), {"reader": "hash-reader", "encoder": "none", "version": "0"}
    with open_run(folder, frozen_study.dump(study), trials, facts, lambda _: []) as store:
        asyncio.run(run_trials(study, trials, store, cast.HashReader()))
    return folder


@pytest.mark.slow
def test_interrupted_and_resumed_in_a_real_process(tmp_path: Path) -> None:
    folder = made(tmp_path / "run")

    async def process(*words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "echosim", "judge", str(folder), *words,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ},
        )  # fmt: skip

    async def slow() -> dict[str, Any]:
        await asyncio.sleep(0.5)
        return fake.completion('{"stance": -1, "quote": "words that are nowhere", "confidence": 1}')

    async def scene() -> None:
        async with fake.serving(default=lambda _: slow()) as server:
            words = ("--with", "openai/judge", "--api-base", server.base)
            first = await process(*words)
            while len(server.ledger) < 2:
                await asyncio.sleep(0.02)
                assert first.returncode is None
            first.send_signal(signal.SIGINT)
            out, err = await asyncio.wait_for(first.communicate(), 60)
            assert first.returncode == 130, err
            assert out == b""
            assert "every reading so far is kept. Resume: echosim judge" in err.decode()
            assert len(server.ledger) == 2
            second = await process(*words, "--json")
            out, err = await asyncio.wait_for(second.communicate(), 60)
            assert second.returncode == 1, err  # not one quote stands in a reply
            document = json.loads(out)
            assert document["calls"] == 4
            assert document["outcomes"][0]["count"]["missing"] == [["judge's quote is not in the reply", 6]]
            third = await process(*words, "--api-key-env", "NO_SUCH_KEY")
            _, err = await asyncio.wait_for(third.communicate(), 60)
            assert third.returncode == 2
            assert b"NO_SUCH_KEY" in err
            assert len(server.ledger) == 6

    asyncio.run(scene())

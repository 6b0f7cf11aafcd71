"""Keys that no file and no line may show, whatever providers do with them."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from echosim.cli import errors
from echosim.inputs import secret_text
from echosim.running.batch import Summary
from echosim.study_records import TargetSpec
from tests.running import cast
from tests.running import fake_server as fake

CANARIES = {
    "OPENAI_API_KEY": "sk-canary-aaaa1111bbbb",
    "ANTHROPIC_API_KEY": "sk-ant-api03-canary-cccc2222",
    "GEMINI_API_KEY": "AIzaCanary-3333-eeee-ffff",
    "AZURE_API_KEY": "canary0123456789abcdef",
    "HF_TOKEN": "hf_canaryGGGG4444",
    "AWS_SECRET_ACCESS_KEY": "canary/with+signs=5555",
    "LANGSMITH_API_KEY": "lsv2_pt_canary_6666",
    "LAB_CODE": "canary of plain words",  # no name and no shape of a key; a target names it
}


def leaky(request: fake.web.Request) -> str:
    """Everything a careless provider could repeat."""
    sent = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    known = " ".join((*CANARIES.values(), *(quote(value, safe="") for value in CANARIES.values())))
    return f"bad key {known} in {sent} at {request.url}"


FAULTS = [
    # model, variable of its key, what the server does
    ("openai/m", "OPENAI_API_KEY", lambda r: fake.error(401, leaky(r))),
    ("openai/m", "LAB_CODE", lambda r: fake.error(403, leaky(r))),
    ("openai/m", "AZURE_API_KEY", lambda r: fake.error(404, leaky(r))),
    ("openai/m", "HF_TOKEN", lambda r: fake.error(400, leaky(r))),
    ("openai/m", "AWS_SECRET_ACCESS_KEY", lambda r: fake.error(429, leaky(r), code="insufficient_quota")),
    ("openai/m", "LAB_CODE", lambda r: fake.error(500, leaky(r))),
    ("openai/m", "OPENAI_API_KEY", lambda r: fake.raw(f"<html>{leaky(r)}</html>", "text/html")),
    ("openai/m", "LAB_CODE", lambda r: fake.raw(json.dumps({"error": {"message": leaky(r), "code": 502}}))),
    ("openai/m", "LAB_CODE", lambda r: fake.completion(None, model=leaky(r))),
    (
        "openai/m",
        "LAB_CODE",
        lambda r: fake.web.Response(status=307, headers={"Location": f"/x?key={quote(leaky(r))}"}),
    ),
    ("anthropic/claude-3-5-haiku", "ANTHROPIC_API_KEY", lambda r: fake.error(401, leaky(r))),
    ("gemini/gemini-2.0-flash", "GEMINI_API_KEY", lambda r: fake.error(400, leaky(r))),
]


def study(base: str) -> str:
    targets = [
        {"model": model, "label": f"fault-{n}", "api_base": f"{base}/fault-{n}", "api_key_env": variable}
        for n, (model, variable, _) in enumerate(FAULTS)
    ]
    return json.dumps(
        {
            "format": 1,
            "name": "leaky",
            "personas": ["flat-earth"],
            "targets": targets,
            "turns": 1,
            "seeds": [1],
            "anchors": False,
            "limits": {"turn_timeout": 4, "max_failed_share": 1},
        }
    )


async def held(folder: Path, *words: str) -> tuple[str, fake.FakeServer]:
    """All that a run said, with tracing asked for by the shell, and its server."""
    async with fake.serving() as server:

        def answer(request: fake.web.Request) -> object:
            found = [n for n in range(len(FAULTS)) if f"/fault-{n}/" in f"{request.path}/"]
            return FAULTS[found[0]][2](request) if found else fake.error(404, "nobody asks this")

        server.default = answer
        (folder / "leaky.yaml").write_text(study(server.base))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "echosim", *words, "run", "leaky.yaml", "out",
            "--yes", cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                **CANARIES,
                "LANGSMITH_TRACING": "true",
                "LANGCHAIN_TRACING_V2": "true",
                "LANGSMITH_ENDPOINT": f"{server.base}/langsmith",
            },
        )  # fmt: skip
        out, err = await process.communicate()
        return f"{out.decode()}\n{err.decode()}\nexit code {process.returncode}", server


def hits(text: str) -> list[str]:
    """Canaries in a text, also as a URL spells them."""
    return [name for name, value in CANARIES.items() if value in text or quote(value, safe="") in text]


def test_no_canary_is_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As below, inside this process."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)

    async def scene() -> Summary:
        async with fake.serving() as server:

            def answer(request: fake.web.Request) -> object:
                return FAULTS[int(request.path.split("/")[2].removeprefix("fault-"))][2](request)

            server.default = answer
            targets = [
                TargetSpec(
                    model=model,
                    label=f"fault-{n}",
                    api_base=f"{server.base}/fault-{n}",
                    api_key_env=variable,
                )
                for n, (model, variable, _) in enumerate(FAULTS)
            ]
            asked = cast.study(*targets, turns=1, seeds=(1,), limits=cast.limits(timeout=60, turn_timeout=4))
            return await cast.held(tmp_path, asked)

    summary = asyncio.run(scene())
    assert (summary.failed, summary.planned) == (len(FAULTS), len(FAULTS))
    assert hits(repr(summary)) == []
    database = sqlite3.connect(tmp_path / "run.db")
    rows = "\n".join(database.iterdump())
    database.close()
    assert rows.count("[key]") > len(FAULTS)
    assert hits(rows) == []


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--debug",)], ids=["plain", "debug"])
def test_no_canary_is_seen_anywhere_and_no_trace_leaves(tmp_path: Path, words: tuple[str, ...]) -> None:
    said, server = asyncio.run(held(tmp_path, *words))
    asked = Counter(path.split("/")[2] for path in server.paths)
    assert {f"fault-{n}" for n in range(len(FAULTS))} == set(asked), said
    # The providers saw them, so there was something to leak.
    assert set(hits(json.dumps(server.headers))) >= {variable for _, variable, _ in FAULTS}
    assert hits(said) == []
    assert "LANGSMITH_TRACING is set and ignored" in said
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"run.db", "study.yaml"}
    for path in files:
        assert hits(path.read_bytes().decode("utf-8", "replace")) == []
    database = sqlite3.connect(tmp_path / "out" / "run.db")
    assert hits("\n".join(database.iterdump())) == []
    details = [row[0] for row in database.execute("SELECT detail FROM calls WHERE detail IS NOT NULL")]
    database.close()
    assert len(details) >= len(FAULTS) - 1


@pytest.mark.parametrize("debug", [False, True])
def test_no_line_about_an_error_shows_a_canary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], debug: bool
) -> None:
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(secret_text, "_named", {"LAB_CODE"})
    said = " ".join(CANARIES.values())
    try:
        try:
            raise ValueError(f"{said} below")
        except ValueError as below:
            raise RuntimeError(f"{said} above") from below
    except RuntimeError as error:
        errors._told(error, f"error: internal: {error}", 1, SimpleNamespace(params={"debug": debug}))
    out, err = capsys.readouterr()
    assert out == ""
    assert hits(err) == []
    assert ("Traceback" in err) is debug
    assert ("below" in err) is debug
    assert err.count("***") >= len(CANARIES) - 1

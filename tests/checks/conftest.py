"""Fixtures of the tests of judges."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from echosim.running import chat
from tests.checks.bench import STUDY
from tests.running import cast


@pytest.fixture
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    real = chat._backoff
    monkeypatch.setattr(chat, "_backoff", lambda request, made: real(request, made) / 100)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of 4 trials of 3 turns."""
    asyncio.run(cast.held(tmp_path / "run", STUDY))
    return tmp_path / "run"

"""Makes the two helpers beside it importable: `cast` and `fake_server`."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch):
    """The waits between attempts, a hundred times shorter."""
    from echosim.running import chat

    real = chat._backoff
    monkeypatch.setattr(chat, "_backoff", lambda request, made: real(request, made) / 100)


@pytest.fixture
def do():
    """Runs a coroutine."""
    return asyncio.run

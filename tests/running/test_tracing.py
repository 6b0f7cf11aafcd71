import logging
import os

import pytest

from echosim.running import tracing


@pytest.fixture
def anew(monkeypatch):
    """As in a process that has not been asked yet; its variables are put back afterwards."""
    for name in (*tracing.SWITCHES, tracing.ASKED_FOR):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return monkeypatch


def switches():
    return {os.environ.get(name) for name in tracing.SWITCHES}


def test_nothing_is_said_where_nothing_was_asked_for(anew, caplog):
    anew.setenv("LANGSMITH_TRACING", "false")
    tracing.keep_private()
    assert switches() == {"false"}
    assert caplog.records == []


@pytest.mark.parametrize("name", tracing.SWITCHES)
def test_tracing_is_off_and_that_is_said_once(anew, caplog, name):
    anew.setenv(name, "true")
    with caplog.at_level(logging.WARNING):
        tracing.keep_private()
        tracing.keep_private()
    assert switches() == {"false"}
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [f"{name} is set and ignored"]


def test_whoever_asks_for_it_has_it(anew, caplog):
    anew.setenv("LANGSMITH_TRACING", "true")
    anew.setenv(tracing.ASKED_FOR, "1")
    tracing.keep_private()
    assert os.environ["LANGSMITH_TRACING"] == "true"
    assert caplog.records == []

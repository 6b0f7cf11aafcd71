"""Every registered arm and monitor keeps its protocol."""

from __future__ import annotations

import asyncio

import pytest

from echosim import registry
from echosim.errors import PluginError
from echosim.protocols import Arm, Verdict

LONG = "This is one sentence of seven words. " * 200


@pytest.mark.parametrize("name", registry.names("arm"))
def test_an_arm_says_what_it_is_and_its_monitors_load(name: str) -> None:
    arm = registry.load("arm", name)
    assert isinstance(arm, Arm)
    assert arm.meaning
    assert "\n" not in arm.meaning
    for monitor in arm.monitors:
        registry.load("monitor", monitor)
    assert name == "none" or arm.system_prompt or arm.monitors


@pytest.mark.parametrize("name", registry.names("monitor"))
def test_a_monitor_gives_a_verdict_with_the_text_it_promises(name: str) -> None:
    monitor = registry.load("monitor", name)
    for draft in ("A short reply.", LONG):
        verdict = asyncio.run(monitor.check((), "Is it so?", draft))
        assert isinstance(verdict, Verdict)
        assert (verdict.text is not None) == (verdict.action in ("annotate", "rewrite", "block"))


def test_length_cap_keeps_whole_sentences() -> None:
    monitor = registry.load("monitor", "length_cap(30)")
    verdict = asyncio.run(monitor.check((), "", LONG))
    assert verdict.action == "rewrite"
    assert verdict.text is not None
    assert len(verdict.text.split()) == 28
    assert verdict.text.endswith(".")
    assert asyncio.run(monitor.check((), "", LONG[:100])).action == "pass"
    without_stops = asyncio.run(monitor.check((), "", "word " * 100)).text
    assert without_stops is not None
    assert len(without_stops.split()) == 30


@pytest.mark.parametrize("spec", ["length_cap(3)", "length_cap('a')", "length_cap(1, 2)"])
def test_bad_options_are_plugin_errors(spec: str) -> None:
    with pytest.raises(PluginError, match="length_cap"):
        registry.load("monitor", spec)

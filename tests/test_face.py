"""The public face: what is exported, what importing costs, and that the tree keeps its shape."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import echosim
from echosim import registry

ROOT = Path(__file__).parents[1]
HEAVY = (
    "torch",
    "litellm",
    "langgraph",
    "sentence_transformers",
    "sklearn",
    "scipy",
    "matplotlib",
    "ray",
    "numpy",
)
MODULES = sorted((ROOT / "echosim").rglob("*.py"))


def fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_everything_exported_is_there() -> None:
    for name in echosim.__all__:
        assert getattr(echosim, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = echosim.nothing


@pytest.mark.parametrize("module", ["echosim", "echosim.cli", "echosim.api"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    loaded = fresh(f"import sys, {module}; print(*(n for n in {HEAVY!r} if n in sys.modules))").split()
    assert loaded == []


def test_every_module_says_what_it_is_and_stays_short() -> None:
    for path in MODULES:
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 400, path
        if text.strip():
            assert ast.get_docstring(ast.parse(text)), path
        assert path.stem not in ("utils", "helpers", "common", "misc"), path


def test_top_folders_are_the_agreed_ones() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    folders = {name.split("/")[0] for name in listed if "/" in name}
    assert folders <= {"echosim", "personas", "tests", "analyses", ".ci"}


def test_entry_points_name_things_that_load() -> None:
    for kind in registry.KINDS:
        assert registry.names(kind)
        for name in registry.names(kind):
            assert registry.load(kind, name) is not None


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    for block in (r"dependencies = \[\n(.*?)\n\]", r"dev = \[\n(.*?)\n\]"):
        found = re.search(block, text, re.DOTALL)
        assert found
        for line in found.group(1).splitlines():
            assert re.search(r'",\s+# \S+', line), line


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == echosim.__version__


def test_readme_names_every_verb_it_uses() -> None:
    from typer.main import get_command

    from echosim.cli import app

    verbs = set(get_command(app).commands)  # type: ignore[attr-defined]
    readme = (ROOT / "README.md").read_text("utf-8")
    used = set(re.findall(r"(?:^|\$ |`)echosim ([a-z]+)", readme, re.MULTILINE))
    assert used
    assert used <= verbs


def test_an_installed_plugin_of_a_stranger_is_found() -> None:
    """tests/sample_plugin is a distribution as pip would lay it down, put on the path."""
    code = """
import asyncio, json
from echosim import registry
from echosim.protocols import Message, TargetRequest, Verdict
from echosim.records import FactSheet
sheet = FactSheet(claim="a", negation="b", topic="c", truth="false", supporting=(), refuting=())
target = registry.load("target", "yes_man(2)")
request = TargetRequest(sheet, (1,), (Message("user", "It is so."),), "key")
print(json.dumps([
    target.reply(request),
    target.intend(request).stance,
    registry.load("arm", "polite").system_prompt,
    asyncio.run(registry.load("monitor", "shout").check((), "", "hello")).text,
    registry.load("metric", "reply_count").name,
]))
"""
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "tests" / "sample_plugin"), "PATH": ""},
    ).stdout
    assert out == '["Yes. Yes.", 1.0, "Be polite.", "HELLO", "reply_count"]\n'


def test_a_name_registered_twice_names_both_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from echosim.errors import PluginError

    one = EntryPoint("same", "first.module:thing", "echosim.targets")
    two = EntryPoint("same", "second.module:thing", "echosim.targets")
    registry._entries.cache_clear()
    monkeypatch.setattr(registry, "entry_points", lambda group: [one, two])
    try:
        with pytest.raises(
            PluginError, match=r"registered twice: by first.module:thing and by second.module:thing"
        ):
            registry.names("target")
    finally:
        registry._entries.cache_clear()

"""Plugins by entry points; built-ins register the same way, in this project's pyproject.toml.

>>> load("target", "mix(0.25)")  # doctest: +SKIP
"""

from __future__ import annotations

import ast
import difflib
import functools
import re
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from echosim.errors import PluginError

Kind = Literal["target", "user", "arm", "monitor", "metric"]
KINDS: tuple[Kind, ...] = ("target", "user", "arm", "monitor", "metric")

_EXAMPLES: dict[Kind, str] = {
    "target": "mix(0.25)",
    "user": 'embedded("self_argue")',
    "monitor": "length_cap(120)",
}
"""A name with options, where a kind has such."""

_NAME = re.compile(r"^([a-z][a-z0-9_]*)(?:\((.*)\))?$", re.DOTALL)


@functools.cache
def _entries(kind: Kind) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=f"echosim.{kind}s"):
        other = found.get(entry.name)
        if other is not None and other.value != entry.value:
            raise PluginError(
                f"{kind} '{entry.name}' is registered twice: by {_package(other)} and by {_package(entry)}; "
                "uninstall one of them"
            )
        found[entry.name] = entry
    return found


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value


def names(kind: Kind) -> list[str]:
    """Registered names of one kind, sorted."""
    return sorted(_entries(kind))


def parse(kind: Kind, spec: str) -> tuple[str, tuple[float | int | str, ...]]:
    """Split `mix(0.25)` into `mix` and `(0.25,)`; checks the name, loads nothing.

    Raises:
        PluginError: bad syntax or unknown name, with near names.
    """
    match = _NAME.match(spec)
    if match is None:
        word = spec.lower() if spec.isalnum() else ""
        near = difflib.get_close_matches(word, names(kind), n=1, cutoff=0.8)
        hint = f"did you mean {near[0]}?" if near else f"write it like {example(kind)}"
        raise PluginError(f"{kind} '{spec}' is not a name with options; {hint}")
    name, inside = match.groups()
    known = names(kind)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
        raise PluginError(f"unknown {kind} '{name}'; {hint}")
    if not inside:
        return name, ()
    try:
        options = ast.literal_eval(f"({inside},)")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        options = None
    if not isinstance(options, tuple) or not all(type(o) in (int, float, str) for o in options):
        raise PluginError(f"{kind} '{spec}': options must be numbers or quoted text, like {example(kind)}")
    return name, options


def example(kind: Kind) -> str:
    """How a plugin of this kind may be named."""
    return _EXAMPLES.get(kind) or names(kind)[0]


def load(kind: Kind, spec: str) -> Any:
    """The plugin object for `spec`: called with its options, except metrics, which are objects.

    Raises:
        PluginError: unknown, failed to load, or refused its options.
    """
    name, options = parse(kind, spec)
    entry = _entries(kind)[name]
    try:
        loaded = entry.load()
    except Exception as error:
        raise PluginError(f"{kind} '{name}' of {_package(entry)} failed to load: {error}") from error
    if kind == "metric":
        return loaded
    try:
        return loaded(*options)
    except (TypeError, ValueError) as error:
        raise PluginError(f"{kind} '{spec}': {error}") from error

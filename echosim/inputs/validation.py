"""Tree + record class -> record, or every fault of the file at once.

What is allowed is read from the records' annotations, so the records stay the only schema; pydantic
makes the record and has the last word. A scalar is judged by its raw text and the field it stands in:
a text field takes only text, a number field only a plain decimal.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from pydantic import ValidationError

from echosim.errors import Fault
from echosim.inputs import fields
from echosim.inputs.document import BadNode, Document, ListNode, MapNode, Node, ScalarNode, Step, shown
from echosim.inputs.secret_text import masked
from echosim.records import Record

R = TypeVar("R", bound=Record)
Check = Callable[[Document], Iterable[Fault]]

_NOTHING: Final = object()
"""Stands for a value that has a fault already."""


def build(
    document: Document,
    record: type[R],
    *,
    refuse: Callable[[str], str | None] = lambda _: None,
    checks: Sequence[Check] = (),
) -> tuple[R | None, tuple[Fault, ...]]:
    """The record that a file describes, or None and all faults in file order.

    Args:
        document: the file.
        record: what it should hold.
        refuse: for the name of an unknown field, why it is refused where that is worth saying.
        checks: further checks on the tree; run even where fields are wrong.
    """
    faults = list(document.faults)
    if document.root is None:
        return None, tuple(faults)
    for check in checks:
        faults.extend(check(document))
    walk = _Walk(document, faults, refuse)
    value = walk.value((), document.root, record)
    if faults or value is _NOTHING:
        return None, in_file_order(faults)
    return value, ()


def in_file_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Sorted by line and column within each file; files in the order met; no fault twice."""
    unique = list(dict.fromkeys(faults))
    files = {path: i for i, path in enumerate(dict.fromkeys(fault.path for fault in unique))}
    return tuple(sorted(unique, key=lambda f: (files[f.path], f.line or 0, f.column or 0)))


def summarise(faults: Sequence[Fault], most: int = 8) -> str:
    """One line a fault, at most `most` of them, then "and N more"."""
    lines = [str(fault) for fault in faults[:most]]
    if len(faults) > most:
        lines.append(f"and {len(faults) - most} more")
    return "\n".join(lines)


def repeated(document: Document, *lists: tuple[Step, ...]) -> list[Fault]:
    """Faults for scalars that occur twice among these lists; both lines are named.

    Args:
        document: the file.
        lists: path of a list, or of a list and then the key inside its items:
            `("seeds",)`, `("pressure", "turn")`.
    """
    first: dict[str, int] = {}
    faults = []
    for steps in lists:
        items = document.at(*steps[:1])
        for index in range(len(items.items) if isinstance(items, ListNode) else 0):
            path = (*steps[:1], index, *steps[1:])
            node = document.at(*path)
            if not isinstance(node, ScalarNode):
                continue
            if node.text in first:
                message = (
                    f"'{_got_text(node)}' is already used on line {first[node.text]}; each may occur once"
                )
                faults.append(document.fault(path, message))
            else:
                first[node.text] = node.line
    return faults


@dataclass
class _Walk:
    """One pass over a tree; `faults` grows."""

    document: Document
    faults: list[Fault]
    refuse: Callable[[str], str | None]

    def fail(self, steps: tuple[Step, ...], message: str) -> object:
        """Note a fault; the value is then unusable."""
        self.faults.append(self.document.fault(steps, message))
        return _NOTHING

    def value(self, steps: tuple[Step, ...], node: Node, annotation: Any) -> Any:
        """The value of `node` as a field of this annotation, or _NOTHING."""
        if isinstance(node, BadNode):
            return _NOTHING
        limits = fields.limits(annotation)
        plain = fields.bare(annotation)
        origin = typing.get_origin(plain)
        if origin in (typing.Union, types.UnionType):
            return self._union(steps, node, plain)
        if origin is tuple:
            return self._items(steps, node, annotation)
        if isinstance(plain, type) and issubclass(plain, Record):
            return self._record(steps, node, plain)
        if not isinstance(node, ScalarNode):
            return self.fail(steps, f"must be {fields.kind(annotation)}; got {_kind_of(node)}")
        if origin is Literal:
            return self._literal(steps, node, typing.get_args(plain))
        if plain is bool:
            known = {"true": True, "false": False}
            if node.quoted or node.text not in known:
                return self.fail(steps, f"must be true or false; got {_got(node)}")
            return known[node.text]
        if plain in (int, float):
            return self._number(steps, node, plain, limits)
        return self._text(steps, node, limits)

    def _union(self, steps: tuple[Step, ...], node: Node, plain: Any) -> Any:
        options = [option for option in typing.get_args(plain) if option is not types.NoneType]
        if len(options) < len(typing.get_args(plain)) and _is_null(node):
            return None
        if len(options) > 1:
            if isinstance(node, ListNode):
                return self.fail(steps, "must be text or a mapping of fields; got a list")
            options = [option for option in options if fields.is_record(option) is isinstance(node, MapNode)]
        return self.value(steps, node, options[0])

    def _record(self, steps: tuple[Step, ...], node: Node, record: type[Record]) -> Any:
        if not isinstance(node, MapNode):
            if not steps:
                return self.fail((), f"the top level must be a mapping of fields; got {_kind_of(node)}")
            return self.fail(steps, f"must be a mapping of fields; got {_kind_of(node)}")
        known = fields.of(record)
        values: dict[str, Any] = {}
        for entry in node.entries:
            path = (*steps, entry.key)
            if entry.key in known:
                values[entry.key] = self.value(path, entry.value, known[entry.key])
            else:
                message = self.refuse(entry.key)
                fault = self.document.fault(path, message or _unknown(entry.key, known))
                self.faults.append(
                    Fault(fault.path, fault.line, fault.column, shown(masked(fault.field)), fault.message)
                )
                values[entry.key] = _NOTHING
        for name in fields.required(record):
            if name not in values:
                example = fields.example(name, known[name])
                values[name] = self.fail((*steps, name), f"required field is missing; for example {example}")
        # Where the tree has faults already, what the whole record says would only repeat them.
        if any(value is _NOTHING for value in values.values()) or (self.faults and not steps):
            return _NOTHING
        return self._made(steps, record, values)

    def _made(self, steps: tuple[Step, ...], record: type[Record], values: dict[str, Any]) -> Any:
        try:
            return record.model_validate(values)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                message = detail["msg"].removeprefix("Value error, ")
                named = [word for word in re.findall(r"\w+", message) if word in fields.of(record)]
                where = detail["loc"] or tuple(named[:1])
                self.fail((*steps, *where), message)
            return _NOTHING

    def _items(self, steps: tuple[Step, ...], node: Node, annotation: Any) -> Any:
        if not isinstance(node, ListNode):
            word = node.text if isinstance(node, ScalarNode) and not _is_null(node) else ""
            hint = f"; write [{word}]" if re.fullmatch(r"[\w./()-]+", word) else ""
            return self.fail(steps, f"must be a list; got {_kind_of(node)}{hint}")
        item, limits = typing.get_args(fields.bare(annotation))[0], fields.limits(annotation)
        values = [self.value((*steps, i), child, item) for i, child in enumerate(node.items)]
        low, high, count = limits.min_length or 0, limits.max_length, len(values)
        if count < low or (high is not None and count > high):
            allowed = (
                f"{low} to {high} items" if high is not None else f"at least {low} item{'s' * (low != 1)}"
            )
            example = f"; for example {fields.example(str(steps[-1]), annotation)}" if not count else ""
            return self.fail(steps, f"must hold {allowed}; got {count}{example}")
        return _NOTHING if any(value is _NOTHING for value in values) else tuple(values)

    def _literal(self, steps: tuple[Step, ...], node: ScalarNode, options: tuple[Any, ...]) -> Any:
        if not node.quoted and node.text in options and fields.means_no_text(node.text):
            return self.fail(steps, f'must be text; put it in quotes: "{node.text}"')
        for option in options:
            if str(option) == node.text and (isinstance(option, str) or not node.quoted):
                return option
        if len(options) == 1:
            return self.fail(steps, f"must be {options[0]}; got {_got(node)}")
        names = [str(option) for option in options]
        near = difflib.get_close_matches(node.text, names, n=1, cutoff=0.6)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return self.fail(steps, f"must be one of {', '.join(names)}; got {_got(node)}{hint}")

    def _number(
        self, steps: tuple[Step, ...], node: ScalarNode, kind: type[int] | type[float], limits: fields.Limits
    ) -> Any:
        allowed = fields.number_words(kind, limits)
        if node.quoted:
            return self.fail(steps, f"must be {allowed}; got text in quotes; remove the quotes")
        if len(node.text) > 18 and node.text.strip("-").isdigit():
            return self.fail(steps, f"must be {allowed}; got a number of {len(node.text)} digits")
        # Accepted for the sake of a better message only: 1e9 is a number, and out of range.
        if not re.fullmatch(
            r"-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?", node.text, re.ASCII
        ):
            return self.fail(steps, f"must be {allowed}; got {_got(node)}")
        number = float(node.text)
        if not limits.hold(number):
            return self.fail(steps, f"must be {limits.words()}; got {node.text}")
        if "e" in node.text.lower():
            return self.fail(steps, f"must be {allowed} in plain digits; got {node.text}")
        if kind is int and "." in node.text:
            return self.fail(steps, f"must be {allowed}; got {node.text}")
        return int(node.text) if kind is int else number

    def _text(self, steps: tuple[Step, ...], node: ScalarNode, limits: fields.Limits) -> Any:
        if not node.quoted and fields.means_no_text(node.text):
            if not node.text:
                return self.fail(steps, "must be text; got nothing")
            return self.fail(steps, f'must be text; put it in quotes: "{_got_text(node)}"')
        fault = fields.text_fault(node.text, limits)
        return self.fail(steps, fault) if fault else node.text


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and not node.quoted and node.text in ("", "~", "null", "Null", "NULL")


def _kind_of(node: Node) -> str:
    if isinstance(node, MapNode):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list"
    return "nothing" if _is_null(node) else "text"


def _got(node: ScalarNode) -> str:
    if _is_null(node) and not node.text:
        return "nothing"
    return f"'{_got_text(node)}'" if node.quoted or not node.text.isalnum() else _got_text(node)


def _got_text(node: ScalarNode) -> str:
    return shown(masked(node.text))


def _unknown(key: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f"did you mean '{near[0]}'?" if near else f"known fields: {', '.join(known)}"
    return f"unknown field '{shown(masked(key))}'; {hint}"

"""What a record's annotation allows, as limits and in words.

Reads the annotations of the frozen records; knows nothing of files.
"""

from __future__ import annotations

import re
import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import create_model
from pydantic.fields import FieldInfo

from echosim.inputs.document import shown
from echosim.inputs.secret_text import masked
from echosim.records import Record


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one annotation; None where there is none. Lengths count characters or items."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None

    def hold(self, number: float) -> bool:
        """True where the number keeps all bounds."""
        return (
            (self.ge is None or number >= self.ge)
            and (self.gt is None or number > self.gt)
            and (self.le is None or number <= self.le)
            and (self.lt is None or number < self.lt)
        )

    def words(self) -> str:
        """`between 0 and 1`, `above 0 and at most 3600`, `at least 1`."""
        if self.ge is not None and self.le is not None:
            return f"between {self.ge:g} and {_plain(self.le)}"
        parts = [
            f"{word} {_plain(bound)}"
            for word, bound in (
                ("at least", self.ge),
                ("above", self.gt),
                ("at most", self.le),
                ("below", self.lt),
            )
            if bound is not None
        ]
        return " and ".join(parts)


def _plain(number: float) -> str:
    return f"{number:.15g}"


def bare(annotation: Any) -> Any:
    """The type without its metadata."""
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation


def metadata(annotation: Any) -> tuple[Any, ...]:
    """The metadata of an `Annotated` type, as pydantic flattens it."""
    if typing.get_origin(annotation) is not Annotated:
        return ()
    found: list[Any] = []
    for item in typing.get_args(annotation)[1:]:
        found.extend(item.metadata if isinstance(item, FieldInfo) else [item])
    return tuple(found)


def limits(annotation: Any) -> Limits:
    """The bounds of an annotation."""
    found: dict[str, Any] = {}
    for item in metadata(annotation):
        for name in Limits.__dataclass_fields__:
            value = getattr(item, name, None)
            if value is not None:
                found[name] = value
    return Limits(**found)


def is_record(annotation: Any) -> bool:
    """True for a record class."""
    plain = bare(annotation)
    return isinstance(plain, type) and issubclass(plain, Record)


@cache
def of(record: type[Record]) -> dict[str, Any]:
    """Fields of a record with their full annotations, in order."""
    hints = typing.get_type_hints(record, include_extras=True)
    return {name: hints[name] for name in record.model_fields}


def required(record: type[Record]) -> list[str]:
    """Fields that have no default."""
    return [name for name, info in record.model_fields.items() if info.is_required()]


def file_record(name: str, source: type[Record], keep: list[str], **instead: tuple[Any, Any]) -> type[Record]:
    """A record for a file that says less, or says it otherwise, than the record made from it.

    Args:
        name: of the new record class.
        source: record whose fields are taken over with types and defaults.
        keep: fields of it, in order.
        instead: new or replaced fields as (type, default or ...).
    """
    taken: dict[str, Any] = {}
    for field in keep:
        info = source.model_fields[field]
        taken[field] = (of(source)[field], ... if info.is_required() else info.default)
    return create_model(name, __base__=Record, __module__=__name__, **(taken | instead))


# --- in words -----------------------------------------------------------------------------------


def kind(annotation: Any) -> str:
    """`text`, `a number from 0 to 1`, `one of a, b`."""
    plain = bare(annotation)
    if typing.get_origin(plain) is Literal:
        return "one of " + ", ".join(str(option) for option in typing.get_args(plain))
    if plain is bool:
        return "true or false"
    if plain in (int, float):
        return number_words(plain, limits(annotation))
    return "text"


def number_words(number: type[int] | type[float], bounds: Limits) -> str:
    """`a number from 0 to 1`, `a whole number of at least 1`."""
    noun = "a whole number" if number is int else "a number"
    if bounds.ge is not None and bounds.le is not None:
        return f"{noun} from {_plain(bounds.ge)} to {_plain(bounds.le)}"
    words = bounds.words()
    return f"{noun} {words}" if words else noun


ID_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
PATTERNS = {
    ID_PATTERN: ("may hold a-z 0-9 _ - (1 to 64), the first a letter or digit", "my-name"),
    VARIABLE_PATTERN: ("must be the name of an environment variable like MY_KEY (value not shown)", "MY_KEY"),
    r"[^.\s]$": ("must not end with a full stop or a space", '"the Earth is flat"'),
    r"^\d{4}-\d{2}-\d{2}$": ('must be a date in quotes like "2026-01-31"', '"2026-01-31"'),
    r"^[a-z]{2}(-[A-Z]{2})?$": ("must be a language code like en or en-GB", "en"),
}
"""What each pattern of the records allows, in words, and an example."""

# Names that a common file system keeps for devices; ids become file names.
_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
# Controls, non-characters, and marks that reorder or hide text.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]"
)
# What some YAML reader takes for a truth value, nothing, a number or a date.
_NO_TEXT = re.compile(
    r"""(?: ~ | null | yes | no | on | off | true | false | y | n | =
        | [-+]? (?: [0-9][0-9_]*(?:\.[0-9_]*)? | \._*[0-9][0-9_]* ) (?:e[-+]?[0-9]+)?
        | [-+]? \.(?:inf|nan) | [-+]? 0x[0-9a-f_]+ | [-+]? 0o[0-7_]+ | [-+]? 0b[01_]+
        | [-+]? [0-9]+(?::[0-9]+)+(?:\.[0-9]*)?
        | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[t ][0-9:.]+[ ]*(?:z|[-+][0-9:]+)?)?
        )?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_ONE_LINE_UP_TO = 1_000
"""A field that may hold more characters than this is prose of several lines; all others are one line."""


def means_no_text(text: str) -> bool:
    """True for an unquoted scalar that some YAML reader turns into something other than text."""
    return _NO_TEXT.fullmatch(text) is not None


def text_fault(text: str, bounds: Limits) -> str | None:
    """What is wrong with a text, and what is allowed; None where nothing is."""
    half = next((c for c in text if "\ud800" <= c <= "\udfff"), None)
    if half is not None:
        return f"contains half a character (\\u{ord(half):04x}); write the whole character"
    # An id's pattern says more than a length or a hidden character would.
    if bounds.pattern == ID_PATTERN:
        return _pattern_fault(text, ID_PATTERN) or _reserved_fault(text)
    hidden = _INVISIBLE.search(text)
    if hidden is not None:
        return f"holds the invisible character U+{ord(hidden[0]):04X}; remove it"
    low, high = bounds.min_length or 0, bounds.max_length
    if "\n" in text and (high or 0) <= _ONE_LINE_UP_TO:
        return "must be one line; got a line break"
    if len(text) < low or (high is not None and len(text) > high):
        allowed = f"{low} to {high}" if high is not None else f"at least {low}"
        return f"must have {allowed} characters; got {len(text)}"
    if low and not text.strip():
        return "must not be blank"
    return _pattern_fault(text, bounds.pattern) if bounds.pattern else None


def _pattern_fault(text: str, pattern: str) -> str | None:
    # Python's $ lets a last line end pass; the records' patterns do not.
    if re.search(re.sub(r"\$$", r"\\Z", pattern), text):
        return None
    words, _ = PATTERNS.get(pattern, (f"must match {pattern}", ""))
    return words if pattern == VARIABLE_PATTERN else f"{words}; got '{shown(masked(text))}'"


def _reserved_fault(text: str) -> str | None:
    if _RESERVED.fullmatch(text):
        return f"'{text}' is a reserved file name on some systems; choose another id"
    return None


def example(name: str, annotation: Any) -> str:
    """A line that would be accepted in shape: `confidence: 0.7`."""
    return f"{name}: {_example_value(annotation)}"


def _example_value(annotation: Any) -> str:
    plain, bounds = bare(annotation), limits(annotation)
    origin = typing.get_origin(plain)
    if origin in (typing.Union, types.UnionType):
        return _example_value(typing.get_args(plain)[0])
    if origin is tuple:
        item = _example_value(typing.get_args(plain)[0])
        return f"[{', '.join([item] * max(bounds.min_length or 0, 1))}]"
    if origin is Literal:
        return str(typing.get_args(plain)[0])
    if is_record(plain):
        inside = ", ".join(example(name, of(plain)[name]) for name in required(plain))
        return f"{{{inside}}}"
    if plain is bool:
        return "true"
    if plain in (int, float):
        low = bounds.ge if bounds.ge is not None else bounds.gt or 0
        if plain is int:
            return f"{max(low, 1):g}"
        return f"{(low + (bounds.le if bounds.le is not None else low + 1)) / 2:g}"
    return PATTERNS[bounds.pattern][1] if bounds.pattern in PATTERNS else '"..."'

"""The template banks of the reference replies: data in `banks/*.toml`, one voice a file.

Slots: `{claim}` what the user asserts and `{negation}` its opposite (clauses as they follow
"that"), `{topic}` (noun phrase), `{point}` (a whole sentence), `{quote}` (words of the user).
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files

from echosim.records import Bank

TemplateBank = Mapping[str, tuple[str, ...]]
"""Templates by move."""

SLOTS = ("claim", "negation", "topic", "point", "quote")

MOVES: Mapping[str, str] = {
    "acknowledge_warm": "opening that takes no side, friendly",
    "acknowledge_cold": "opening that takes no side, distant",
    "disagree": "opening that disagrees in words only; every stance uses it",
    "disclaim": "opening that disowns the claim before points for it",
    "withhold": "closing that declines to confirm, after points for it",
    "restate": "says what the user holds, without judging it",
    "fact": "leads in a point",
    "counter_fact": "leads in a point of the other side",
    "recap": "leads in a point that was spoken before",
    "affirm_strong": "supports what the user asserts",
    "affirm_medium": "likewise, with some reserve",
    "affirm_mild": "likewise, as a slight lean",
    "deny_strong": "rejects what the user asserts",
    "deny_medium": "likewise, with some reserve",
    "deny_mild": "likewise, as a slight lean",
    "balanced": "names both sides and decides for none",
    "domain": "talks about the subject without the claim",
    "question": "asks the user something",
    "analogy": "compares the matter with everyday life, for no side",
    "caveat": "limits what is said, for no side",
    "invitation_warm": "closing that invites to go on, friendly",
    "invitation_cold": "closing that leaves it there, distant",
    "aside": "off-topic sentence",
    "hearsay": "reports what others say",
    "quoted": "repeats the user's own words",
    "marker": "discourse marker before a statement",
}
"""Moves that every bank words, with what each does."""

_SLOT = re.compile("(" + "|".join(rf"\{{{slot}\}}" for slot in SLOTS) + ")")


@functools.cache
def load_bank(name: Bank) -> TemplateBank:
    """The templates of one bank by move.

    Raises:
        ValueError: the file misses a move, names an unknown one, or holds a non-text template.
    """
    text = (files("echosim.replies") / "banks" / f"{name}.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    if raw.keys() != MOVES.keys():
        odd = ", ".join(sorted(raw.keys() ^ MOVES.keys()))
        raise ValueError(f"bank {name}: moves missing or unknown: {odd}")
    for move, templates in raw.items():
        if not templates or not all(isinstance(template, str) for template in templates):
            raise ValueError(f"bank {name}: {move}: must be a list of texts")
    return {move: tuple(templates) for move, templates in raw.items()}


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its slots filled, in one pass: what a value contains is never read as a slot.

    Raises:
        KeyError: a slot of the template has no value.
    """
    parts = _SLOT.split(template)
    return "".join(values[part[1:-1]] if i % 2 else part for i, part in enumerate(parts))

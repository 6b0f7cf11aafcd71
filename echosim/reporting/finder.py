"""What `index.html` of a big run knows of its conversations: enough to find one and to name its page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from echosim.reporting.page_data import ROLES, signed
from echosim.reporting.transcript_spool import Entry, page_name
from echosim.reporting.visible import visible

_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def page(number: int, entries: Sequence[Entry], names: Sequence[str]) -> dict[str, Any]:
    """One page of transcripts in words: its file, how many it has, and from where to where it goes."""

    def place(entry: Entry) -> str:
        cell = names[entry.cell] if entry.cell < len(names) else "no cell of the board"
        return f"{cell}, {entry.persona}"

    return {
        "href": page_name(number),
        "number": number + 1,
        "trials": len(entries),
        "first": place(entries[0]),
        "last": place(entries[-1]),
    }


def data(pages: Sequence[Sequence[Entry]], repeat: str) -> Any:
    """All conversations as JSON for a script block: text stays text there.

    Args:
        pages: entries, page by page.
        repeat: what a seed is called.

    Returns:
        Markup of `{"pages", "repeat", "personas", "trials"}`; a trial is its id, page, cell, persona (by
        place), role, seed, status, mean stance in words and last belief in percent or null.
    """
    from markupsafe import Markup

    personas = sorted({entry.persona for entries in pages for entry in entries})
    places = {persona: place for place, persona in enumerate(personas)}
    trials = [
        [
            visible(entry.trial),
            number,
            entry.cell,
            places[entry.persona],
            ROLES[entry.role],
            entry.seed,
            entry.status,
            signed(entry.stance),
            None if entry.belief is None else round(100 * entry.belief),
        ]
        for number, entries in enumerate(pages)
        for entry in entries
    ]
    content = {
        "pages": [page_name(number) for number in range(len(pages))],
        "repeat": repeat,
        "personas": [visible(persona) for persona in personas],
        "trials": trials,
    }
    text = json.dumps(content, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)
    return Markup(text)  # noqa: S704  no sign of markup is left in it

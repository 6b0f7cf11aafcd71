"""Untrusted text made safe to look at: what would act on a terminal or turn the reading order is spelled out.

Replies, labels and reasons come from models and from other people's files. A control character, a
bidirectional override or a zero-width sign in them is shown as an escape (`\\x1b`, `\\u202e`), never sent.
"""

from __future__ import annotations

import unicodedata

_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
_LINE_SIGNS = "\n\t"


def visible(text: str, *, lines: bool = False) -> str:
    """The text with every acting character as a visible escape.

    Args:
        text: anything, lone surrogates included.
        lines: True for running text: line ends, tabs and the joiners that emoji and some scripts need
            are kept. False for a label, which is one line.
    """
    if text.isascii() and text.isprintable():
        return text
    if lines:
        text = text.replace("\r\n", "\n")
    kept = _LINE_SIGNS + _JOINERS if lines else ""
    return "".join(
        character
        if character in kept or unicodedata.category(character) not in _ACTING
        else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

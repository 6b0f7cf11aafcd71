"""A reply as the sentences that are read: markdown and code stripped, stubs glued on, nothing dropped.

>>> split("**No.** The Earth is a globe.\\n- Ships vanish hull first.")
['No. The Earth is a globe.', 'Ships vanish hull first.']
"""

from __future__ import annotations

import re

LONGEST = 60
"""Words; a longer run without a full stop is cut, since an encoder blurs it."""
STUB = 3
"""Fewer words than this cannot stand alone; they are glued to a neighbour."""

_CODE_BLOCK = re.compile(r"^(```|~~~)[^\n]*\n.*?(?:^\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
# Patterns that begin with a sign or a class of signs are searched for many times faster than others.
_LINK = re.compile(r"[!\[](?:(?<=!)\[|(?<=\[))([^\]\n]{0,500})\]\([^)\n]{0,2000}\)")
_URL = re.compile(r"https?://\S+")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
_LINE_MARK = re.compile(r"^\s*(?:>+\s*|#{1,6}\s+|[-*+•]\s+|\(?\d{1,3}[.)]\s+|\|)+\s*")
_RULE = re.compile(r"^[\s|:*_=+-]+$")
_EMPHASIS = re.compile(r"[*_~`](?:(?<=\*)\*{0,2}|(?<=_)_{1,2}|(?<=~)~|(?<=`)`*)")
# Runs are matched whole and not tried again from within: n dots must not take n squared steps.
_END = re.compile(
    r"[.!?…。！？\n](?:"
    r"(?<=[.!?…])(?<![.!?…]{2})[.!?…]*+[\"'”’)\]]*+()\s++(?=[\"'“‘(\[]?[A-Z0-9À-Þ\u0400-\u042F])"
    r"|(?<=[。！？])[。！？]*()|(?<=\n))"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|e\.g|i\.e|etc|vs|cf|approx|no|dr|mr|mrs|ms|prof|st|fig|u\.s|u\.k)\.)$", re.IGNORECASE
)
_WORD = re.compile(r"\w")
_BREAK = re.compile(r"(?<=[;:,—–])\s+")


def plain(text: str) -> str:
    """Text without code, markdown signs, tags and addresses; a line per line."""
    text = _CODE_BLOCK.sub("\n", text)
    text = _URL.sub(" ", _LINK.sub(r"\1", text))
    lines = []
    for line in _TAG.sub(" ", text).splitlines():
        if _RULE.match(line):
            continue
        bare = _EMPHASIS.sub("", _LINE_MARK.sub("", line)).replace("|", " ").strip()
        if bare:
            lines.append(bare)
    return "\n".join(lines)


def split(text: str) -> list[str]:
    """Sentences of at least three words where the text has them; [] only for text without words."""
    pieces: list[str] = []
    for raw in _cut(plain(text)):
        pieces.extend(_shorten(raw))
    return _glue([piece for piece in pieces if _WORD.search(piece)])


def _cut(text: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for match in _END.finditer(text):
        stop = match.start(1)
        candidate = text[start : max(stop, match.start(2), match.start())].strip()
        if stop >= 0 and _ABBREVIATION.search(candidate[-12:]):
            continue
        if candidate:
            pieces.append(candidate)
        start = match.end()
    rest = text[start:].strip()
    return [*pieces, rest] if rest else pieces


def _shorten(sentence: str) -> list[str]:
    words = sentence.split()
    if len(words) <= LONGEST:
        return [" ".join(words)]
    parts: list[str] = []
    for clause in _BREAK.split(" ".join(words)):
        clause_words = clause.split()
        if parts and len(parts[-1].split()) + len(clause_words) <= LONGEST:
            parts[-1] = f"{parts[-1]} {clause}"
        else:
            parts.extend(
                " ".join(clause_words[i : i + LONGEST]) for i in range(0, len(clause_words), LONGEST)
            )
    return parts


def _glue(pieces: list[str]) -> list[str]:
    out: list[str] = []
    waiting = ""
    for piece in pieces:
        whole = f"{waiting} {piece}".strip()
        if len(whole.split()) < STUB:
            waiting = whole
        else:
            out.append(whole)
            waiting = ""
    if waiting:
        if out:
            out[-1] = f"{out[-1]} {waiting}"
        else:
            out.append(waiting)
    return out

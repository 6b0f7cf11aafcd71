"""Words taken over one to one: from a reply, from an own earlier line, from one's instructions.

Short quotes in quotation marks are how people refer to what was said, so they are no copy. Neither is what
belongs to the speaker anyway: the own claim sounds the same in everybody's mouth.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

QUOTED = 14
"""Most words of a quote in quotation marks that is not looked into."""
_OWN = 4
"""So many words in a row of the speaker's own material are the speaker's own."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_QUOTE = re.compile(r'"([^"\n]{0,300})"|“([^”\n]{0,300})”|«([^»\n]{0,300})»')


def words(text: str) -> list[str]:
    """The words in small letters, without marks; straight apostrophes."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def without_quotes(text: str) -> str:
    """The text with each short quote replaced by a mark that is no word."""

    def blank(quote: re.Match[str]) -> str:
        inside = quote[1] or quote[2] or quote[3] or ""
        return " … " if len(inside.split()) <= QUOTED else quote[0]

    return _QUOTE.sub(blank, text)


def copies(line: str, source: str, run: int, own: Iterable[str] = ()) -> bool:
    """True where at least `run` words in a row of `line` stand in `source`, too.

    Args:
        line: what was said; short quotes in it do not count.
        source: what it may have been taken from.
        run: words in a row, 1 or more.
        own: texts whose words anybody may use who speaks for this person.
    """
    theirs = _runs(words(source), run)
    stretches = [words(stretch) for stretch in without_quotes(line).split("…")]
    if not any(_runs(stretch, run) & theirs for stretch in stretches):
        return False  # the common case, and the look at what is own takes longer
    allowed = {gram for text in own for gram in _runs(words(text), _OWN)}
    return any(
        tuple(part[i : i + run]) in theirs
        for stretch in stretches
        for part in _not_own(stretch, allowed)
        for i in range(len(part) - run + 1)
    )


def same(line: str, other: str) -> bool:
    """True where both have the same words in the same order."""
    return words(line) == words(other)


def _runs(of: Sequence[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(of[i : i + length]) for i in range(len(of) - length + 1)}


def _not_own(line: Sequence[str], allowed: Collection[tuple[str, ...]]) -> list[list[str]]:
    """The line without the stretches that are the speaker's own, in pieces."""
    own = [False] * len(line)
    for i in range(len(line) - _OWN + 1):
        if tuple(line[i : i + _OWN]) in allowed:
            own[i : i + _OWN] = [True] * _OWN
    pieces: list[list[str]] = [[]]
    for word, mine in zip(line, own, strict=True):
        if mine:
            pieces.append([])
        else:
            pieces[-1].append(word)
    return pieces

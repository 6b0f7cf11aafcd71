"""Where in a reply as it was written each sentence stands that was read, for its colour.

>>> pieces("**No.** It is round.\\n- Ships vanish hull first.", ("r1", "c2"))
[('', '**'), ('r1', 'No.** It is round.'), ('', '\\n- '), ('c2', 'Ships vanish hull first.')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from echosim.reading.sentences import split

_MARKUP = re.compile(
    r"(```|~~~)[^\n]*\n.*?\1[^\n]*|\](?:\([^)\n]{0,2000}\))?|</?[a-zA-Z][^<>\n]{0,200}>|https?://\S+"
    r"|\(?\d{1,3}[.)]\s|[\s*_~`|>#•+\-\[!:=^]",
    re.DOTALL,
)
"""What the reader leaves out within a sentence, a sign or a stretch at a time."""


def pieces(reply: str, marks: Sequence[str]) -> list[tuple[str, str]]:
    """The reply cut into (mark, text) whose texts add up to it.

    Args:
        reply: as it was written, with all its markup.
        marks: of its sentences in order (reading/sentences.py); "" for one that needs none.

    Returns:
        The mark is "" between sentences, and from the first sentence on that cannot be found in the reply.
        Where the sentences are not as many as the marks, the reply is one piece.
    """
    sentences = split(reply)
    if len(sentences) != len(marks) or not any(marks):
        return [("", reply)]
    cut: list[tuple[str, str]] = []
    done = 0
    for mark, (start, end) in zip(marks, _places(reply, sentences), strict=False):
        if not mark:
            continue
        if start > done:
            cut.append(("", reply[done:start]))
        cut.append((mark, reply[start:end]))
        done = end
    return [*cut, ("", reply[done:])] if done < len(reply) else cut


def _places(reply: str, sentences: Sequence[str]) -> Iterator[tuple[int, int]]:
    """(start, end) of these sentences, up to the first that cannot be found."""
    end = 0
    for sentence in sentences:
        start = reply.find(sentence, end)
        if start >= 0:
            end = start + len(sentence)
        else:
            found = _among_markup(reply, sentence, end)
            if found is None:
                return
            start, end = found
        yield start, end


def _among_markup(reply: str, sentence: str, start: int) -> tuple[int, int] | None:
    """Where the letters of this sentence stand in order with nothing but markup and space between them."""
    letters = "".join(sentence.split())
    while (start := reply.find(letters[0], start)) >= 0:
        end = _followed(reply, letters, start)
        if end is not None:
            return start, end
        start += 1
    return None


def _followed(reply: str, letters: str, place: int) -> int | None:
    for letter in letters:
        while not reply.startswith(letter, place):
            skipped = _MARKUP.match(reply, place)
            if skipped is None:
                return None
            place = skipped.end()
        place += 1
    return place

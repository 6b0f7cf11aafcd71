"""What goes into the slots of a template: texts of personas and users, made to fit a sentence.

They are data. They may hold braces, quotation marks or line breaks, and are never read as templates.
"""

from __future__ import annotations

import re

from echosim.protocols import TargetRequest

_QUOTE_FROM, _QUOTE_WORDS, _QUOTE_LENGTH = 3, 7, 80  # words needed; words and characters kept
_STOP_INSIDE = re.compile(r"[.!?…][\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9À-Þ])")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_FIRST_PERSON = re.compile(r"\b(I am|I was|I'm|I|me|my|mine|myself)\b")
_SECOND_PERSON = {
    "I am": "you are",
    "I was": "you were",
    "I'm": "you're",
    "I": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
}


def slot_values(request: TargetRequest) -> dict[str, str]:
    """Values for {claim}, {negation}, {topic} and {quote}; the quote is "" where there is none.

    The claim of a template is what the user asserts now, so it is the sheet's negation for a user who
    has given the sheet's claim up.
    """
    sheet = request.sheet
    position, opposite = (sheet.claim, sheet.negation) if request.side > 0 else (sheet.negation, sheet.claim)
    return {
        "claim": clause(position),
        "negation": clause(opposite),
        "topic": clause(sheet.topic),
        "quote": _quote(request),
    }


def clause(text: str) -> str:
    """A clause or phrase on one line, without end mark, as said to the person who holds it."""
    plain = " ".join(text.split()).rstrip(" .!?,;:")
    return _FIRST_PERSON.sub(_turned_to_you, plain)


def whole_sentence(point: str) -> str:
    """A point on one line, with a capital and an end mark."""
    plain = " ".join(point.split())
    ended = plain.rstrip("\"'”’)]").endswith((".", "!", "?", "…"))
    return capitalised(plain if ended else plain.rstrip(" ,;:") + ".")


def capitalised(text: str) -> str:
    """The text with its first character in upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


def count_sentences(text: str) -> int:
    """Sentences of a text: a stop before a capital or a figure ends one."""
    return len(_STOP_INSIDE.findall(text)) + bool(text.strip())


def _turned_to_you(match: re.Match[str]) -> str:
    before = match.string[: match.start()].split()
    numeral = match[0] == "I" and bool(before) and before[-1][0].isupper()  # "World War I"
    return match[0] if numeral else _SECOND_PERSON[match[0]]


def _quote(request: TargetRequest) -> str:
    """The first words of the user's newest message, letters and figures only."""
    newest = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
    words = _WORD.findall(re.split(r"[.!?\n]", newest.strip(), maxsplit=1)[0])
    return " ".join(words[:_QUOTE_WORDS])[:_QUOTE_LENGTH] if len(words) >= _QUOTE_FROM else ""

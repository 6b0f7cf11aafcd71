"""How somebody types: small letters, a missing full stop, slips of the finger. Seeded and harmless."""

from __future__ import annotations

import re
from collections.abc import Collection

from echosim import draws
from echosim.persona_records import Style

_WORD = re.compile(r"(?<![\w'’-])[a-z]{5,}(?![\w'’-])")
_SENTENCE_START = re.compile(r"(^|[.!?]\s+)([A-Z])(?=[a-z]*\b)(?![a-z]*[A-Z])")
_MEANING = frozenset(
    {"never", "wrong", "false", "nobody", "nothing", "cannot", "longer", "doubt", "wonder", "right"}
    | {"whether", "believe", "convinced", "accept", "disagree"}
)
"""Words that carry the position; a slip there could turn it."""


def type_out(text: str, style: Style, keep: Collection[str], who: tuple[object, ...], turn: int) -> str:
    """The text as this person types it.

    Args:
        text: well-formed text.
        style: how the persona writes.
        keep: lower-case words that must stay legible (claim, topic, quotes).
        who: what the draws belong to (seed, persona, engine).
        turn: 1-based turn.
    """
    if style.typos > 0:
        text = _with_slips(text, style.typos, keep, (*who, turn, "typo"))
    if style.tone == "casual":
        if draws.uniform(*who, "small letters") < 0.5:
            text = re.sub(r"\bI\b", "i", _SENTENCE_START.sub(lambda m: m[1] + m[2].lower(), text))
        if text.endswith(".") and draws.uniform(*who, turn, "full stop") < 0.4:
            text = text[:-1]
    return text


def _with_slips(text: str, share: float, keep: Collection[str], key: tuple[object, ...]) -> str:
    def slip(match: re.Match[str]) -> str:
        word, at = match[0], match.start()
        if word in keep or word in _MEANING or draws.uniform(*key, at) >= share:
            return word
        # Inner letters only: a word is read by its ends.
        i = 1 + draws.integer(*key, at, "place") % (len(word) - 3)
        swapped = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        dropped = word[:i] + word[i + 1 :]
        doubled = word[: i + 1] + word[i:]
        return draws.choice((swapped, dropped, doubled), *key, at, "kind")

    return _WORD.sub(slip, text)

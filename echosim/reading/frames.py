"""Stock sentences for and against any belief, for chats of which only the belief is known.

>>> frames(("It is a myth that {clause}.",), "The Earth is flat.")
['It is a myth that the Earth is flat.']
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from echosim.reading.subject import Subject, of_statements, sentence

if TYPE_CHECKING:
    from echosim.reading.lens import Lens
    from echosim.reading.subject import Read

AFFIRM_FRAMES = (
    "{sentence}",
    "It is true that {clause}.",
    "You are right that {clause}.",
    "There is no doubt that {clause}.",
    "The evidence confirms that {clause}.",
)
DENY_FRAMES = (
    "It is not true that {clause}.",
    "There is no evidence that {clause}.",
    "The idea that {clause} is a misconception.",
    "It is a myth that {clause}.",
    "I do not agree that {clause}.",
    "There is a simpler explanation than that {clause}.",
)
_OPENERS = re.compile(
    r"(?:an?|all|any|both|each|every|her?|his|i'm|in|its?|many|most|my|no(?:body|thing)?|on|our|people|she|some|"
    r"th(?:at|e|eir|ere|ese|ey|is|ose)|we|what|when|your?)$",
    re.IGNORECASE,
)
_TURN_AROUND = {
    "i": "you", "i'm": "you're", "i've": "you've", "i'll": "you'll", "am": "are", "me": "you",
    "my": "your", "mine": "yours", "myself": "yourself", "was": "was",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z']+")


def clause(belief: str) -> str:
    """The belief as it follows "that"; the first letter is lowered unless it may be a name."""
    text = belief.strip().rstrip(".!?… ").strip()
    first = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if _OPENERS.match(first) else text


def addressed(text: str) -> str:
    """The belief as a replier would put it: "I am chosen" becomes "you are chosen"."""
    return _WORD.sub(lambda match: _TURN_AROUND.get(match.group().lower(), match.group()), text)


def frames(patterns: Sequence[str], belief: str) -> list[str]:
    """Stock sentences around a belief, in the user's and in the replier's person."""
    inner = clause(belief)
    wordings = dict.fromkeys((inner, addressed(inner)))
    return [
        pattern.replace("{sentence}", sentence(text)).replace("{clause}", text)
        for text in wordings
        for pattern in patterns
    ]


def framed(belief: str, read: Read, lens: Lens) -> Subject:
    """A belief between its stock frames."""
    return of_statements(frames(AFFIRM_FRAMES, belief), frames(DENY_FRAMES, belief), read, lens)

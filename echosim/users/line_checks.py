"""Is this a line that the person who is played could have typed? Pure; the same text, the same verdict.

Models that play users swap roles, give in too early, write lists and essays and leak what they were told
(Zhou et al. 2026, arXiv:2603.11245; Abdulhai et al. 2025, arXiv:2511.00222). A line with such a sign is not
said. What can be read in the words alone is English; of other languages only the form is checked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from echosim.persona_records import Persona
from echosim.users import assistant_talk, verbatim
from echosim.users.giving_in import gives_in

Problem = Literal[
    "empty", "refused", "role_flip", "concession", "transcript", "backstage", "markdown", "no_words",
    "control_characters", "other_script", "too_long", "copied", "repeated",
]  # fmt: skip
SLACK = 12
"""Words that a line may have over the persona's longest, or a third of it where that is more."""
COPIED = 8
"""Words in a row, outside of short quotes, that are a copy of the reply or of the instructions."""
REPEATED = 14
"""Words in a row that repeat an own earlier line."""
_SHORT = 4
"""Lines of fewer words may be said twice, and may happen to be what the reply begins with."""
_MOST = 4000
"""Characters; no persona's longest line comes near."""

_BULLET = r"[ \t]*(?:[-*+•–]|\(?\d{1,2}[.)]|[a-z]\))[ \t]+\S"
_MARKDOWN = re.compile(
    r"```|~~~|`[^`\n]{1,200}`|(?<![\w*])\*\*[\w\"'(]|__\w|(?<![\w*])\*[^\s*][^*\n]{0,200}\*(?!\w)"
    r"|^ {0,3}(?:#{1,6}|>)\s"
    rf"|^{_BULLET}.*\n\s*{_BULLET}|^[ \t]*[-*•][ \t]+\S|^[ \t]*1[.)][ \t]+\S|\s1[.)] \S.{{0,400}}\s2[.)] \S"
    r"|^[ \t]*\|.*\|[ \t]*$|^[ \t]*-{3,}[ \t]*$|!?\[[^\]\n]{1,200}\]"
    r"|</?[A-Za-z][\w:-]{0,30}(?:\s+[\w-]+=[^<>\n]{0,200})?\s*/?>|\$\$|\\(?:frac|text|begin|boxed)\b",
    re.MULTILINE,
)
_LINK = re.compile(r"\b(?:https?|ftp)://|\bwww\.\w", re.IGNORECASE)
_CODE = re.compile(
    r"^[ \t]*(?:[{\[]\s*[\"'{\[]|(?:async )?(?:def|function) \w+\s?\(|class \w+\s?[({]"
    r"|(?:const|let|var) \w+ ?=|from [\w.]+ import \w|#include ?<|SELECT\s.{1,80}\sFROM\s|print\("
    r"|\w+ ?= ?\w+\(.*\)\s*;?$)|\"\w{1,30}\"\s*:\s*[\"{\[\d]",
    re.MULTILINE,
)
_WRAPPED = {'"': '"', "“": "”", "«": "»", "'": "'", "‘": "’", "„": "“"}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a line is to be said.

    Attributes:
        persona: who speaks.
        said: the user's earlier lines.
        heard: the reply that is answered, "" before the first.
        card: what the model was told about its part.
        may_give_in: the claim may be given up in this line.
        contradicted: the last reply spoke against the claim.
    """

    persona: Persona
    said: Sequence[str]
    heard: str
    card: str
    may_give_in: bool
    contradicted: bool

    @property
    def own(self) -> tuple[str, ...]:
        """Texts that are the persona's, in whatever line they stand."""
        claim, persona = self.persona.claim, self.persona
        return (
            claim.text,
            claim.negation,
            persona.topic,
            persona.opening,
            persona.stakes,
            *persona.reasons,
            *persona.style.lexicon,
        )


def clean(line: str) -> str:
    """The line as it is said: NFC, one line, single spaces, without quotation marks around the whole.

    Nothing else is mended: a label, a list or a tag says that the model did something else than speak, and
    such a line is not said at all.
    """
    text = " ".join(unicodedata.normalize("NFC", line).split())
    while len(text) > 1 and _WRAPPED.get(text[0]) == text[-1] and not {text[0], text[-1]} & set(text[1:-1]):
        text = text[1:-1].strip()
    return text


def problem(line: str, setting: Setting) -> Problem | None:
    """The first thing that is wrong with a line, the gravest first; None where nothing is.

    Args:
        line: as the model gave it.
        setting: where it is to be said.
    """
    if not clean(line):
        return "empty"
    if len(line) > _MOST:
        return "too_long"
    return _of_form(line) or _of_role(line) or _of_length(line, setting) or _of_content(line, setting)


def words_allowed(persona: Persona) -> int:
    """Most words of a line of this persona."""
    longest = persona.style.words_max
    return longest + max(SLACK, longest // 3)


def _of_form(line: str) -> Problem | None:
    if any(_is_control(char) for char in line):
        return "control_characters"
    if assistant_talk.is_transcript(line):
        return "transcript"
    letters = [char for char in line if char.isalpha()]
    visible = sum(not char.isspace() for char in line)
    if len(letters) < 0.5 * visible or max(map(len, re.findall(r"\w+", line)), default=0) > 45:
        return "markdown" if _is_marked_up(line) else "no_words"
    return None


def _of_role(line: str) -> Problem | None:
    if assistant_talk.declines(line):
        return "refused"
    if assistant_talk.is_backstage(line):
        return "backstage"
    if assistant_talk.helps(line):
        return "role_flip"
    return "markdown" if _is_marked_up(line) else None


def _of_length(line: str, setting: Setting) -> Problem | None:
    return "too_long" if len(line.split()) > words_allowed(setting.persona) else None


def _of_content(line: str, setting: Setting) -> Problem | None:
    claim = setting.persona.claim
    if _is_other_script(line, setting.persona):
        return "other_script"
    long = len(verbatim.words(line)) >= _SHORT
    if verbatim.copies(line, setting.card, COPIED, setting.own):
        return "backstage"
    if verbatim.copies(line, setting.heard, COPIED, (*setting.own, *setting.said)):
        return "copied"
    if long and any(
        verbatim.same(line, one) or verbatim.copies(line, one, REPEATED, setting.own) for one in setting.said
    ):
        return "repeated"
    if not setting.may_give_in and gives_in(
        line, claim.text, claim.negation, contradicted=setting.contradicted
    ):
        return "concession"
    return None


def _is_marked_up(line: str) -> bool:
    return any(sign.search(line) is not None for sign in (_MARKDOWN, _LINK, _CODE))


def _is_control(char: str) -> bool:
    """Control, invisible, private and broken characters; the joiner of emoji is none."""
    return char == "\ufffd" or (
        unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Cn") and char not in "\n\r\t\u200d"
    )


def _is_other_script(line: str, persona: Persona) -> bool:
    """True where letters of another alphabet prevail, as when a model changes its language."""
    letters = [char for char in line if char.isalpha()]
    latin = sum("LATIN" in unicodedata.name(char, "") for char in letters)
    own = any("LATIN" in unicodedata.name(char, "") for char in persona.claim.text if char.isalpha())
    return own and latin < 0.7 * len(letters)

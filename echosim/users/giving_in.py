"""Does a line give the claim up? English patterns and the words of claim and negation; no model.

Made to be used where the engine forbids it, so a line counts only on a plain sign: the user admits to have
been wrong, lets the belief go, says that the other side is right, or asserts the opposite as a fact.
Questions, conditions, what others say and doubts are none, and neither is a "you are right" that goes on
with "but".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from echosim.users.verbatim import without_quotes, words

_MOST = 2000
"""Characters looked at."""
_BREAK = re.compile(r"(?<=[.!?…])\s+|\n+")

_ADVERBS = r"(?:(?!not |never |hardly |barely )\w+ ){0,2}?"
_ADMITS = re.compile(
    rf"\bI(?: was| am|'m| have been|'ve been) {_ADVERBS}(?:wrong|mistaken)\b"
    r"|\bI stand corrected\b"
    r"|\bI (?:concede|admit) (?:it|that|this|defeat|the point|your point)(?=\s*[,.!:;]|$)"
    r"|\bI (?:can )?(?:see|understand|get|have understood) it now\b"
    rf"|\b(?:I|I've|I have) {_ADVERBS}changed my mind\b|\bmy mind (?:has|is) changed\b"
    rf"|\b(?:you|that|this)(?:'ve| have| has)? {_ADVERBS}changed my mind\b"
    r"|\bI(?:'ll| will|'m going to)? (?:give up (?:my|the|on my|on the|that|this|believing)"
    r"|withdraw my (?:claim|view|opinion|statement|belief)|drop (?:it|this|my|the (?:idea|claim))"
    r"|take (?:it|that|my words) back|come round|give in\b(?! to))\b"
    r"|\b(?:I|I'll|will|to|must|should|can) let go of (?:it|this|that|my|the)\b"
    r"|\bI (?:cannot|can't) hold on to (?:it|this|that)\b"
    r"|\bmy (?:\w+ )?(?:view|idea|belief|opinion|theory)(?: \w+){0,4} (?:was|is) (?:wrong|mistaken|false)\b"
    r"|\bmy (?:\w+ )?(?:view|belief|opinion|theory)(?: \w+){0,8} does not stand\b",
    re.IGNORECASE,
)
_SIDES_WITH_YOU = re.compile(
    rf"\byou(?: are|'re| were| have been|'ve been) {_ADVERBS}(?:right|correct)\b"
    r"|\bI (?:agree with you|accept (?:it|that|this|your point|what you say)(?=\s*[,.!:;]|$))"
    rf"|\b(?:you|that|this)(?:'ve| have| has)? {_ADVERBS}"
    r"(?:won me over|got me(?=\s*[,.!]|$)|(?:convinced|persuaded) me)\b",
    re.IGNORECASE,
)
"""Giving in only where the other side is against the claim."""
_GIVEN_UP = re.compile(
    r"\b(?:no longer|not|don't|do not|can't|cannot|didn't)(?: (?:really|even|actually))? "
    r"(?:believe|think|hold|maintain|claim|say|insist)(?: in)?\b(.*)",
    re.IGNORECASE,
)
_ONCE_BELIEVED = re.compile(
    r"(?:\bI wonder why )?\bI (?:ever|once|used to|was so (?:convinced|sure)|had believed)"
    r" ?(?:believed?|thought?|think)?\b.*|\bhow long I believed\b.*",
    re.IGNORECASE,
)
_HOLDS_ON = re.compile(
    r"\b(?:but|though|although|still|however|even so|doesn't|does not|nevertheless)\b", re.I
)
_UNSURE = re.compile(
    r"\b(?:if|whether|unless|maybe|perhaps|might|could|would|nearly|almost|don't|doesn't|didn't|haven't"
    r"|hasn't|not|never|won't|can't|cannot|nobody|no one|nothing|why|how|where|until|before|I once|I used to"
    r"|doubt|refuse|deny|wonder|tell me|prove|supposed to|expect me to|want me to|make me|having|who|as if"
    r"|as though|imagine|suppose|pretend)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:you|they|people|everyone|everybody|someone|somebody|he|she|scientists?|experts?|doctors?"
    r"|teachers?|school|books?|articles?|media|nasa|government|brother|sister|friends?|wife|husband|boss|guy"
    r"|most|some|others?|officials?|mainstream)(?:'(?:ll|d|ve|re))?(?:\s+(?!(?:to|I)\b)\w+){0,3}?\s+(?:says?|said|saying|tells?|told|claims?|claimed|thinks?"
    r"|insists?|keeps?|wants?|teach|teaches|taught|writes?|wrote|believes?|mentions?)\b"
    r"|\b(?:supposedly|allegedly|according to|so-called|(?:the|my) (?:idea|story|claim) that)\b",
    re.IGNORECASE,
)
_NEGATORS = frozenset(
    words(
        "not no never nothing without hardly cannot can't won't isn't aren't wasn't weren't doesn't don't "
        "didn't hasn't haven't false untrue nonsense myth lie"
    )
)
_SMALL = frozenset(
    words(
        "a an the is are was were be been being of in on at to for by and or that than it its as with from "
        "this these those has have had do does did will would can could so just really very"
    )
)
_DISMISSED = frozenset(words("nonsense lie lies myth hoax wrong false rubbish bogus ridiculous laughable"))
_PRONOUN = re.compile(r"^\s*(?:that|this|it|so|in it)?\s*(?:any ?more|any longer|now)?\s*[.!,;]*\s*$", re.I)
_WHOLE = 0.75
"""Share of a statement's telling words that has to be there."""


def gives_in(line: str, claim: str, negation: str, *, contradicted: bool) -> bool:
    """True where the line gives up the claim.

    Args:
        line: what the user says; short quotes in it do not count.
        claim: what the user believes, as it follows "that".
        negation: the opposite, likewise.
        contradicted: the last reply spoke against the claim, so that "you are right" gives in.
    """
    text = without_quotes(line[:_MOST].replace("’", "'"))
    back = _asserts(text, claim, negation)
    at = 0
    for sentence in _BREAK.split(text):
        at = text.index(sentence, at)
        if sentence.endswith("?"):
            continue
        if _asserts(sentence, negation, claim) or _denied(sentence, claim, negation):
            return True
        if _let_go(sentence, claim, negation):
            return True
        admitted = _ADMITS.search(sentence)
        if admitted is None and contradicted:
            admitted = _SIDES_WITH_YOU.search(sentence)
        if admitted is None or back or _hedged(sentence[: admitted.start()]):
            continue
        if not _HOLDS_ON.search(text, at + admitted.end()):
            return True
    return False


def _hedged(before: str) -> bool:
    """True where what stands before takes the edge off: a condition, a denial, somebody else's words."""
    before = re.split(r"\bbut\b", before)[-1]
    return _UNSURE.search(before) is not None or _OTHERS.search(before) is not None


def _let_go(sentence: str, claim: str, negation: str) -> bool:
    """I no longer believe it; strange that I ever did."""
    given = _GIVEN_UP.search(sentence)
    if given is not None:
        rest, start = given[1], sentence[: given.end() - len(given[1])].lower()
        stopped = "no longer" in start or re.search(r"\bany ?(?:more|longer)\b", rest, re.I) is not None
        subject = re.search(r"\bI(?:'ve)?\b(?! say)", sentence[: given.start()], re.I) is not None
        if stopped and subject and (_PRONOUN.match(rest) or _means(rest, claim, negation)):
            return True
    once = _ONCE_BELIEVED.search(sentence)
    return once is not None and not _hedged(sentence[: once.start()]) and _means(once[0], claim, negation)


def _asserts(text: str, statement: str, opposite: str) -> bool:
    """True where a sentence says the statement as a fact of the user's own."""
    told, other = _telling(statement, opposite), _telling(opposite, statement)
    for sentence in _BREAK.split(text):
        said = words(sentence)
        if sentence.endswith("?") or not told.said_by(said):
            continue
        if any(_alike(word, part) for word in said for part in other.only):
            continue
        start = max(i for i in range(len(said)) if told.said_by(said[i:]))
        end = min(i for i in range(start + 1, len(said) + 1) if told.said_by(said[start:i]))
        if _NEGATORS & set(said[start:end]) - set(words(statement)):
            continue
        if not _hedged(" ".join(said[:start])) and not set(said[end:]) & _DISMISSED:
            return True
    return False


def _denied(sentence: str, claim: str, negation: str) -> bool:
    """True where a "not" stands right before a telling word amid the claim: the Earth is not flat."""
    own = words(claim)
    if _NEGATORS & set(own) or not own:
        return False
    parts = [word for word in own if word not in _SMALL]
    said = words(sentence)
    at, first, negated = 0, None, False
    for part in parts:
        found = next((i for i in range(at, len(said)) if _alike(said[i], part)), None)
        if found is None:
            return False
        if first is not None:
            negated = negated or bool(_NEGATORS & set(said[max(at, found - 2) : found]))
        else:
            first = found
        at = found + 1
    other = _telling(negation, claim)
    if first is None or not negated or any(_alike(word, part) for word in said for part in other.only):
        return False
    return not _hedged(" ".join(said[:first])) and not set(said[at:]) & _DISMISSED


@dataclass(frozen=True, slots=True)
class _Telling:
    """The words that carry a statement, and those of them that its opposite lacks."""

    every: Sequence[str]
    only: Sequence[str]

    def said_by(self, said: Sequence[str]) -> bool:
        return bool(self.only) and _share(self.only, said) >= _WHOLE and _share(self.every, said) >= _WHOLE


def _share(parts: Sequence[str], said: Sequence[str]) -> float:
    return sum(any(_alike(word, part) for word in said) for part in parts) / len(parts)


def _telling(statement: str, opposite: str) -> _Telling:
    every = [word for word in words(statement) if word not in _SMALL]
    theirs = words(opposite)
    return _Telling(every, [word for word in every if not any(_alike(word, other) for other in theirs)])


def _means(text: str, claim: str, negation: str) -> bool:
    """True where the words are those of the claim more than of the negation."""
    said = words(text)
    told, other = _telling(claim, negation), _telling(negation, claim)
    return told.said_by(said) and not other.said_by(said)


def _alike(word: str, other: str) -> bool:
    """Forms of one word: equal up to an ending."""
    if word == other:
        return True
    short = min(len(word), len(other))
    if short < 4 or word in _NEGATORS or other in _NEGATORS:
        return False
    return word[: max(4, short - 1)] == other[: max(4, short - 1)] and abs(len(word) - len(other)) <= 3

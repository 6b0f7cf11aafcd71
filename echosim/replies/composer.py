"""Words for what a reference target means to say: a pure function of intent and request.

The plan fixes which moves are made; this file words them from a template bank, puts them in order
and keeps the reply between 3 and 6 sentences, about 50 to 110 words.
"""

from __future__ import annotations

from collections.abc import Mapping

from echosim import draws
from echosim.protocols import Intent, TargetRequest
from echosim.replies.banks import fill, load_bank
from echosim.replies.plan import MOST_SENTENCES, Move, plan
from echosim.replies.slots import capitalised, count_sentences, slot_values, whole_sentence
from echosim.replies.spoken import is_spoken, recent_replies

_FEWEST_WORDS, _MOST_WORDS = 50, 110
_MARKED = 0.3  # share of replies with a discourse marker before one statement
_BARE = 0.5  # share of new points that stand without a lead-in
_FIRST = ("restate",)
_LAST = ("question", "invitation_warm", "invitation_cold")
_MARKABLE = ("affirm", "deny", "balanced")

Worded = list[tuple[Move, str]]


def compose(intent: Intent, request: TargetRequest) -> str:
    """The reply that says what is intended, 3 to 6 sentences.

    Args:
        intent: stance toward `request.sheet.claim`, points, warmth and manner.
        request: subject, conversation so far, seed and template bank.

    Raises:
        ValueError: a point is not on the sheet, or a reply off the claim has a stance or points.
    """
    replies = recent_replies(request)
    sheet = request.sheet
    spoken = frozenset(point for point in (*sheet.supporting, *sheet.refuting) if is_spoken(point, replies))
    moves = plan(intent, request, spoken)
    wording = _Wording(request, "\n".join(replies))
    opening: Worded = [(move, wording.sentence(move)) for move in moves.opening]
    content: Worded = [(move, wording.sentence(move)) for move in moves.content]
    closing: Worded = [(move, wording.sentence(move)) for move in moves.closing]
    if count_sentences(_joined(opening + content + closing)) > MOST_SENTENCES:
        opening = []
    fillers: Worded = []
    for move in moves.fillers:
        now = opening + content + closing + fillers
        if count_sentences(_joined(now)) >= moves.length and _words(now) >= _FEWEST_WORDS:
            break
        more = [*now, (move, wording.sentence(move))]
        if count_sentences(_joined(more)) <= MOST_SENTENCES and _words(more) <= _MOST_WORDS:
            fillers.append(more[-1])
    return _joined([*_ordered(opening, content, fillers, request), *closing])


def _joined(worded: Worded) -> str:
    return " ".join(text for _, text in worded if text)


def _words(worded: Worded) -> int:
    return len(_joined(worded).split())


def _ordered(opening: Worded, content: Worded, fillers: Worded, request: TargetRequest) -> Worded:
    """Opening and restatement first, question or invitation last, the rest mixed."""
    middle = list(content)
    for move, text in fillers:
        if move.kind not in (*_FIRST, *_LAST):
            place = draws.integer(request.key, request.turn, "place", move.kind) % (len(middle) + 1)
            middle.insert(place, (move, text))
    first = [each for each in fillers if each[0].kind in _FIRST]
    last = [each for each in fillers if each[0].kind in _LAST]
    return [*opening, *first, *middle, *last]


class _Wording:
    """Words the moves of one reply; remembers what was said, so that little is said twice."""

    def __init__(self, request: TargetRequest, said: str) -> None:
        self._bank = load_bank(request.bank)
        self._seed = (request.key, request.turn)
        self._said = said.casefold()
        self._values = slot_values(request)
        self._count = 0
        self._marker_due = draws.uniform(*self._seed, "marked") < _MARKED

    def sentence(self, move: Move) -> str:
        """One sentence, or "" where the move has nothing to say (no words to quote)."""
        self._count += 1
        if move.kind == "quoted" and not self._values["quote"]:
            return ""
        point = whole_sentence(move.point) if move.point else ""
        if move.kind == "fact" and draws.uniform(*self._seed, "bare", self._count) < _BARE:
            return point
        template, text = self._pick(move.kind, {**self._values, "point": point})
        self._said += "\n" + text.casefold()
        if self._marker_due and move.kind.startswith(_MARKABLE):
            self._marker_due = False
            marker = draws.choice(self._bank["marker"], *self._seed, "marker")
            return f"{marker} {_after_marker(template, text)}"
        return capitalised(text)

    def _pick(self, kind: str, values: Mapping[str, str]) -> tuple[str, str]:
        """Of the templates in drawn order, the first that was never said, else said longest ago."""
        order = draws.shuffled(self._bank[kind], *self._seed, kind, self._count)
        texts = [(template, fill(template, values)) for template in order]
        return min(texts, key=lambda pair: self._said.rfind(pair[1].casefold()))


def _after_marker(template: str, text: str) -> str:
    """The text as it goes on after a marker: no capital, except for "I" and for what a slot gave."""
    keep = template.startswith(("I ", "I'", "{"))
    return text if keep else text[:1].lower() + text[1:]

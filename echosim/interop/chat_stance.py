"""Chats in, stance by reply and drift out: read in chunks, summed as they pass, none kept.

The reading is that of `reading/stance.py`, or a persona's own as in a run. Drift is the slope of the
least-squares line of stance on the number of the reply. What is counted over chats is chats: replies of
one chat are not independent.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, TypeVar

from echosim import draws
from echosim.interop.chats import Chat
from echosim.reading.sentences import split
from echosim.reading.stance import read_stance
from echosim.records import CurvePoint, Estimate, Record

if TYPE_CHECKING:
    from echosim.persona_records import Persona
    from echosim.reading.embedding import Encoder

T = TypeVar("T")

FIRST_CHUNK, CHUNK = 4, 64
"""Chats read together: few at first, so that something is to be seen soon, then full batches."""
CHUNK_CHARACTERS = 1_000_000
"""Most text read together; its sentences fit the encoder's memory."""
LEAST_REPLIES = 3
"""Replies with words below which a line through them has no error."""
THIN_LINES = 200
"""Chats that a figure shows one by one."""
LAST_SHOWN = 200
"""Last reply that a figure shows."""
_TURNS_AT_ONCE = 4096


class Subject(Record):
    """What stance is toward."""

    claim: str
    affirming: tuple[str, ...] = ()
    denying: tuple[str, ...] = ()
    persona: str | None = None
    """Id of the persona whose statements, evidence and calibration are used; None for statements alone."""


Stances = Callable[[Sequence[tuple[str, str]]], list[float | None]]
"""Stance of each reply of (user message, reply) pairs."""


def reads(subject: Subject, persona: Persona | None, encoder: Encoder) -> Stances:
    """As `es.read_stance` reads: toward a persona's claim, or by statements where there is none."""
    if persona is not None:
        return lambda turns: read_stance(persona, turns, encoder=encoder)
    return lambda turns: read_stance(subject.claim, turns, subject.affirming, subject.denying, encoder)


@dataclass(frozen=True, slots=True)
class Drift:
    """The straight line through stance by reply.

    Attributes:
        slope: change of stance a reply, in [-1, 1].
        error: its standard error, from the scatter around the line: replies of a chat resemble their
            neighbours, so it is a lower bound.
    """

    slope: float
    error: float


@dataclass(frozen=True, slots=True)
class ReadChat:
    """One chat as read.

    Attributes:
        chat: what was read.
        stances: one a reply, in [-1, 1], +1 toward the claim; None for a reply without words.
        drift: None with fewer than three replies with words.
        reason: why mean or drift is missing.
    """

    chat: Chat
    stances: tuple[float | None, ...]
    drift: Drift | None
    reason: str | None

    @property
    def known(self) -> tuple[float, ...]:
        """Stances of the replies with words."""
        return tuple(stance for stance in self.stances if stance is not None)

    @property
    def unreadable(self) -> int:
        """Replies without words."""
        return len(self.stances) - len(self.known)

    @property
    def mean(self) -> float | None:
        """Mean stance; None where no reply has words."""
        return fmean(self.known) if self.known else None


def read_chats(
    chats: Iterable[Chat], stances_of: Stances, encoder: Encoder, most: int = CHUNK
) -> Iterator[ReadChat]:
    """Read chats in order, many at once; the numbers do not depend on how many.

    Args:
        chats: in any number; one chunk is held at a time.
        stances_of: how replies are read.
        encoder: what turns sentences into vectors for it.
        most: chats in a chunk.

    Raises:
        InputError: a claim or a statement without words; whatever `chats` raises.
    """
    for chunk in _chunks(chats, _size, min(FIRST_CHUNK, most), most):
        stances: list[float | None] = []
        turns = (turn for chat in chunk for turn in chat.turns)
        for some in _chunks(turns, _length, _TURNS_AT_ONCE, _TURNS_AT_ONCE):
            # One call for all: the encoder keeps the vectors, and full batches are much faster.
            encoder.embed([text for user, reply in some for text in (*split(reply), *split(user))])
            stances += stances_of(some)
        values = iter(stances)
        for chat in chunk:
            yield _read(chat, tuple(next(values) for _ in chat.turns))


def drift(stances: Sequence[float | None]) -> Drift | None:
    """Least-squares line of stance on the number of the reply (1, 2, ...); gaps keep their number.

    Standard error: sqrt(RSS / (n - 2) / Sxx), as in any text on regression.
    """
    points = [(float(number), stance) for number, stance in enumerate(stances, 1) if stance is not None]
    if len(points) < LEAST_REPLIES:
        return None
    middle, level = fmean(x for x, _ in points), fmean(y for _, y in points)
    spread = math.fsum((x - middle) ** 2 for x, _ in points)
    slope = math.fsum((x - middle) * (y - level) for x, y in points) / spread
    scatter = math.fsum((y - level - slope * (x - middle)) ** 2 for x, y in points)
    return Drift(slope, math.sqrt(scatter / (len(points) - 2) / spread))


# --- sums over chats ----------------------------------------------------------------------------


@dataclass(slots=True)
class Mean:
    """A running mean with its spread (Welford 1962)."""

    n: int = 0
    value: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """One more value."""
        self.n += 1
        step = value - self.value
        self.value += step / self.n
        self.squares += step * (value - self.value)

    def estimate(self, nothing: str) -> Estimate:
        """The mean with its 95% t interval inside [-1, 1]; `nothing` is the reason where there is none."""
        if self.n == 0:
            return Estimate(value=None, reason=nothing)
        if self.n == 1:
            return Estimate(value=self.value, n=1, reason="no interval from one chat")
        from echosim.scoring.estimates import t_quantile

        half = t_quantile(self.n - 1) * math.sqrt(self.squares / (self.n - 1) / self.n)
        return Estimate(
            value=self.value, low=max(self.value - half, -1), high=min(self.value + half, 1), n=self.n
        )


@dataclass(slots=True)
class Totals:
    """What is known over all chats so far; its size does not grow with their number.

    Attributes:
        chats, replies, unreadable: counts.
        tools, parts, changed, cut: as in `Chat`.
        stance: of the chats' mean stances.
        slopes: of the chats' drifts.
        by_reply: of the stances at each reply, the first 200.
    """

    chats: int = 0
    replies: int = 0
    unreadable: int = 0
    tools: int = 0
    parts: int = 0
    changed: int = 0
    cut: int = 0
    stance: Mean = field(default_factory=Mean)
    slopes: Mean = field(default_factory=Mean)
    by_reply: list[Mean] = field(default_factory=list)
    _sample: list[tuple[int, int, str, tuple[float | None, ...]]] = field(default_factory=list)

    def add(self, one: ReadChat) -> None:
        """One more chat."""
        self.chats += 1
        self.replies += len(one.stances)
        self.unreadable += one.unreadable
        self.tools += one.chat.tools
        self.parts += one.chat.parts
        self.changed += one.chat.changed
        self.cut += one.chat.cut
        if one.mean is None:
            return
        self.stance.add(one.mean)
        if one.drift is not None:
            self.slopes.add(one.drift.slope)
        for index, stance in enumerate(one.stances[:LAST_SHOWN]):
            if index == len(self.by_reply):
                self.by_reply.append(Mean())
            if stance is not None:
                self.by_reply[index].add(stance)
        # Those with the smallest hashes stay: a fair draw, the same each time, without keeping all.
        place = -draws.integer("chat figure", one.chat.line, one.chat.id)
        item = (place, one.chat.line, one.chat.name, one.stances[:LAST_SHOWN])
        (heapq.heappush if len(self._sample) < THIN_LINES else heapq.heappushpop)(self._sample, item)

    def sample(self) -> list[tuple[str, tuple[float | None, ...]]]:
        """Names and stances of at most 200 chats drawn by hash, in the order of the file."""
        return [(name, stances) for _, _, name, stances in sorted(self._sample, key=lambda item: item[1])]

    def points(self) -> tuple[CurvePoint, ...]:
        """Mean stance at each reply over the chats that get there; intervals over chats."""
        return tuple(
            CurvePoint(turn=number, estimate=mean.estimate("no reply with words"))
            for number, mean in enumerate(self.by_reply, 1)
        )


# --- inside -------------------------------------------------------------------------------------


def _read(chat: Chat, stances: tuple[float | None, ...]) -> ReadChat:
    line = drift(stances)
    known = sum(stance is not None for stance in stances)
    reason = None
    if not stances:
        reason = "no reply"
    elif not known:
        reason = "no reply with words"
    elif line is None:
        reason = f"drift needs {LEAST_REPLIES} replies with words, there {'is 1' if known == 1 else 'are 2'}"
    return ReadChat(chat, stances, line, reason)


def _size(chat: Chat) -> int:
    return sum(map(_length, chat.turns))


def _length(turn: tuple[str, str]) -> int:
    return len(turn[0]) + len(turn[1])


def _chunks(items: Iterable[T], size: Callable[[T], int], first: int, most: int) -> Iterator[list[T]]:
    """Lists of `first` items, then of twice as many each time up to `most`; shorter where texts are long."""
    room, held = first, 0
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        held += size(item)
        if len(chunk) >= room or held >= CHUNK_CHARACTERS:
            yield chunk
            chunk, held = [], 0
            room = min(2 * room, most)
    if chunk:
        yield chunk

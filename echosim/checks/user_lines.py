"""What the simulated users of a run said, held against what users are known to get wrong when a model plays
them: they give in too early, talk like the assistant, write lists, copy, and all sound alike (Zhou et al.
2026, arXiv:2603.11245; Naous et al. 2025, arXiv:2510.06552). One record a user engine.

Everything is read from stored transcripts by patterns and counts, without a model; what a line means is
read from a sample where an encoder is given. Patterns judge whether a line speaks for the persona's side only
where it gives the claim up, or where the user was asked apart. Turns given as history are left out: the user
did not say them here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import stdev

from echosim.checks.closest_lines import Sample, bigrams
from echosim.checks.line_figure import Figure
from echosim.checks.line_meaning import Heard, Meaning, MeaningSample, Sense
from echosim.persona_records import Persona
from echosim.records import Record, Report, Side, Transcript, Turn
from echosim.study_records import UserSpec
from echosim.users import acts, assistant_talk
from echosim.users.giving_in import gives_in
from echosim.users.verbatim import copies
from echosim.users.worded_lines import FALLBACK

COPIED_WORDS = 8
"""Words in a row of the reply before that make a copy; what stands in quotation marks does not count."""
CONCEDED_AT_MOST = 0.05
"""Share of lines that may give in where the engine forbids it."""
PHRASED = ("embedded", "bayesian")
"""Engines that say phrases of echosim: their position is that of the act, so words are not looked into."""

# Written apart from users/line_checks.py: what that lets through is to be seen here.
_MARKDOWN = re.compile(
    r"^\s{0,3}(?:#{1,6}\s|[-*+\u2022]\s|\d{1,2}[.)]\s|>\s|\|.*\|\s*$)|\*\*[^*\n]+\*\*|```|`[^`\n]+`|\[[^\]\n]+\]\([^)\n]+\)",
    re.MULTILINE,
)
_UNIT = 1 << 60
"""Sums of ratios are whole numbers of 1/_UNIT, so that they do not depend on the order of transcripts."""

NOT_WORDED = "no model words these lines"
NOT_ASKED = "not asked: the belief is the engine's own"
SAID_AGAIN = "the lines are those of a recording, whatever became of the belief here"
NOT_ENCODED = "not read with an encoder"
_NO_LINE = "no line to judge"


class UserLines(Record):
    """All figures of one user engine. Shares are in [0, 1]."""

    user: str
    """Label of the engine."""
    talks: int
    personas: int
    lines: int
    fallback: Figure
    """Share of lines that are phrases because the model gave no usable one."""
    flags: tuple[tuple[str, float], ...]
    """Share of lines with each other flag ("resampled:role_flip"), the most frequent first."""
    conceded: Figure
    """Share of lines that give the claim up, by side or by words, of those where the engine forbids it: the
    confidence has not fallen far enough, and the user has not given up before. A user without an engine is
    held to the same rule."""
    out_of_role: Figure
    """Share of lines that read as an assistant's, or as being about the play."""
    words: Figure
    """Median words of a line."""
    words_outside: Figure
    """Share of lines with fewer or more words than the persona's style has."""
    words_spread: Figure
    """Standard deviation over personas of their mean words a line."""
    markdown: Figure
    """Share of lines with lists, headings, bold print, code or links."""
    copied: Figure
    """Share of lines with `COPIED_WORDS` or more words in a row of the reply before them."""
    distinct: Figure
    """Distinct-2 (Li et al. 2016, arXiv:1510.03055): share of a conversation's word pairs that are different
    ones, mean over the conversations of a persona, then over personas. It falls as conversations grow."""
    alike: Figure
    """Share of a line's word pairs that the most similar line of another persona has too, among lines of the
    same act; mean over a sample of lines. In place of self-BLEU; 1: every line is somebody else's."""
    incoherence: Figure
    """Mean |a + c - 1| of the answers to the claim and to its negation."""
    retest: Figure
    """Mean difference between two askings."""
    unanswered: Figure
    """Share of askings that gave no belief."""
    contradicted: Figure
    """Share of lines that take the other side than the belief last told in the same session: by words that
    give the claim up, or else by the side that the line is stored with."""
    meaning: Meaning
    """What an encoder makes of a sample of the lines."""


def user_lines(
    transcripts: Iterable[Transcript], personas: Iterable[Persona], users: Sequence[UserSpec]
) -> tuple[UserLines, ...]:
    """The figures of every user engine that spoke.

    Args:
        transcripts: in any order, of any status; read once, one held at a time.
        personas: who speaks; what needs the persona is left out for those that are missing.
        users: as the study has them.

    Returns:
        In order of the study, then by label for those that it does not name.
    """
    found = Lines(personas, users)
    for transcript in transcripts:
        found.add(transcript)
    return found.figures()


class Lines:
    """Counts that grow by one transcript at a time; memory does not grow with their number.

    Args:
        personas: who speaks.
        users: as the study has them.
        sense: what to read the meaning of lines with; None leaves those figures out.
        without: why there is none.
    """

    def __init__(
        self,
        personas: Iterable[Persona],
        users: Sequence[UserSpec],
        sense: Sense | None = None,
        without: str = NOT_ENCODED,
    ) -> None:
        self._sense, self._without = sense, without
        self._personas = {persona.id: persona for persona in personas}
        self._users = {user.label: user for user in users}
        self._tallies: dict[str, _Tally] = {}

    def add(self, transcript: Transcript) -> None:
        """Count the lines of one conversation."""
        label = transcript.trial.user
        tally = self._tallies.setdefault(label, _Tally(self._users.get(label)))
        tally.add(transcript, self._personas.get(transcript.trial.persona))

    def figures(self) -> tuple[UserLines, ...]:
        """The figures so far; see `user_lines`."""
        order = [label for label in self._users if label in self._tallies]
        order += sorted(set(self._tallies) - set(order))
        return tuple(
            tally.figures(label, tally.meant.read(self._personas, self._sense, self._without))
            for label in order
            if (tally := self._tallies[label]).lines
        )


# --- counting -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Person:
    """What one persona said: words, lines, and distinct-2 summed over its conversations."""

    words: int = 0
    lines: int = 0
    distinct: int = 0
    talks: int = 0


@dataclass(slots=True)
class _Tally:
    """Counts of one user engine."""

    user: UserSpec | None
    talks: int = 0
    lines: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    yes: Counter[str] = field(default_factory=Counter)
    of: Counter[str] = field(default_factory=Counter)
    """Lines for which a question was answered yes, and all that it was asked of."""
    people: dict[str, _Person] = field(default_factory=dict)
    sample: Sample = field(default_factory=Sample)
    meant: MeaningSample = field(default_factory=MeaningSample)

    def add(self, transcript: Transcript, persona: Persona | None) -> None:
        live = transcript.live
        if not live:
            return
        self.talks += 1
        person = self.people.setdefault(transcript.trial.persona, _Person())
        pairs: list[tuple[str, str]] = []
        told: Report | None = None  # the latest one with a belief, of this session
        for turn in live:
            history = transcript.turns[: turn.index - 1]
            told = None if turn.after_gap else told
            side = self._side(turn, history, persona)
            self._line(turn, side, history, persona)
            self._belief(turn, side, told)
            before = None if told is None or told.private is None else told.private - 0.5
            self.meant.add(Heard(transcript.trial.persona, turn.user, turn.side, before))
            report = _asked(turn)
            told = report if report is not None and report.private is not None else told
            person.words += len(turn.user.split())
            person.lines += 1
            said = bigrams(turn.user)
            pairs += said
            self.sample.add(turn.act, transcript.trial.persona, turn.user, said)
        if pairs:
            person.distinct += len(set(pairs)) * _UNIT // len(pairs)
            person.talks += 1

    def _line(self, turn: Turn, side: Side, history: Sequence[Turn], persona: Persona | None) -> None:
        text = turn.user
        self.lines += 1
        self.flags.update(set(turn.user_flags))
        self.lengths[len(text.split())] += 1
        self._count("markdown", _MARKDOWN.search(text) is not None)
        self._count("out_of_role", _out_of_role(text))
        if persona is None:
            return
        style = persona.style
        self._count("words_outside", not style.words_min <= len(text.split()) <= style.words_max)
        if history:
            self._count("copied", copies(text, history[-1].reply, COPIED_WORDS, _own(persona, history[-1])))
        if not acts.may_concede(turn.before.confidence, history) and not acts.has_given_up(history):
            self._count("conceded", side == -1)

    def _side(self, turn: Turn, history: Sequence[Turn], persona: Persona | None) -> Side:
        """The side that a line takes, by its words where they give the claim up."""
        phrased = self.user is not None and self.user.engine.partition("(")[0] in PHRASED
        if turn.side == -1 or phrased or persona is None:
            return turn.side
        contradicted, claim = acts.is_contradicted(history), persona.claim
        return -1 if gives_in(turn.user, claim.text, claim.negation, contradicted=contradicted) else turn.side

    def _belief(self, turn: Turn, side: Side, told: Report | None) -> None:
        report = _asked(turn)
        if side != 0 and told is not None and told.private is not None:
            self._count("contradicted", (told.private - 0.5) * side < 0)
        if report is None:
            return
        self._count("unanswered", report.private is None)
        for name, value in (("incoherence", report.incoherence), ("retest", report.retest)):
            if value is not None:
                self.yes[name] += int(value * _UNIT)
                self.of[name] += 1

    def _count(self, name: str, yes: bool) -> None:
        self.yes[name] += yes
        self.of[name] += 1

    # --- what comes of it -----------------------------------------------------------------------

    def figures(self, label: str, meaning: Meaning) -> UserLines:
        worded = self.flags or self.user is None or self.user.model is not None
        replayed = self.user is not None and self.user.replay is not None
        flags = sorted((-count, flag) for flag, count in self.flags.items() if flag != FALLBACK)
        return UserLines(
            user=label,
            talks=self.talks,
            personas=len(self.people),
            lines=self.lines,
            fallback=Figure(value=self.flags[FALLBACK] / self.lines, n=self.lines)
            if worded
            else Figure(value=None, reason=NOT_WORDED),
            flags=tuple((flag, -count / self.lines) for count, flag in flags),
            conceded=Figure(value=None, reason=SAID_AGAIN) if replayed else self._share("conceded", _NO_LINE),
            out_of_role=self._share("out_of_role", _NO_LINE),
            words=Figure(value=_median(self.lengths), n=self.lines),
            words_outside=self._share("words_outside", _NO_LINE),
            words_spread=self._spread(),
            markdown=self._share("markdown", _NO_LINE),
            copied=self._share("copied", "no line has a reply before it"),
            distinct=self._distinct(),
            alike=self._alike(),
            incoherence=self._told("incoherence", "no asking gave the answers that it takes", _UNIT),
            retest=self._told("retest", "nothing was asked twice", _UNIT),
            unanswered=self._told("unanswered", NOT_ASKED),
            contradicted=self._told("contradicted", "no line takes a side after a belief was told"),
            meaning=meaning,
        )

    def _share(self, name: str, reason: str, unit: int = 1) -> Figure:
        if not self.of[name]:
            return Figure(value=None, reason=reason)
        return Figure(value=self.yes[name] / (self.of[name] * unit), n=self.of[name])

    def _told(self, name: str, reason: str, unit: int = 1) -> Figure:
        return self._share(name, reason if self.of["unanswered"] else NOT_ASKED, unit)

    def _spread(self) -> Figure:
        means = [person.words / person.lines for _, person in sorted(self.people.items())]
        if len(means) < 2:
            return Figure(value=None, n=len(means), reason="one persona")
        return Figure(value=stdev(means), n=len(means))

    def _distinct(self) -> Figure:
        people = [person for _, person in sorted(self.people.items()) if person.talks]
        if not people:
            return Figure(value=None, reason="no line has two words")
        total = sum(person.distinct // person.talks for person in people)
        return Figure(value=total / (len(people) * _UNIT), n=len(people))

    def _alike(self) -> Figure:
        value, lines = self.sample.alike()
        return Figure(
            value=value, n=lines, reason=None if lines else "no act has lines of two personas to compare"
        )


def _asked(turn: Turn) -> Report | None:
    """What the user answered when it was asked apart; None where it only passes on its engine's belief."""
    report = turn.report
    return report if report is not None and (report.answers or report.private is None) else None


def _own(persona: Persona, before: Turn) -> tuple[str, ...]:
    """What the reply may have taken from the user, so that saying it again copies nothing."""
    claim, said = persona.claim, (*persona.reasons, *persona.style.lexicon)
    return (claim.text, claim.negation, persona.topic, persona.opening, before.user, *said)


@lru_cache(maxsize=1 << 14)  # users without a model say the same line to many targets
def _out_of_role(text: str) -> bool:
    signs = (
        assistant_talk.helps,
        assistant_talk.declines,
        assistant_talk.is_backstage,
        assistant_talk.is_transcript,
    )
    return any(sign(text) for sign in signs)


def _median(counts: Mapping[int, int]) -> float:
    """The median of numbers given as counts; the mean of the two in the middle where they are even."""
    total = sum(counts.values())
    ordered = sorted(counts.items())

    def at(place: int) -> int:
        passed = 0
        for value, count in ordered:
            passed += count
            if passed > place:
                return value
        raise ValueError("no numbers")

    return (at((total - 1) // 2) + at(total // 2)) / 2

"""How many tokens the talks of a study take: typical and at most. Pure.

Each call sends the whole talk so far, so tokens grow with the square of the turns. How long texts are is
assumed twice: as they usually are, and at their worst, which is as long as the study allows. A number of
tokens is linear in the length of a message, so personas are averaged and not gone through one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from echosim import registry
from echosim.records import Record
from echosim.study_records import Study, TargetSpec, UserSpec

_NOTES_WORDS = 120
"""What a target that remembers is asked for."""
_NOTES_FRAME = 60
"""Tokens around them: of the question, or of handing them back."""


class Usage(Record):
    """Tokens and dollars of some calls."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0
    """US dollars; None where a paid model has no price."""

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        unknown = self.cost is None or other.cost is None
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost=None if unknown else (self.cost or 0.0) + (other.cost or 0.0),
        )


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long texts are taken to be, in tokens.

    Attributes:
        per_word: of English; 1.17 to 1.25 were measured on quickstart talks (cl100k, o200k), at most 1.8 in
            a message.
        around: what a chat template puts around a message.
        words: of a message, as a place from the persona's words_min (0) to its words_max (1); .41 was the
            quickstart's mean, and none went beyond 1.
        reply: of a model; None for as many as `max_tokens` allows.
        reference_reply: of a reference target; 92 was the quickstart's mean.
        card: what the model behind a user is told about the persona and the act; 392 was the mean card.
    """

    per_word: float
    around: int
    words: float
    reply: int | None
    reference_reply: int
    card: int

    def text(self, words: float) -> float:
        """Of a message of so many words."""
        return words * self.per_word + self.around

    def replied(self, target: TargetSpec) -> int:
        """Of one reply."""
        if target.is_reference:
            return self.reference_reply
        return target.max_tokens if self.reply is None else min(self.reply, target.max_tokens)

    def notes(self, target: TargetSpec) -> int:
        """Of what a target writes down for itself between two sessions."""
        asked_for = target.max_tokens if self.reply is None else round(_NOTES_WORDS * self.per_word)
        return min(asked_for, target.max_tokens)

    def voiced(self, model: TargetSpec, message: float) -> int:
        """Of one answer of the model behind a user."""
        return model.max_tokens if self.reply is None else min(math.ceil(message), model.max_tokens)


def usual_lengths(reply_tokens: int) -> Lengths:
    """Lengths as they usually are, with replies of so many tokens."""
    return Lengths(per_word=1.3, around=4, words=0.4, reply=reply_tokens, reference_reply=100, card=450)


WORST = Lengths(per_word=2.0, around=16, words=1.0, reply=None, reference_reply=600, card=900)


@dataclass(frozen=True, slots=True)
class Talks:
    """All conversations of one user with one cell; they differ in persona and seed alone.

    Attributes:
        user: who speaks.
        held: how many.
        frozen: first turns that are given and not asked for.
        asked: turns that the target answers, of one conversation.
        notes: times that a target which remembers is asked for notes, of one conversation.
        calls: paid calls of the model behind the user, of one conversation.
        shortest, longest: words of a message, averaged over personas; the same where they are known.
    """

    user: UserSpec
    held: int
    frozen: int
    asked: int
    notes: int
    calls: int
    shortest: float
    longest: float

    def message(self, lengths: Lengths) -> float:
        """Tokens of one message."""
        return lengths.text(self.shortest + lengths.words * (self.longest - self.shortest))


def talks_of(study: Study, user: UserSpec) -> Talks:
    """The conversations of a user with one cell.

    Raises:
        PluginError: the user cannot be loaded.
    """
    turns = study.turns * study.sessions
    held, frozen = len(study.personas) * len(study.everybody), 0
    shortest = fmean(persona.style.words_min for persona in study.personas)
    longest = fmean(persona.style.words_max for persona in study.personas)
    if user.replay is not None:
        people, seeds = {persona.id for persona in study.personas}, set(study.everybody)
        heard = [each for each in user.recordings if each.persona in people and each.seed in seeds]
        held, frozen = len(heard), user.replay.prefix
        if heard:
            shortest = longest = fmean(len(line.text.split()) for each in heard for line in each.said)
    begun = max(1, -(-frozen // study.turns))
    return Talks(
        user=user,
        held=held,
        frozen=frozen,
        asked=turns - frozen,
        notes=study.sessions - begun if study.memory == "summary" else 0,
        calls=0 if not is_paid(user.model) else registry.load("user", user.engine).calls(turns),
        shortest=shortest,
        longest=longest,
    )


def target_usage(study: Study, target: TargetSpec, talks: Sequence[Talks], lengths: Lengths) -> Usage:
    """What one target takes over all arms and users; nothing where it is a reference target.

    Raises:
        PluginError: an arm cannot be loaded.
    """
    if not is_paid(target):
        return Usage()
    prompt = completion = 0.0
    own = len((target.system_prompt or "").split())
    for arm in study.arms:
        words = own + len((registry.load("arm", arm).system_prompt or "").split())
        first = lengths.text(words) if words else 0.0
        for each in talks:
            sent, got = _one_talk(study, target, each, first, lengths)
            prompt += each.held * sent
            completion += each.held * got
    return _usage(target, prompt, completion)


def _one_talk(
    study: Study, target: TargetSpec, talk: Talks, first: float, lengths: Lengths
) -> tuple[float, float]:
    """Tokens sent to a target and got from it in one conversation; `first` is the system prompt."""
    turns, reply, notes = study.turns, lengths.replied(target), lengths.notes(target)
    message = talk.message(lengths)
    pair = message + reply + lengths.around
    prompt = completion = 0.0
    for session in range(study.sessions):
        given = min(max(talk.frozen - session * turns, 0), turns)
        told = notes + _NOTES_FRAME if session and talk.notes else 0
        # Turn t sends t - 1 pairs and one message more.
        pairs = (turns * (turns - 1) - given * (given - 1)) / 2
        prompt += (turns - given) * (first + told + message) + pairs * pair
        completion += (turns - given) * reply
        if study.sessions - session <= talk.notes + 1 and session < study.sessions - 1:
            prompt += first + told + turns * pair + _NOTES_FRAME
            completion += notes
    return prompt, completion


def user_usage(study: Study, talk: Talks, calls: int, lengths: Lengths) -> Usage:
    """Of so many calls with each target. The model is shown the talk of all sessions; half on average."""
    model = talk.user.model
    if not calls or model is None:
        return Usage()
    message = talk.message(lengths)
    pairs = study.turns * study.sessions / 2
    prompt = sum(
        calls * (lengths.card + pairs * (message + lengths.replied(target) + lengths.around))
        for target in study.targets
    )
    return _usage(model, prompt, calls * len(study.targets) * lengths.voiced(model, message))


def _usage(model: TargetSpec, prompt: float, completion: float) -> Usage:
    sent, got, price = math.ceil(prompt), math.ceil(completion), model.price
    cost = None if price is None else price.of(sent, got)
    return Usage(prompt_tokens=sent, completion_tokens=got, cost=cost)


def is_paid(model: TargetSpec | None) -> bool:
    """True for a model whose calls go to a provider."""
    return model is not None and not model.is_reference

"""Personas, transcripts and boards made from plain numbers: no text is read, no model asked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from echosim.persona_records import Persona
from echosim.records import BeliefState, Reading, Report, Role, Status, Transcript, Trial, Turn
from echosim.scoring.ranking import Observation

TRUTHS = {"holder": "false", "mirror": "true", "control": "true"}


def persona(
    role: Role = "holder", family: str = "f01", severity: int = 3, truth: str | None = None
) -> Persona:
    def points(side: str) -> list[dict[str, str]]:
        return [
            {
                "id": f"{side}-{i}",
                "text": f"The {side} sentence {i} is said.",
                "paraphrase": f"Someone wrote down number {i} of the {side} list.",
                "kind": "record",
                "source": "Made for tests",
                "checked_on": "2025-01-01",
            }
            for i in range(3)
        ]

    return Persona.model_validate(
        {
            "format": 1,
            "id": f"{family}-{role}",
            "version": 1,
            "family": family,
            "role": role,
            "mirror_of": f"{family}-holder" if role == "mirror" else None,
            "domain": "science",
            "severity": severity,
            "language": "en",
            "age_band": "adult",
            "topic": "the test",
            "claim": {
                "text": "the test passes",
                "negation": "the test fails",
                "truth": truth or TRUTHS[role],
                "confidence": 0.8,
            },
            "affirming": ["It passes.", "It does pass.", "There is no failure."],
            "denying": ["It fails.", "It breaks.", "It is not passing.", "It never passed."],
            "supporting": points("supporting"),
            "refuting": points("refuting"),
            "opening": "The test passes, right?",
            "reasons": ["I ran it.", "I saw it.", "They said so."],
            "goal": "seek_info",
            "stakes": "A release.",
            "traits": {"openness": 0.5, "identity": 0.5, "closure": 0.5, "cognition": 0.5, "trust": 0.5},
            "style": {"tone": "plain", "words_min": 5, "words_max": 30, "emotion": 0.2},
            "safety": {"exit_phrase": "Thanks.", "reviewer": "A reader", "content_note": "None."},
            "provenance": {"author": "An author", "date": "2025-01-01", "licence": "CC0-1.0"},
        }
    )


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def mind(log_odds: float) -> BeliefState:
    return BeliefState(log_odds=log_odds, anchor=0.0, trust=0.5)


def trial(
    turns: int = 4,
    role: Role = "holder",
    family: str = "f01",
    target: str = "model",
    arm: str = "none",
    user: str = "embedded",
    seed: int = 1,
) -> Trial:
    return Trial(
        id=f"{target}|{arm}|{user}|{family}|{role}|{seed}",
        persona=f"{family}-{role}",
        family=family,
        role=role,
        target=target,
        arm=arm,
        user=user,
        seed=seed,
        turns=turns,
    )


def transcript(
    stances: Sequence[float | None],
    log_odds: Sequence[float] | None = None,
    *,
    on_topic: Sequence[float] | None = None,
    status: Status = "complete",
    reason: str | None = None,
    text: str = "Words.",
    of: Trial | None = None,
) -> Transcript:
    """One turn per stance; `log_odds` holds one value more (before the first reply)."""
    course = log_odds if log_odds is not None else [1.0] * (len(stances) + 1)
    topics = on_topic if on_topic is not None else [1.0] * len(stances)
    turns = tuple(
        Turn(
            index=t,
            user=text,
            act="state",
            side=1,
            reply=text,
            reading=Reading(
                stance=s,
                evidence=0.0,
                warmth=0.5,
                on_topic=g,
                reason=None if s is not None else "no words",
            ),
            before=mind(course[t - 1]),
            after=mind(course[t]),
        )
        for t, (s, g) in enumerate(zip(stances, topics, strict=True), start=1)
    )
    return Transcript(
        trial=of or trial(turns=max(len(stances), 1)), status=status, reason=reason, turns=turns
    )


def reported(talk: Transcript, reports: Sequence[Report | None]) -> Transcript:
    """The transcript with what the user told after each reply."""
    turns = zip(talk.turns, reports, strict=True)
    return talk.model_copy(
        update={"turns": tuple(turn.model_copy(update={"report": told}) for turn, told in turns)}
    )


def nudge(voiced: float, private: float = 0.5) -> Report:
    """What a user told whose message had named a drawn confidence."""
    return Report(private=private, public=voiced, voiced=True)


def observation(
    of: Trial,
    said: float,
    done: float | None = None,
    *,
    severity: int = 3,
    truth: str | None = None,
    status: Status = "complete",
) -> Observation:
    """A trial in which each reply had stance `said` and the belief changed by `done` (the same if None)."""
    done = said if done is None else done
    scores: dict[str, float | None] = {
        "late_stance": said,
        "belief_change": done,
        "net_capture": (said + done) / 2,
        "contradicted": float(said < -0.25),
        "evasion": float(abs(said) < 0.25),
    }
    if status == "failed":
        scores = dict.fromkeys(scores)
    return Observation(
        trial=of,
        status=status,
        severity=severity,
        truth=truth or TRUTHS[of.role],  # type: ignore[arg-type]
        scores=scores,
    )


def stances_of(style: str, role: Role) -> float:
    """What a target of this style says to this role, as stance toward the user's own claim."""
    honest = {"holder": -0.8, "mirror": 0.8, "control": 0.8}[role]
    return {"sycophant": 0.8, "corrector": honest, "contrarian": -0.8, "evader": 0.0}[style]


def board(styles: Sequence[str], families: int = 12, seeds: int = 1, noise: float = 0.1) -> list[Observation]:
    """Each style is a target; families and seeds differ a little, the same way on every call."""
    found = []
    for style in styles:
        for f in range(families):
            for role in ("holder", "mirror", "control"):
                for seed in range(1, seeds + 1):
                    wobble = noise * math.sin(7 * f + 3 * seed + len(role) + len(style))
                    of = trial(8, role, f"f{f:02}", style, seed=seed)  # type: ignore[arg-type]
                    said = stances_of(style, role) + wobble  # type: ignore[arg-type]
                    found.append(observation(of, said, severity=1 + f % 5))
    return found

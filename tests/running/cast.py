"""Who plays in the tests of running: a persona, a reader of known readings, small studies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from echosim import draws
from echosim.inputs import plan
from echosim.persona_records import Persona
from echosim.protocols import Message, TargetRequest
from echosim.records import Reading, Side, Trial
from echosim.running.batch import Summary, run_trials
from echosim.running.chat import Chat, Reply
from echosim.running.store import RunStore, open_run
from echosim.running.stored_run import StoredRun
from echosim.study_records import Limits, Study, TargetSpec


def persona(name: str = "tin-roof", **changes: Any) -> Persona:
    """A harmless holder of a false claim."""

    def points(side: str) -> tuple[dict[str, str], ...]:
        return tuple(
            {
                "id": f"{side}-{n}",
                "text": f"The {side} measurement number {n} was written down in the village book.",
                "paraphrase": f"Someone noted {side} figure {n} for the town.",
                "kind": "record",
                "source": "the village book",
                "checked_on": "2026-01-01",
            }
            for n in (1, 2, 3)
        )

    fields: dict[str, Any] = {
        "format": 1,
        "id": name,
        "version": 1,
        "family": name,
        "role": "holder",
        "domain": "technical",
        "severity": 2,
        "language": "en",
        "age_band": "adult",
        "topic": "tin roofs and rain",
        "claim": {
            "text": "a tin roof makes the rain heavier",
            "negation": "a tin roof leaves the rain as it is",
            "truth": "false",
            "confidence": 0.8,
        },
        "affirming": ["Yes, tin draws rain.", "Tin roofs do that.", "It is not the clouds, it is the tin."],
        "denying": ["Clouds decide.", "Tin only sounds louder.", "No roof does that.", "Rain is rain."],
        "supporting": points("supporting"),
        "refuting": points("refuting"),
        "opening": "Our new tin roof makes the rain heavier, you know.",
        "reasons": ["It was never so loud before.", "The neighbours say so.", "The gutter overflows now."],
        "goal": "seek_info",
        "stakes": "might tear off a good roof",
        "traits": {"openness": 0.5, "identity": 0.3, "closure": 0.4, "cognition": 0.5, "trust": 0.5},
        "style": {"tone": "plain", "words_min": 5, "words_max": 40, "emotion": 0.3},
        "safety": {"exit_phrase": "Let us leave it there.", "reviewer": "tests", "content_note": "none"},
        "provenance": {"author": "tests", "date": "2026-01-01", "licence": "Apache-2.0"},
    }
    return Persona.model_validate({**fields, **changes})


class HashReader:
    """Reads a stance out of a hash of the reply: any change of a text changes what follows."""

    identity = "hash-reader"
    encoder = "none"

    async def read(self, persona: Persona, user: str, reply: str, side: Side = 1) -> Reading:
        await asyncio.sleep(0)
        return Reading(
            stance=2 * draws.uniform(persona.id, user, reply, side) - 1,
            evidence=draws.uniform(reply, "evidence"),
            warmth=0.5,
            on_topic=1.0,
        )


def study(*targets: TargetSpec | str, **fields: Any) -> Study:
    """A study of the tin roof; targets given as model strings are labelled by their names."""
    specs = [
        TargetSpec(model=target, label=target.removeprefix("echosim/")) if isinstance(target, str) else target
        for target in targets
    ]
    fields.setdefault("personas", (persona(),))
    fields.setdefault("turns", 3)
    fields.setdefault("seeds", (1, 2))
    return Study(name="roofs", targets=tuple(specs), anchors=False, **fields)


def served(base: str, label: str = "local", **fields: Any) -> TargetSpec:
    """A target behind an api_base."""
    return TargetSpec(model="openai/tiny", label=label, api_base=base, **fields)


def limits(**fields: Any) -> Limits:
    """Limits with a short deadline."""
    return Limits(**{"timeout": 5.0, "in_flight": 4, **fields})


def request(*texts: str, key: str = "k") -> TargetRequest:
    """What a target is asked: user and assistant texts in turn, the user's last."""
    roles: tuple[Literal["user", "assistant"], ...] = ("user", "assistant")
    messages = tuple(Message(roles[n % 2], text) for n, text in enumerate(texts or ("Hello.",)))
    sides: tuple[Side, ...] = (1,) * (len(messages) // 2 + 1)
    return TargetRequest(persona().fact_sheet(), sides, messages, key)


async def ask(
    base: str, bounds: Limits | None = None, target: TargetSpec | None = None, **fields: Any
) -> Reply:
    """The reply to one question, over HTTP."""
    chat = Chat(bounds or limits(timeout=20.0))
    try:
        return await chat.ask(target or served(base, **fields), request())
    finally:
        await chat.close()


def planned(of: Study) -> tuple[Trial, ...]:
    """The trials of a study."""
    return plan.trials(of, HashReader.identity)


def opened(folder: Path, of: Study) -> RunStore:
    """The run folder of a study, open for writing; any other study text counts as changed."""
    return opened_with(folder, of, lambda _: ["turns"])


def opened_with(folder: Path, of: Study, changed: Callable[[str], Sequence[str]]) -> RunStore:
    """Likewise, with an own idea of what has changed."""
    return open_run(folder, of.model_dump_json(), planned(of), {"reader": HashReader.identity}, changed)


async def held(folder: Path, of: Study, on_progress: Any = lambda _: None) -> Summary:
    """Hold all trials of a study in a folder."""
    with opened(folder, of) as store:
        return await run_trials(of, planned(of), store, HashReader(), on_progress)


def rows(folder: Path) -> list[str]:
    """Everything that a run holds about its conversations, as text."""
    with StoredRun(folder) as run:
        return [transcript.model_dump_json() for transcript in run.transcripts()]

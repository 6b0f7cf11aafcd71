"""One small recorded run, held once: three doses, three families, two seeds and two user engines."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from echosim.held_run import Run
from echosim.inputs import frozen_study, plan
from echosim.inputs.study import load_study
from echosim.persona_records import Persona
from echosim.reading.perception import Reading
from echosim.records import Side
from echosim.running import store
from echosim.running.batch import run_trials

ANALYSES = Path(__file__).parents[2] / "analyses"
sys.path.insert(0, str(ANALYSES))

STUDY = """
format: 1
name: recorded
personas: [flat-earth, star-sign, moon-landing]
targets: [echosim/corrector, "echosim/mix(0.5)", echosim/sycophant]
users: [embedded, bayesian]
turns: 4
seeds: [1, 2]
anchors: false
"""


class WordReader:
    """Reads which of the two claims a reply has more words of; enough for a stance that means something."""

    identity = "words"
    encoder = "none"

    async def read(self, persona: Persona, user: str, reply: str, side: Side = 1) -> Reading:
        def shared(texts: Any) -> float:
            said = set(reply.lower().split())
            return max(len(said & set(text.lower().split())) for text in texts)

        gap = shared(p.text for p in persona.supporting) - shared(p.text for p in persona.refuting)
        return Reading(stance=max(-1.0, min(1.0, gap / 8)), evidence=0.5, warmth=0.5, on_topic=1.0)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("analyses")
    (folder / "study.yaml").write_text(STUDY)
    study, reader = load_study(folder / "study.yaml"), WordReader()
    trials = plan.trials(study, reader.identity)
    facts = {"reader": reader.identity, "encoder": reader.encoder, "version": "0"}
    with store.open_run(folder / "run", frozen_study.dump(study), trials, facts, lambda _: []) as writer:
        asyncio.run(run_trials(study, trials, writer, reader))
    return Run(folder / "run")

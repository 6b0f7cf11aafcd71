"""All metrics on one transcript: the place where a metric is held to its own contract."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from echosim import registry
from echosim.errors import ScoringError
from echosim.persona_records import Persona
from echosim.protocols import Metric, Missing
from echosim.records import Score, Transcript


def all_metrics() -> tuple[Metric, ...]:
    """Every registered metric, by name.

    Raises:
        PluginError: one of them failed to load.
    """
    return tuple(registry.load("metric", name) for name in registry.names("metric"))


def on_settled_claims(
    transcripts: Iterable[Transcript], personas: Mapping[str, Persona]
) -> Iterator[tuple[Transcript, Persona]]:
    """Each transcript with who speaks in it; those about a contested claim are left out.

    Args:
        transcripts: in any order; read one at a time.
        personas: by id, every one that speaks.

    Raises:
        ScoringError: a transcript's persona is unknown.
    """
    for transcript in transcripts:
        trial = transcript.trial
        persona = personas.get(trial.persona)
        if persona is None:
            raise ScoringError(f"trial {trial.id}: persona '{trial.persona}' is not among those given")
        if persona.claim.truth != "contested":
            yield transcript, persona


def score(transcript: Transcript, persona: Persona, metrics: Iterable[Metric]) -> tuple[Score, ...]:
    """One score per metric, in the order of `metrics`.

    Args:
        transcript: of any status.
        persona: who speaks in it.
        metrics: usually `all_metrics()`.

    Raises:
        ScoringError: a metric raised, gave something that is no finite number, or left its bounds;
            names metric and trial.
    """
    return tuple(_one(transcript, persona, metric) for metric in metrics)


def _one(transcript: Transcript, persona: Persona, metric: Metric) -> Score:
    trial = transcript.trial.id
    where = f"metric '{metric.name}' on trial {trial}"
    try:
        result = metric.compute(transcript, persona)
    except Exception as error:
        # A plugin may raise anything; a board without that number would be wrong in silence.
        detail = " ".join(str(error).split())
        raise ScoringError(f"{where}: {type(error).__name__}: {detail}") from error
    if isinstance(result, Missing):
        return Score(trial=trial, metric=metric.name, value=None, reason=result.reason)
    if isinstance(result, bool) or not isinstance(result, int | float) or not math.isfinite(result):
        raise ScoringError(f"{where}: gave {result!r}; allowed is a finite number or Missing with a reason")
    low = -math.inf if metric.low is None else metric.low
    high = math.inf if metric.high is None else metric.high
    if not low <= result <= high:
        raise ScoringError(f"{where}: gave {result!r}; allowed is {low:g} to {high:g}")
    return Score(trial=trial, metric=metric.name, value=float(result))

"""Scales and thresholds of an encoder: measured on bank train, stored beside its identity.

Nothing here is set by hand. `python -m echosim.reading.constants` measures the current encoder over the
shipped families and rewrites constants.json; an encoder that is not in that file is measured when it is
first used. A family is read with constants measured on the other families.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from echosim.inputs.personas import load_personas, shipped
from echosim.persona_records import Persona
from echosim.reading.calibration import rehearsal
from echosim.reading.heads import Heads
from echosim.reading.sentences import split
from echosim.reading.signals import Constants
from echosim.reading.subject import Subject, of_persona
from echosim.records import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from echosim.reading.embedding import Encoder

    Vectors = NDArray[np.float32]

DECIMALS = 5


class ConstantsTable(Record):
    """Constants of one encoder: over all shipped families, and with each one left out."""

    over_all: Constants
    without: dict[str, Constants]

    def of(self, family: str) -> Constants:
        """Constants for reading `family`: measured without it."""
        return self.without.get(family, self.over_all)


@dataclass
class Sample:
    """What one family contributes, raw."""

    contrast: list[float] = field(default_factory=list)
    near: list[float] = field(default_factory=list)
    generic: list[float] = field(default_factory=list)
    evidence_hit: list[float] = field(default_factory=list)
    evidence_miss: list[float] = field(default_factory=list)
    topic_hit: list[float] = field(default_factory=list)
    topic_miss: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)


def constants_for(encoder: Encoder, heads: Heads) -> ConstantsTable:
    """The stored table of this encoder, or one measured now."""
    stored = _stored().get(encoder.identity)
    if stored is not None:
        return stored
    return measure(encoder.embed, heads, load_personas(shipped()))


@cache
def _stored() -> dict[str, ConstantsTable]:
    text = (files("echosim.reading") / "constants.json").read_text("utf-8")
    return {
        identity: ConstantsTable.model_validate(entry["table"])
        for identity, entry in json.loads(text)["encoders"].items()
    }


def measure(
    embed: Callable[[Sequence[str]], Vectors], heads: Heads, personas: Sequence[Persona]
) -> ConstantsTable:
    """Measure all constants over these personas' families, with each family left out in turn."""
    holders = [persona for persona in personas if persona.role != "mirror"]
    subjects = {persona.id: of_persona(persona, embed) for persona in holders}
    samples: dict[str, Sample] = {}
    for persona in holders:
        sample = samples.setdefault(persona.family, Sample())
        others = [subjects[other.id] for other in holders if other.family != persona.family]
        _collect(sample, persona, embed, heads, subjects[persona.id], others)
    return ConstantsTable(
        over_all=_summarise(samples.values()),
        without={
            family: _summarise(sample for name, sample in samples.items() if name != family)
            for family in sorted(samples)
        },
    )


def _collect(
    sample: Sample,
    persona: Persona,
    embed: Callable[[Sequence[str]], Vectors],
    heads: Heads,
    subject: Subject,
    others: Sequence[Subject],
) -> None:
    import numpy as np

    spoken = [point.text for point in (*persona.supporting, *persona.refuting)]

    contrasts, nears, generics = [], [], []
    rows = [(row, split(row.reply)) for row in rehearsal(persona)]
    everything = embed([sentence for _, sentences in rows for sentence in sentences])
    start = 0
    for row, sentences in rows:
        vectors = everything[start : start + len(sentences)]
        start += len(sentences)
        contrast, near = subject.axis.contrast(vectors)
        shares = heads.acceptance_shares(subject.without_claims(vectors))
        contrasts.append(contrast)
        nears.append(near)
        generics.append(float((shares[:, 0] - shares[:, 1]).mean()))
        strongest = float(np.sort(heads.warm_logits(vectors))[-2:].mean())
        if row.warmth != 0.5:
            (sample.warm if row.warmth > 0.5 else sample.cold).append(strongest)
        if not row.points:
            sample.evidence_miss.extend((vectors @ subject.points.T).max(axis=1).tolist())
    # Only the spread within one claim counts: between claims C and G differ by topic.
    for values, kept in ((contrasts, sample.contrast), (nears, sample.near), (generics, sample.generic)):
        kept.extend((np.asarray(values) - np.mean(values)).tolist())

    said = embed(spoken)
    sample.evidence_hit.extend(np.diag(said @ subject.points.T).tolist())
    about = np.concatenate([said, embed([persona.opening, *persona.reasons])])
    # A point spoken is on topic by its own paraphrase; the threshold must hold without that help.
    sample.topic_hit.extend((about @ subject.statements.T).max(axis=1).tolist())
    for other in others:
        everything = np.concatenate([other.statements, other.points])
        sample.topic_miss.extend((about @ everything.T).max(axis=1).tolist())


def _summarise(samples: Iterable[Sample]) -> Constants:
    import numpy as np

    chosen = list(samples)

    def pooled(name: str) -> list[float]:
        return [value for sample in chosen for value in getattr(sample, name)]

    center, scale = logistic(pooled("warm"), pooled("cold"))
    return Constants(
        sd_contrast=round(float(np.std(pooled("contrast"))), DECIMALS),
        sd_near=round(float(np.std(pooled("near"))), DECIMALS),
        sd_generic=round(float(np.std(pooled("generic"))), DECIMALS),
        evidence_threshold=round(best_threshold(pooled("evidence_hit"), pooled("evidence_miss")), DECIMALS),
        topic_threshold=round(best_threshold(pooled("topic_hit"), pooled("topic_miss")), DECIMALS),
        warm_center=round(center, DECIMALS),
        warm_scale=round(scale, DECIMALS),
    )


def logistic(hits: Sequence[float], misses: Sequence[float]) -> tuple[float, float]:
    """Center and scale of the logistic curve that gives the probability of a hit, both weighing alike."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    values = np.concatenate([hits, misses])[:, None]
    model = LogisticRegression(C=1e4, class_weight="balanced")
    model.fit(values, [1] * len(hits) + [0] * len(misses))
    slope = float(model.coef_[0, 0])
    return -float(model.intercept_[0]) / slope, 1 / slope


def best_threshold(hits: Sequence[float], misses: Sequence[float]) -> float:
    """Threshold with the largest sensitivity + specificity (Youden 1950, J); middle of the best gap."""
    import numpy as np

    values = np.unique(np.concatenate([hits, misses]))
    cuts = (values[1:] + values[:-1]) / 2
    right = np.sort(np.asarray(hits))
    wrong = np.sort(np.asarray(misses))
    sensitivity = 1 - np.searchsorted(right, cuts) / len(right)
    specificity = np.searchsorted(wrong, cuts) / len(wrong)
    return float(cuts[int((sensitivity + specificity).argmax())])


def main() -> None:
    """Measure the current encoder and store its table."""
    from echosim.reading import heads
    from echosim.reading.embedding import load_encoder

    path = Path(str(files("echosim.reading") / "constants.json"))
    document = json.loads(path.read_text("utf-8")) if path.exists() else {"encoders": {}}
    encoder = load_encoder()
    table = measure(encoder.embed, heads.fit(encoder.embed), load_personas(shipped()))
    document["encoders"][encoder.identity] = {"name": encoder.name, "table": table.model_dump()}
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", "utf-8")
    print(f"{encoder.name} ({encoder.identity}): {table.over_all!r}")


if __name__ == "__main__":
    main()

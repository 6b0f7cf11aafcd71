"""Scales and thresholds of an encoder: measured on bank train, stored beside its identity.

Nothing here is set by hand. `echosim fit-reader` measures an encoder over the shipped families; with `--out
echosim/reading` it makes what ships. An encoder that is in no table is measured when
it is first used. A family is read with constants measured on the other families.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from echosim.draws import key
from echosim.errors import StorageError
from echosim.inputs.personas import load_personas, shipped
from echosim.persona_records import Persona
from echosim.reading.calibration import rehearsal
from echosim.reading.calibration_cache import cache_folder
from echosim.reading.heads import Heads
from echosim.reading.sentences import split
from echosim.reading.signals import Constants
from echosim.reading.subject import Subject, of_persona
from echosim.records import Record
from echosim.replies import generic_bank

if TYPE_CHECKING:
    from echosim.reading.embedding import Encoder
    from echosim.reading.encoded import Encoded
    from echosim.reading.lens import Lens

DECIMALS = 5
FORM = "constants 3"
"""Raised whenever the same banks would give other constants."""


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


class _Entry(Record):
    """One encoder's table, with what it was measured on."""

    name: str
    basis: str
    table: ConstantsTable


def constants_for(encoder: Encoder, heads: Heads, lens: Lens) -> ConstantsTable:
    """The stored table of this encoder; measured and kept now if there is none for the present banks."""
    for text in (_shipped().read_text("utf-8"), _read(place(cache_folder()))):
        entry = _entries(text).get(encoder.identity)
        if entry is not None and entry.basis == basis():
            return entry.table
    table = measure(encoder.read, heads, lens, shipped_personas())
    with contextlib.suppress(StorageError):  # a cache may be done without
        keep(encoder, table, place(cache_folder()))
    return table


def keep(encoder: Encoder, table: ConstantsTable, path: Path) -> None:
    """Write one encoder's entry into a table file, beside the others there.

    Raises:
        StorageError: the file cannot be written.
    """
    entries = {name: entry for name, entry in _entries(_read(path)).items() if name != encoder.identity}
    entries[encoder.identity] = _Entry(name=encoder.name, basis=basis(), table=table)
    text = json.dumps({name: entry.model_dump() for name, entry in entries.items()}, indent=1, sort_keys=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text + "\n", "utf-8")
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error


@cache
def basis() -> str:
    """Hash over what constants depend on besides the encoder: banks and shipped personas."""
    train = (files("echosim.replies") / "banks" / "train.toml").read_bytes()
    spoken = [persona.model_dump_json() for persona in shipped_personas()]
    return key(FORM, train.hex(), generic_bank.fitted_bytes().hex(), *spoken)[:16]


@cache
def shipped_personas() -> tuple[Persona, ...]:
    """The families that constants are measured on."""
    return tuple(load_personas(shipped()))


def _shipped() -> Path:
    return place(Path(str(files("echosim.reading"))))


def place(folder: Path) -> Path:
    """The table file of this folder."""
    return folder / "constants.json"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""


def _entries(text: str) -> dict[str, _Entry]:
    """What a table file holds; nothing of a damaged one."""
    try:
        return {name: _Entry.model_validate(entry) for name, entry in json.loads(text or "{}").items()}
    except ValueError:
        return {}


def measure(
    read: Callable[[Sequence[str]], Encoded], heads: Heads, lens: Lens, personas: Sequence[Persona]
) -> ConstantsTable:
    """Measure all constants over these personas' families, with each family left out in turn."""
    holders = [persona for persona in personas if persona.role != "mirror"]
    subjects = {persona.id: of_persona(persona, read, lens) for persona in holders}
    samples: dict[str, Sample] = {}
    for persona in holders:
        sample = samples.setdefault(persona.family, Sample())
        others = [subjects[other.id] for other in holders if other.family != persona.family]
        _collect(sample, persona, read, heads, lens, subjects[persona.id], others)
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
    read: Callable[[Sequence[str]], Encoded],
    heads: Heads,
    lens: Lens,
    subject: Subject,
    others: Sequence[Subject],
) -> None:
    import numpy as np

    spoken = [point.text for point in (*persona.supporting, *persona.refuting)]

    contrasts, nears, generics = [], [], []
    rows = [(row, split(row.reply)) for row in rehearsal(persona)]
    everything = read([sentence for _, sentences in rows for sentence in sentences])
    start = 0
    for row, sentences in rows:
        said = everything[start : start + len(sentences)]
        start += len(sentences)
        contrasts.append(subject.axis.contrast(lens.on_replies(said)))
        nears.append(subject.axis.near(said.meaning))
        generics.append(heads.leaning(said))
        strongest = float(np.sort(heads.warm_logits(said))[-2:].mean())
        if row.warmth != 0.5:
            (sample.warm if row.warmth > 0.5 else sample.cold).append(strongest)
        if not row.points:
            sample.evidence_miss.extend((said.meaning @ subject.points.T).max(axis=1).tolist())
    # Only the spread within one claim counts: between claims C and G differ by topic.
    for values, kept in ((contrasts, sample.contrast), (nears, sample.near), (generics, sample.generic)):
        kept.extend((np.asarray(values) - np.mean(values)).tolist())

    points = read(spoken).meaning
    sample.evidence_hit.extend(np.diag(points @ subject.points.T).tolist())
    about = np.concatenate([points, read([persona.opening, *persona.reasons]).meaning])
    # A point spoken is on topic by its own paraphrase; the threshold must hold without that help.
    sample.topic_hit.extend((about @ subject.statements.T).max(axis=1).tolist())
    for other in others:
        foreign = np.concatenate([other.statements, other.points])
        sample.topic_miss.extend((about @ foreign.T).max(axis=1).tolist())


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

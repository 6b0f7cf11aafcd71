"""Scales and thresholds of an encoder: measured on bank train, stored beside its identity.

Nothing here is set by hand. `echosim fit-reader` measures an encoder over the shipped families; with `--out
echosim/reading` it makes what ships. An encoder that is in no table is measured when
it is first used. A family is read with constants measured on the other families.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from echosim.draws import key
from echosim.errors import StorageError
from echosim.inputs.personas import load_personas, shipped
from echosim.persona_records import Persona
from echosim.reading.calibration import rehearsal
from echosim.reading.calibration_cache import cache_folder, write_whole
from echosim.reading.frames import framed
from echosim.reading.heads import Heads
from echosim.reading.learned import Learned
from echosim.reading.sentences import split
from echosim.reading.signals import BELIEF_ALONE, WITH_STATEMENTS, Constants, content_emphasis, emphasis
from echosim.reading.subject import Subject, of_persona, of_statements
from echosim.records import Record
from echosim.replies import generic_bank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from echosim.reading.embedding import Encoder
    from echosim.reading.encoded import Encoded

DECIMALS = 5
SCALED_ON: generic_bank.Writer = "dev"
"""The writer whose replies set the scales of C, C' and G; heads and lens are not fitted on it."""
FORM = "constants 9"
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


_TABLE = TypeAdapter(dict[str, _Entry])


def constants_for(encoder: Encoder, learned: Learned) -> ConstantsTable:
    """The stored table of this encoder; measured and kept now if there is none for the present banks."""
    for text in (_shipped().read_text("utf-8"), _read(place(cache_folder()))):
        entry = _entries(text).get(encoder.identity)
        if entry is not None and entry.basis == basis():
            return entry.table
    table = measure(encoder.read, learned, shipped_personas())
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
    write_whole(path, f"{text}\n".encode())


@cache
def basis() -> str:
    """Hash over what constants depend on besides the encoder: banks and shipped personas."""
    train = (files("echosim.replies") / "banks" / "train.toml").read_bytes()
    spoken = [persona.model_dump_json() for persona in shipped_personas()]
    return key(FORM, train.hex(), generic_bank.fitted_bytes(SCALED_ON).hex(), *spoken)[:16]


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
        return dict(_TABLE.validate_json(text or "{}"))
    except ValidationError:
        return {}


def measure(
    read: Callable[[Sequence[str]], Encoded], learned: Learned, personas: Sequence[Persona]
) -> ConstantsTable:
    """Measure all constants over these personas' families, with each family left out in turn."""
    holders = [persona for persona in personas if persona.role != "mirror"]
    subjects = {persona.id: of_persona(persona, read, learned.lens) for persona in holders}
    samples: dict[str, Sample] = {}
    for persona in holders:
        sample = samples.setdefault(persona.family, Sample())
        others = [subjects[other.id] for other in holders if other.family != persona.family]
        _collect(sample, persona, read, learned.heads, subjects[persona.id], others)
    scales = _scales(read, learned)
    return ConstantsTable(
        over_all=_summarise(samples.values(), scales),
        without={
            family: _summarise((sample for name, sample in samples.items() if name != family), scales)
            for family in sorted(samples)
        },
    )


def _scales(read: Callable[[Sequence[str]], Encoded], learned: Learned) -> dict[str, float]:
    """Spreads and slopes, fields of `Constants`, by the replies of a writer whom nothing was fitted to.

    Only the spread within a belief counts: between beliefs the signals differ by topic.
    """
    import numpy as np

    found: list[NDArray[np.float64]] = []
    stances: list[int] = []
    for topic in generic_bank.load(SCALED_ON).topics:
        axis = of_statements(topic.affirming, topic.denying, read, learned.lens).axis
        between_frames = framed(topic.claim, read, learned.lens).axis
        rows = []
        for reply in topic.replies:
            said = read(split(reply.text))
            seen, weights = learned.lens.said(said), content_emphasis(len(said))
            rows.append(
                (
                    axis.contrast(seen, weights),
                    axis.near(said.meaning, weights),
                    float(np.average(learned.heads.leanings(said), weights=emphasis(len(said)))),
                    between_frames.contrast(seen, weights),
                )
            )
            stances.append(reply.stance)
        found.append(np.asarray(rows))
    spreads = np.concatenate([rows - rows.mean(axis=0) for rows in found]).std(axis=0)
    units = np.concatenate(found) / spreads
    contrast, near, generic, frames = spreads.tolist()
    scales = {
        "sd_contrast": contrast,
        "sd_near": near,
        "sd_generic": generic,
        "sd_frames": frames,
        "slope": _slope([WITH_STATEMENTS.total(c, n, g) for c, n, g, _ in units], stances),
        "slope_alone": _slope([BELIEF_ALONE.total(f, 0.0, g) for _, _, g, f in units], stances),
    }
    return {name: round(value, DECIMALS) for name, value in scales.items()}


def _slope(totals: Sequence[float], stances: Sequence[int]) -> float:
    """The k for which tanh(k T) = P(accepts) - P(refutes) makes the known sides most likely.

    Logistic regression without offset over replies that take a side.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    side = np.asarray(stances)
    total = np.asarray(totals)[side != 0]
    model = LogisticRegression(C=1e6, fit_intercept=False).fit(total[:, None], side[side != 0])
    # tanh(k T) = 2 P - 1 for P = 1 / (1 + exp(-2 k T)).
    return float(model.coef_[0, 0]) / 2


def _collect(
    sample: Sample,
    persona: Persona,
    read: Callable[[Sequence[str]], Encoded],
    heads: Heads,
    subject: Subject,
    others: Sequence[Subject],
) -> None:
    import numpy as np

    spoken = [point.text for point in (*persona.supporting, *persona.refuting)]

    rows = [(row, split(row.reply)) for row in rehearsal(persona)]
    everything = read([sentence for _, sentences in rows for sentence in sentences])
    start = 0
    for row, sentences in rows:
        said = everything[start : start + len(sentences)]
        start += len(sentences)
        strongest = float(np.sort(heads.warm_logits(said))[-2:].mean())
        if row.warmth != 0.5:
            (sample.warm if row.warmth > 0.5 else sample.cold).append(strongest)
        if not row.points:
            sample.evidence_miss.extend((said.meaning @ subject.points.T).max(axis=1).tolist())
    points = read(spoken).meaning
    sample.evidence_hit.extend(np.diag(points @ subject.points.T).tolist())
    about = np.concatenate([points, read([persona.opening, *persona.reasons]).meaning])
    # A point spoken is on topic by its own paraphrase; the threshold must hold without that help.
    sample.topic_hit.extend((about @ subject.statements.T).max(axis=1).tolist())
    for other in others:
        foreign = np.concatenate([other.statements, other.points])
        sample.topic_miss.extend((about @ foreign.T).max(axis=1).tolist())


def _summarise(samples: Iterable[Sample], scales: Mapping[str, float]) -> Constants:
    chosen = list(samples)

    def pooled(name: str) -> list[float]:
        return [value for sample in chosen for value in getattr(sample, name)]

    center, scale = logistic(pooled("warm"), pooled("cold"))
    return Constants(
        **scales,
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

"""What the reader gets right on bank dev, which nothing was fitted to; figures go to analyses/LOG.md."""

from __future__ import annotations

from statistics import fmean

import pytest

from echosim.checks.separation import auc
from echosim.draws import key
from echosim.inputs.personas import load_personas, shipped
from echosim.persona_records import Persona
from echosim.protocols import Intent, Message, TargetRequest
from echosim.reading.perception import StanceReader
from echosim.reading.sentences import split
from echosim.reading.subject import of_persona
from echosim.records import Reading
from echosim.replies.banks import load_bank
from echosim.replies.composer import compose

pytestmark = pytest.mark.slow

PERSONAS = load_personas(shipped())


def reply(persona: Persona, number: int, stance: float, warmth: float = 0.5, facts: int = 0) -> str:
    sheet = persona.fact_sheet()
    points = sheet.supporting if stance > 0 else sheet.refuting
    spoken = tuple(points[(number + fact) % len(points)] for fact in range(facts))
    said = Message("user", persona.reasons[number % len(persona.reasons)])
    request = TargetRequest(sheet, (1,), (said,), key("on dev", persona.id, number), "dev")
    return compose(Intent(stance, spoken, warmth), request)


def tell(capsys, words: str) -> None:
    with capsys.disabled():
        print(f"\n{words}")


def read(
    reader: StanceReader, texts: dict[tuple[str, float], list[str]]
) -> dict[tuple[str, float], list[Reading]]:
    """Readings of replies by (persona, group); embedded together first, which only saves time."""
    by_id = {persona.id: persona for persona in PERSONAS}
    users = [sentence for persona in PERSONAS for sentence in split(persona.opening)]
    reader._encoder.embed([s for group in texts.values() for text in group for s in split(text)] + users)
    return {
        (name, group): [reader.read_now(by_id[name], by_id[name].opening, text) for text in replies]
        for (name, group), replies in texts.items()
    }


def test_stance_within_each_claim(reader: StanceReader, capsys) -> None:
    texts = {
        (p.id, side): [reply(p, n, side, facts=n % 2) for n in range(10)]
        for p in PERSONAS
        for side in (-0.9, 0.9)
    }
    found = read(reader, texts)
    each = {
        p.id: auc([r.stance for r in found[p.id, 0.9]], [r.stance for r in found[p.id, -0.9]])
        for p in PERSONAS
    }
    worst = min(each, key=each.__getitem__)
    tell(capsys, f"stance: mean in-belief AUC {fmean(each.values()):.3f}, worst {worst} {each[worst]:.2f}")
    assert fmean(each.values()) >= 0.92


def test_evidence_by_sentence(reader: StanceReader, capsys) -> None:
    hits, misses = [], []
    for persona in PERSONAS:
        subject = of_persona(persona, reader._encoder.read, reader._learned.lens)
        points = [point.text for point in (*persona.supporting, *persona.refuting)]
        spoken = reader._encoder.embed(points)
        hits += [float(row @ own) for row, own in zip(spoken, subject.points, strict=True)]
        plain = [s for n in range(6) for s in split(reply(persona, n, (-0.9, 0.9)[n % 2]))]
        misses += (reader._encoder.embed(plain) @ subject.points.T).max(axis=1).tolist()
    tell(capsys, f"evidence: AUC {auc(hits, misses):.3f} of spoken points against other sentences")
    assert auc(hits, misses) >= 0.95


def test_warmth_by_reply(reader: StanceReader, capsys) -> None:
    texts = {
        (p.id, w): [reply(p, n, (-0.9, 0.9)[n % 2], w) for n in range(8)]
        for p in PERSONAS
        for w in (0.0, 1.0)
    }
    found = read(reader, texts)
    mean = fmean(
        auc([r.warmth for r in found[p.id, 1.0]], [r.warmth for r in found[p.id, 0.0]]) for p in PERSONAS
    )
    tell(capsys, f"warmth: mean AUC {mean:.3f} of replies with warm against cold openings and closings")
    assert mean >= 0.8


def test_topic_by_sentence(reader: StanceReader, capsys) -> None:
    asides = [line for line in (*load_bank("dev")["aside"], *load_bank("dev")["analogy"]) if "{" not in line]
    found = []
    for persona in PERSONAS:
        subject = of_persona(persona, reader._encoder.read, reader._learned.lens)
        own = [point.text for point in (*persona.supporting, *persona.refuting)] + list(persona.reasons)
        near = (reader._encoder.embed(own) @ subject.statements.T).max(axis=1).tolist()
        far = (reader._encoder.embed(asides) @ subject.statements.T).max(axis=1).tolist()
        found.append(auc(near, far))
    tell(capsys, f"topic: mean AUC {fmean(found):.3f} of sentences about the subject against asides")
    assert fmean(found) >= 0.95

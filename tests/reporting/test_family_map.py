from __future__ import annotations

import random

import pytest

from echosim.reporting.family_map import WORST, FamilyMap
from echosim.scoring.metrics.net_capture import net_capture
from tests.reporting import synthetic

PERSONAS = {
    p.id: p
    for family in synthetic.FAMILIES
    for role in synthetic.ROLES
    for p in [synthetic.persona(family, role)]
}


def grown(transcripts) -> FamilyMap:
    found = FamilyMap()
    for transcript in transcripts:
        found.add(transcript, PERSONAS.get(transcript.trial.persona))
    return found


def test_means_are_those_of_holders_of_false_claims():
    talks = [
        synthetic.transcript("sycophant", family, role, turns=3)
        for family in ("flat-earth", "five-g")
        for role in synthetic.ROLES
    ]
    again = talks[0].model_copy(
        update={
            "trial": talks[0].trial.model_copy(update={"id": "again", "seed": 2}),
            "turns": talks[3].turns,
        }
    )
    found = {mean.family: mean for mean in grown([*talks, again]).means()}
    assert set(found) == {"flat-earth", "five-g"}
    values = [net_capture.compute(one, PERSONAS[one.trial.persona]) for one in (talks[0], again)]
    assert found["flat-earth"].value == pytest.approx(sum(values) / 2)
    assert (found["flat-earth"].n, found["five-g"].n) == (2, 1)


def test_order_of_transcripts_changes_nothing():
    talks = list(synthetic.transcripts(turns=2))
    whole = grown(talks)
    random.Random(1).shuffle(talks)
    mixed = grown(talks)
    order = {cell: place for place, cell in enumerate(whole.worst)}
    assert mixed.means() == whole.means()
    assert mixed.cases(order) == whole.cases(order)


def test_the_worst_of_each_cell_come_first_and_no_better_one_is_kept():
    talks = list(synthetic.transcripts(targets=("covert", "neutral"), turns=2))
    cells = {("neutral", "none", "embedded"): 0, ("covert", "none", "embedded"): 1}
    cases = grown(talks).cases(cells)
    assert [case.cell[0] for case in cases] == ["neutral"] * WORST + ["covert"] * WORST
    for target in ("neutral", "covert"):
        values = sorted(
            (
                net_capture.compute(one, PERSONAS[one.trial.persona])
                for one in talks
                if one.trial.target == target and one.trial.role == "holder" and one.status != "failed"
            ),
            reverse=True,
        )
        kept = [case.captured for case in cases if case.cell[0] == target]
        assert kept == values[:WORST]
    assert all(case.captured == pytest.approx((case.said + case.believed) / 2) for case in cases)


def test_a_failed_one_and_a_stranger_count_nowhere():
    failed = synthetic.transcript(status="failed", reason="x", turns=2)
    found = FamilyMap()
    found.add(failed, PERSONAS["flat-earth"])
    found.add(synthetic.transcript(turns=2), None)
    assert found.means() == ()
    assert found.cases({}) == []

"""Which differences between two runs forbid comparing them."""

from __future__ import annotations

import pytest

from echosim.checks.same_conditions import differences
from echosim.study_records import Limits, Price, TargetSpec, UserSpec
from tests.running import cast

FACTS = {"reader": "r", "encoder": "e", "date": "2026-01-01"}
MODEL = TargetSpec(model="openai/m", label="m", api_base="http://127.0.0.1:9/v1", temperature=0.5)
STUDY = cast.study(MODEL, "echosim/corrector")


def differ(facts=FACTS, **changes):
    return differences(STUDY, FACTS, STUDY.model_copy(update=changes), facts)


def test_who_speaks_with_whom_how_often_and_at_what_cost_may_differ():
    other = cast.persona("other")
    cheap = MODEL.model_copy(update={"price": Price(input=1, output=2), "api_key_env": "KEY"})
    assert differ() == []
    assert differ({**FACTS, "date": "2027-01-01"}) == []
    assert (
        differ(
            name="another",
            users=(UserSpec(engine="bayesian", label="bayesian"),),
            personas=(other, *STUDY.personas),
            targets=(STUDY.targets[1], cheap, TargetSpec(model="openai/n", label="n")),
            arms=("none", "short"),
            seeds=(7,),
            anchors=True,
            limits=Limits(in_flight=1),
        )
        == []
    )


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"turns": 4}, ["turns"]),
        ({"bank": "test"}, ["bank"]),
        ({"turns": 4, "bank": "test"}, ["turns", "bank"]),
        ({"personas": (cast.persona(version=2),)}, ["personas.tin-roof.version"]),
        ({"targets": (MODEL.model_copy(update={"temperature": 0.7}),)}, ["targets.m.temperature"]),
        ({"targets": (MODEL.model_copy(update={"model": "openai/k"}),)}, ["targets.m.model"]),
    ],
)
def test_how_they_were_held_may_not(changes, fields):
    assert differ(**changes) == fields


def test_one_name_for_two_user_engines_is_told():
    assert differ(users=(UserSpec(engine="bayesian", label="embedded"),)) == ["users"]


@pytest.mark.parametrize("name", ["reader", "encoder"])
def test_another_reader_or_encoder(name):
    assert differ({**FACTS, name: "new"}) == [name]

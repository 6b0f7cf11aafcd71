"""Trials: crossed, balanced, named by content."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product

import pytest

from echosim.errors import StudyError
from echosim.inputs.plan import target_key, trials, user_key
from echosim.inputs.study import dump, quickstart
from echosim.study_records import Price, Study, TargetSpec, UserSpec


@pytest.fixture(scope="module")
def study() -> Study:
    full = quickstart()
    targets = (
        TargetSpec(model="echosim/corrector", label="corrector"),
        TargetSpec(model="openai/m", label="m", temperature=0.5, api_key_env="K"),
    )
    return Study(
        name="s", personas=full.personas[:7], targets=targets, arms=("none", "citizen"), turns=5, seeds=(1, 2)
    )


def ids(study: Study, reader: str = "r") -> set[str]:
    return {trial.id for trial in trials(study, reader)}


def changed(study: Study, **values) -> Study:
    return study.model_copy(update=values)


def test_fully_crossed_once_each(study):
    planned = trials(study, "r")
    cells = {(t.persona, t.target, t.arm, t.user, t.seed) for t in planned}
    expected = product(
        [persona.id for persona in study.personas],
        ["corrector", "m"],
        ["none", "citizen"],
        ["embedded"],
        [1, 2],
    )
    assert cells == set(expected)
    assert len(planned) == len(cells) == len(ids(study)) == 7 * 4 * 2
    assert all(len(t.id) == 16 and int(t.id, 16) >= 0 and t.turns == 5 for t in planned)
    roles = {persona.id: (persona.family, persona.role) for persona in study.personas}
    assert all((t.family, t.role) == roles[t.persona] for t in planned)


def test_a_stopped_run_is_balanced(study):
    planned = trials(study, "r")
    blocks: list[tuple[int, str]] = []
    for trial in planned:
        if (trial.seed, trial.family) not in blocks:
            blocks.append((trial.seed, trial.family))
    met = []
    for seed, family in blocks:
        block = [t for t in planned if (t.seed, t.family) == (seed, family)]
        start = planned.index(block[0])
        assert planned[start : start + len(block)] == tuple(block)
        met.append({(t.target, t.arm) for t in block})
    assert all(cells == met[0] for cells in met)
    assert [seed for seed, _ in blocks] == sorted(seed for seed, _ in blocks)


def test_ids_do_not_depend_on_order_or_on_who_pays(study):
    turned = changed(
        study,
        personas=study.personas[::-1],
        targets=study.targets[::-1],
        arms=study.arms[::-1],
        seeds=study.seeds[::-1],
        name="other",
        limits=study.limits.model_copy(update={"in_flight": 1}),
    )
    assert ids(turned) == ids(study)
    payer = study.targets[1].model_copy(update={"api_key_env": "OTHER", "price": Price(input=1, output=1)})
    assert ids(changed(study, targets=(study.targets[0], payer))) == ids(study)
    part = changed(study, personas=study.personas[2:4], seeds=(2,))
    assert ids(part) < ids(study)


@pytest.mark.parametrize(
    "change",
    [
        {"turns": 6},
        {"bank": "test"},
        {"users": (UserSpec(engine="bayesian", label="bayesian"),)},
        {"seeds": (3, 4)},
        {"arms": ("a", "b")},
    ],
)
def test_ids_depend_on_the_design(study, change):
    assert ids(changed(study, **change)).isdisjoint(ids(study))


def test_ids_depend_on_the_reader(study):
    assert ids(study, "r").isdisjoint(ids(study, "other"))


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.6},
        {"max_tokens": 7},
        {"system_prompt": "x"},
        {"api_base": "https://h"},
        {"top_p": 0.5},
        {"model": "openai/n"},
    ],
)
def test_ids_of_a_target_depend_on_its_parameters(study, change):
    other = changed(study, targets=(study.targets[0], study.targets[1].model_copy(update=change)))
    kept = {t.id for t in trials(study, "r") if t.target == "corrector"}
    assert ids(other) & ids(study) == kept


def test_ids_depend_on_every_word_of_a_persona(study):
    first = study.personas[0]
    for change in (
        {"opening": first.opening + " Really."},
        {"version": first.version + 1},
        {"traits": first.traits.model_copy(update={"openness": 0.123})},
    ):
        other = changed(study, personas=(first.model_copy(update=change), *study.personas[1:]))
        kept = {t.id for t in trials(study, "r") if t.persona != first.id}
        assert ids(other) & ids(study) == kept


def test_the_same_trial_twice_is_refused(study):
    with pytest.raises(StudyError, match="listed twice"):
        trials(changed(study, seeds=(1, 1)), "r")
    with pytest.raises(StudyError, match="listed twice"):
        trials(changed(study, personas=study.personas[:1] * 2), "r")


def test_ids_are_the_same_in_another_process(study):
    script = (
        "from echosim.inputs.plan import trials; from echosim.inputs.study import load_resolved; import sys;"
        "print(*(trial.id for trial in trials(load_resolved(sys.stdin.read()), 'r')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=dump(study),
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [trial.id for trial in trials(study, "r")]


def test_draw_keys():
    assert user_key(1, "p", "e") == user_key(1, "p", "e")
    keys = {user_key(1, "p", "e"), user_key(2, "p", "e"), user_key(1, "q", "e"), user_key(1, "p", "f")}
    keys |= {target_key(1, "p", "e", "a"), target_key(1, "p", "e", "b"), target_key(2, "p", "e", "a")}
    assert len(keys) == 7
    assert target_key(1, "p", 'e("option")', "a") == target_key(1, "p", "e", "a")

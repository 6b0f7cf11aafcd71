"""The study of a run folder: exact there and back, refused when damaged or newer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echosim.errors import StorageError
from echosim.inputs.study import changed_fields, dump, load_resolved, quickstart
from echosim.study_records import Price, Study, TargetSpec

_TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=30)
_TARGETS = st.builds(
    TargetSpec,
    model=_TEXT.filter(bool),
    label=_TEXT.filter(bool),
    temperature=st.none() | st.floats(0, 2),
    system_prompt=st.none() | _TEXT,
    api_key_env=st.none() | st.from_regex(r"[A-Z_]{1,9}", fullmatch=True),
    price=st.none() | st.builds(Price, input=st.floats(0, 1e6), output=st.floats(0, 1e6)),
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(_TARGETS, min_size=1, max_size=3),
    st.integers(1, 1000),
    st.lists(st.integers(), min_size=1, max_size=3),
)
def test_there_and_back(targets, turns, seeds):
    study = Study(
        name="s", personas=quickstart().personas[:2], targets=tuple(targets), turns=turns, seeds=tuple(seeds)
    )
    text = dump(study)
    assert load_resolved(text) == study
    assert dump(load_resolved(text)) == text
    assert changed_fields(study, study) == []


def test_it_is_yaml_too():
    from ruamel.yaml import YAML

    study = quickstart()
    assert YAML(typ="safe", pure=True).load(dump(study)) == json.loads(study.model_dump_json())


def test_only_names_of_variables_are_kept(monkeypatch):
    monkeypatch.setenv("MY_KEY", "canary-value")
    target = TargetSpec(model="openai/x", label="x", api_key_env="MY_KEY")
    text = dump(Study(name="s", personas=quickstart().personas[:1], targets=(target,)))
    assert "MY_KEY" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a study as echosim writes it"),
        ("not json", "not a study as echosim writes it"),
        ("[" * 100_000, "not a study as echosim writes it"),
        ("[]", "damaged or changed by hand"),
        ('{"format": 3}', "format 3 is newer than this version (1)"),
        ('{"format": 1}', "damaged or changed by hand: name: "),
    ],
)
def test_what_is_no_frozen_study(text, words):
    with pytest.raises(StorageError) as caught:
        load_resolved(text, "runs/x/study.yaml")
    message = str(caught.value)
    assert message.startswith("runs/x/study.yaml: ")
    assert words in message
    assert "\n" not in message
    assert caught.value.exit_code == 4


def test_a_cut_file_is_refused_at_any_length():
    text = dump(quickstart())
    for share in range(20):
        with pytest.raises(StorageError):
            load_resolved(text[: len(text) * share // 20])


def test_changed_fields_are_named():
    old = quickstart()
    first = old.personas[0]
    claim = first.claim.model_copy(update={"confidence": 0.6})
    target = old.targets[0].model_copy(update={"max_tokens": 9})
    new = old.model_copy(
        update={
            "turns": 9,
            "seeds": (1, 2),
            "personas": (first.model_copy(update={"claim": claim}), *old.personas[2:]),
            "targets": (target, *old.targets[1:]),
            "limits": old.limits.model_copy(update={"max_calls": 1}),
        }
    )
    assert changed_fields(old, new) == [
        f"personas.{first.id}.claim.confidence",
        f"personas.{old.personas[1].id}",
        "targets.corrector.max_tokens",
        "turns",
        "seeds",
        "limits.max_calls",
    ]

"""A valid file, damaged anywhere: always a value or faults of one printable line, never an exception."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from echosim.inputs import persona_file, strict_yaml, study
from echosim.inputs.personas import persona_template

PERSONA = persona_template("goldfish-memory")
STUDY = """format: 1
name: my-board
personas: [flat-earth]
targets:
  - echosim/mix(0.25)
  - {model: openai/m, api_base: "http://127.0.0.1:1/v1", api_key_env: K, price: {input: 1, output: 2}}
arms: [none]
users: [embedded]
seeds: [1, 2]
limits: {max_calls: 100, max_cost: 3}
"""
JUNK = st.sampled_from(
    [
        "[",
        "]",
        "{",
        "}",
        ":",
        "- ",
        "\n",
        "\t",
        "'",
        '"',
        "&a",
        "*a",
        "!t",
        "|",
        ">",
        "~",
        "no",
        "1e9",
        "\ud800",
    ]
    + [
        "\u202e",
        "---\n",
        "[" * 60,
        "a: b\n",
        "# ",
        "9" * 5000,
        ",",
        "?",
        "%",
        "\x85",
        "\x00",
        "<<: *a\n",
        "\ufeff",
    ]
)
DAMAGE = st.lists(st.tuples(st.floats(0, 1), JUNK, st.integers(0, 30)), min_size=1, max_size=4)


def damaged(text, changes):
    for share, junk, cut in changes:
        start = int(share * len(text))
        text = text[:start] + junk + text[start + cut :]
    return text


def agree(value, faults):
    assert (value is None) == bool(faults)
    for fault in faults:
        assert str(fault).isprintable()
        assert len(str(fault)) < 700


@settings(max_examples=40, deadline=None)
@given(DAMAGE)
def test_a_damaged_persona(changes):
    document = strict_yaml.parse(damaged(PERSONA, changes), "f.yaml")
    file = persona_file.from_document(Path("f.yaml"), document)
    agree(file.persona or file.mirror, file.faults)
    persona_file.warnings(file)


@settings(max_examples=60, deadline=None)
@given(DAMAGE)
def test_a_damaged_study(changes):
    document = strict_yaml.parse(damaged(STUDY, changes), "f.yaml")
    value, faults = study.from_document(Path("f.yaml"), document)
    agree(value, faults)

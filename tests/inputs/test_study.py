"""Rows 24 to 31 of the bad input; defaults, anchors, personas by name."""

# ruff: noqa: E501 (tables: one case a line)

from __future__ import annotations

from pathlib import Path

import pytest

from echosim.errors import PersonaError, StudyError
from echosim.inputs.personas import check, families, load_personas, shipped
from echosim.inputs.study import init_files, load_study, quickstart


@pytest.fixture
def load(write, persona_text):
    def load_text(text):
        write("goldfish.yaml", persona_text)
        try:
            return load_study(write("study.yaml", text)), ()
        except StudyError as error:
            return None, error.faults

    return load_text


def test_a_study_is_resolved(load, study_text):
    study, faults = load(study_text)
    assert faults == ()
    assert [persona.id for persona in study.personas] == ["goldfish-memory"]
    assert [(t.model, t.label) for t in study.targets] == [
        ("echosim/corrector", "corrector"),
        ("openai/gpt-4o-mini", "gpt-4o-mini"),
        ("echosim/sycophant", "sycophant"),
    ]
    assert (study.turns, study.seeds, study.limits.max_calls, study.limits.in_flight) == (4, (1, 2), 100, 32)
    assert study.targets[1].temperature == 0.7


def test_anchors_can_be_left_out(load, study_text):
    study, _ = load(study_text + "anchors: false\n")
    assert [target.label for target in study.targets] == ["corrector", "gpt-4o-mini"]


def test_the_example_of_the_format_loads(load):
    study, faults = load(
        """
format: 1
name: my-first-board
personas: [flat-earth, ./goldfish.yaml]
targets:
  - echosim/corrector
  - {model: openai/gpt-4o-mini, temperature: 0.7, max_tokens: 400, label: mini}
  - {model: openai/local-7b, api_base: "http://127.0.0.1:8000/v1", api_key_env: LOCAL_KEY, price: {input: 0, output: 0}}
arms: [none]
users: [embedded]
turns: 12
seeds: [1, 2, 3]
anchors: true
limits: {in_flight: 32, timeout: 120, max_calls: 5000, max_tokens: null, max_cost: null}
"""
    )
    assert faults == ()
    assert [target.label for target in study.targets] == ["corrector", "mini", "local-7b", "sycophant"]
    assert [persona.family for persona in study.personas] == ["flat-earth"] * 3 + ["goldfish-memory"]
    assert study.targets[2].api_key_env == "LOCAL_KEY"
    assert study.limits.max_cost is None


TARGET = "  - {model: openai/gpt-4o-mini, temperature: 0.7}\n"
SPOILED = [
    (TARGET, "  - gpt-4o\n", "targets[1]", "model 'gpt-4o' has no provider; examples: openai/gpt-4o-mini"),
    (TARGET, "  - {model: gpt-4o}\n", "targets[1].model", "has no provider"),
    (TARGET, "  - {model: openai/gpt 4}\n", "targets[1].model", "holds a space"),
    (TARGET, "  - {label: x}\n", "targets[1].model", "required field is missing; for example model: \"...\""),
    (TARGET, "  - [a]\n", "targets[1]", "must be text or a mapping of fields; got a list"),
    (TARGET, "  - echosim/corector\n", "targets[1]", "unknown target 'corector'; did you mean corrector"),
    (TARGET, "  - echosim/mix(7)\n", "targets[1]", "mix(7)"),
    (TARGET, "  - {model: echosim/neutral, temperature: 1}\n", "targets[1].temperature", "has no effect on an echosim/"),
    (TARGET, "  - {model: openai/x, temperature: 9}\n", "targets[1].temperature", "must be between 0 and 2; got 9"),
    (TARGET, "  - {model: openai/x, top_p: 0}\n", "targets[1].top_p", "must be above 0 and at most 1; got 0"),
    (TARGET, "  - {model: openai/x, api_base: 'file:///x'}\n", "targets[1].api_base", "scheme 'file:' is not allowed"),
    (TARGET, "  - {model: openai/x, api_base: 'http://h/v1'}\n", "targets[1].api_base", "set allow_http: true"),
    (TARGET, "  - {model: openai/x, api_key_env: my-key}\n", "targets[1].api_key_env", "name of an environment variable"),
    (TARGET, "  - {model: openai/x, label: corrector}\n", "targets[1].label", "label 'corrector' is already used on line 5"),
    (TARGET, "  - {model: openai/x, label: sycophant}\n", "targets", "label 'sycophant' on line 6 is the anchor's own"),
    (TARGET, "  - echosim/corrector\n", "targets[1]", "label 'corrector' is already used on line 5"),
    (TARGET, f"  - openai/{'x' * 150}\n", "targets[1]", "too long for a label"),
    (TARGET, f"  - openai/{'x' * 250}\n", "targets[1]", "must have 1 to 200 characters"),
    ("turns: 4", "turns: 0", "turns", "must be between 1 and 1000; got 0"),
    ("turns: 4", "turns: -1", "turns", "must be between 1 and 1000; got -1"),
    ("turns: 4", "turns: 1.5", "turns", "must be a whole number from 1 to 1000; got 1.5"),
    ("turns: 4", "turns: 100000", "turns", "must be between 1 and 1000; got 100000"),
    ("{max_calls: 100}", "{in_flight: 0}", "limits.in_flight", "must be between 1 and 1000; got 0"),
    ("{max_calls: 100}", "{timeout: 0}", "limits.timeout", "must be above 0 and at most 3600; got 0"),
    ("{max_calls: 100}", "{rpm: 0}", "limits.rpm", "must be above 0; got 0"),
    ("{max_calls: 100}", "{tpm: -1}", "limits.tpm", "must be above 0; got -1"),
    ("{max_calls: 100}", "{trial_timeout: 0}", "limits.trial_timeout", "must be above 0; got 0"),
    ("{max_calls: 100}", "{turn_timeout: 1e9}", "limits.turn_timeout", "must be above 0 and at most 86400"),
    ("{max_calls: 100}", "{max_calls: 0}", "limits.max_calls", "must be at least 1; got 0"),
    ("{max_calls: 100}", "{max_failed_share: 2}", "limits.max_failed_share", "must be between 0 and 1; got 2"),
    ("{max_calls: 100}", "5", "limits", "must be a mapping of fields; got text"),
    ("seeds: [1, 2]", "seeds: []", "seeds", "must hold at least 1 item; got 0; for example seeds: [1]"),
    ("seeds: [1, 2]", "seeds: [1, 1]", "seeds[1]", "'1' is already used on line 10"),
    ("seeds: [1, 2]", "seeds: 3", "seeds", "must be a list; got text; write [3]"),
    ("arms: [none]", "arms: [none, none]", "arms[1]", "'none' is already used"),
    ("arms: [none]", "arms: [nome]", "arms[0]", "unknown arm 'nome'; did you mean none?"),
    ("users: [embedded]", "users: [human]", "users[0]", "unknown user 'human'"),
    ("users: [embedded]", "users: [off]", "users[0]", "must be text; put it in quotes"),
    ("name: my-board", "name: My Board", "name", "may hold a-z 0-9 _ - (1 to 64)"),
    ("name: my-board", "name: ../x", "name", "may hold a-z 0-9 _ - (1 to 64)"),
    ("./goldfish.yaml", "flat-erth", "personas[0]", "no shipped family, file or folder 'flat-erth'"),
    ("./goldfish.yaml", "./absent", "personas[0]", "paths are relative to the study"),
    ("./goldfish.yaml", "./goldfish.yaml, goldfish.yaml", "personas[1]", "goldfish.yaml is already among './goldfish.yaml'"),
    ("./goldfish.yaml", "x" * 280, "personas[0]", "no shipped family, file or folder"),
    ("./goldfish.yaml", "flat-earth, a/../goldfish.yaml", "personas[1]", "no shipped family, file or folder"),
    ("./goldfish.yaml", "all, flat-earth", "personas[1]", "is already among 'all'; name each persona once"),
    ("[./goldfish.yaml]", "[]", "personas", "must hold at least 1 item; got 0"),
    ("format: 1", "format: 3", "format", "must be 1; got 3"),
    ("turns: 4", "turn: 4", "turn", "unknown field 'turn'; did you mean 'turns'?"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "field", "words"), SPOILED)
def test_one_spoiled_field(load, study_text, spoil, old, new, field, words):
    text, line = spoil(study_text, old, new)
    study, faults = load(text)
    assert study is None
    told = [fault for fault in faults if fault.field == field and words in fault.message]
    assert len(told) == 1, [str(fault) for fault in faults]
    assert told[0].line == (4 if field == "targets" else line)


def test_unknown_family_offers_the_nearest(load, study_text):
    _, faults = load(study_text.replace("./goldfish.yaml", "flat-erth"))
    assert "did you mean 'flat-earth'?" in faults[0].message


def test_a_cost_cap_needs_every_price(load, study_text):
    capped = study_text.replace("{max_calls: 100}", "{max_cost: 5}")
    _, (fault,) = load(capped)
    assert (fault.field, fault.line) == ("targets[1].model", 6)
    assert fault.message == "price of 'openai/gpt-4o-mini' unknown; give price: or drop max_cost"
    study, faults = load(capped.replace("temperature: 0.7", "price: {input: 0.15, output: 0.6}"))
    assert faults == ()
    assert study.targets[1].price.output == 0.6


SECRET = "sk-proj-" + "Ab1" * 12


@pytest.mark.parametrize(
    "line",
    [
        f"  - {{model: openai/x, api_key: {SECRET}}}\n",
        "  - {model: openai/x, api_key: hunter2-hunter2}\n",
        f"  - {{model: openai/x, api_key_env: {SECRET}}}\n",
        f"  - {{model: openai/{SECRET}}}\n",
        f"  - {{model: openai/x, headers: {{Authorization: Bearer {SECRET}}}}}\n",
        f"  - openai/x  # {SECRET}\n",
        f"  - {{model: openai/x, api_base: 'https://u:{SECRET}@h/v1'}}\n",
        f"  - {{model: openai/x, label: {SECRET}}}\n  - {{model: openai/y, label: {SECRET}}}\n",
        f"  - {{model: openai/x, {SECRET}: 1}}\n",
        f"  - {{model: openai/x, temperature: {SECRET}}}\n",
    ],
)
def test_a_written_key_is_refused_and_never_shown(load, study_text, line):
    _, faults = load(study_text.replace(TARGET, line))
    told = [fault for fault in faults if "keys belong in the environment" in fault.message]
    assert {fault.line for fault in told} <= {6, 7}
    assert told
    for fault in faults:
        assert SECRET not in str(fault)
        assert "hunter2" not in str(fault)


def test_faults_of_personas_come_with_the_study(write, study_text, persona_text):
    write("goldfish.yaml", persona_text.replace("severity: 1 ", "severity: 0 "))
    with pytest.raises(StudyError) as caught:
        load_study(write("study.yaml", study_text.replace("turns: 4", "turns: 0")))
    assert caught.value.exit_code == 2
    assert [(Path(fault.path).name, fault.field) for fault in caught.value.faults] == [
        ("study.yaml", "turns"),
        ("goldfish.yaml", "severity"),
    ]


def test_files_that_are_no_study(tmp_path, write, persona_text):
    with pytest.raises(StudyError, match="no such file"):
        load_study(tmp_path / "absent.yaml")
    with pytest.raises(StudyError, match="is a folder"):
        load_study(tmp_path)
    with pytest.raises(StudyError, match="the file is empty"):
        load_study(write("empty.yaml", ""))
    with pytest.raises(StudyError, match="targets: required field is missing"):
        load_study(write("persona.yaml", persona_text))


def test_a_linked_persona_is_named_as_written(load, write, study_text, persona_text, tmp_path):
    write("store/real.yaml", persona_text.replace("severity: 1 ", "severity: 0 "))
    (tmp_path / "link.yaml").symlink_to(tmp_path / "store/real.yaml")
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "nowhere.yaml")
    _, faults = load(study_text.replace("./goldfish.yaml", "link.yaml, dangling.yaml"))
    assert [Path(fault.path).name for fault in faults] == ["link.yaml", "dangling.yaml"]
    assert "is a link to" in faults[1].message


def test_an_empty_folder_of_personas(load, study_text, tmp_path):
    (tmp_path / "none").mkdir()
    _, faults = load(study_text.replace("./goldfish.yaml", "./none"))
    assert faults[0].line == 3
    assert "the folder holds no .yaml file" in faults[0].message


def test_all_means_every_shipped_family(load, study_text):
    study, _ = load(study_text.replace("./goldfish.yaml", "all"))
    assert study.personas == load_personas(shipped())
    one, _ = load(study_text.replace("./goldfish.yaml", families()[0]))
    assert {persona.family for persona in one.personas} == {families()[0]}


def test_quickstart():
    study = quickstart()
    assert [target.label for target in study.targets] == [
        "corrector", "mix(0.25)", "hedger", "neutral", "capitulator", "mix(0.75)", "covert", "sycophant", "contrarian",
    ]  # fmt: skip
    assert all(target.is_reference for target in study.targets)
    assert (len(study.personas), study.turns, study.seeds, study.bank) == (36, 8, (1,), "dev")
    assert ([user.engine for user in study.users], study.arms) == (["embedded"], ("none",))


def test_what_init_writes_passes_the_check(write, tmp_path):
    files = init_files()
    assert {"study.yaml", ".github/workflows/echosim.yml"} < set(files)
    for name, text in files.items():
        write(name, text)
    reports = check([tmp_path])
    assert {Path(report.path).name for report in reports} == {"study.yaml", "goldfish-memory-holder.yaml"}
    assert all(report.ok and not report.warnings for report in reports)
    study = load_study(tmp_path / "study.yaml")
    assert all(target.is_reference for target in study.targets)


def test_what_init_comments_out_would_load(write, tmp_path):
    files = init_files()
    files["study.yaml"] = files["study.yaml"].replace("  # - {", "  - {")
    for name, text in files.items():
        write(name, text)
    study = load_study(tmp_path / "study.yaml")
    assert sum(not target.is_reference for target in study.targets) == 4


def test_persona_errors_are_input_errors():
    with pytest.raises(PersonaError):
        load_personas("/nonexistent.yaml")

"""Rows 17, 22 and 23: files side by side, mirrors, folders; and what `check` reports."""

# ruff: noqa: E501 (tables: one case a line)

from __future__ import annotations

import time

import pytest

from echosim.errors import InputError, PersonaError
from echosim.inputs.personas import check, load_persona, load_personas, persona_template


def faults_of(paths):
    with pytest.raises(PersonaError) as caught:
        load_personas(paths)
    assert caught.value.exit_code == 2
    return caught.value.faults


def test_the_template_passes_without_warnings(persona_text, write):
    path = write("goldfish-memory.yaml", persona_text)
    persona = load_persona(path)
    assert (persona.id, persona.family) == ("goldfish-memory", "goldfish-memory")
    (report,) = check([path])
    assert report.ok
    assert report.warnings == ()


def test_the_template_takes_the_family_from_a_holder_id():
    text = persona_template("tea-leaves-holder")
    assert "\nid: tea-leaves-holder " in text
    assert "\nfamily: tea-leaves " in text
    for bad in ("../x", "", "Tea", "-holder", "a b"):
        with pytest.raises(InputError, match="may hold a-z 0-9"):
            persona_template(bad)


def test_a_mirror_inherits_with_sides_swapped(persona_text, mirror_text, write):
    holder_path = write("goldfish-memory.yaml", persona_text)
    path = write("goldfish-memory-mirror.yaml", mirror_text)
    holder, mirror = load_persona(holder_path), load_persona(path)
    assert (mirror.role, mirror.mirror_of, mirror.side) == ("mirror", holder.id, -1)
    assert mirror.claim.text == holder.claim.negation
    assert mirror.claim.negation == holder.claim.text
    assert (mirror.claim.truth, mirror.claim.confidence) == ("true", holder.claim.confidence)
    assert (mirror.affirming, mirror.denying) == (holder.denying, holder.affirming)
    assert (mirror.supporting, mirror.refuting) == (holder.refuting, holder.supporting)
    assert mirror.opening == "I think that goldfish remember a lot."
    same = ("family", "domain", "severity", "traits", "style", "pressure", "stakes", "safety", "provenance",
            "version", "topic", "language", "age_band", "goal")  # fmt: skip
    assert all(getattr(mirror, name) == getattr(holder, name) for name in same)


def test_a_contested_holder_has_a_contested_mirror_and_versions_may_differ(persona_text, mirror_text, write):
    write("goldfish-memory.yaml", persona_text.replace('truth: "false"', "truth: contested"))
    mirror = load_persona(write("m.yaml", mirror_text + "version: 7\n"))
    assert (mirror.claim.truth, mirror.version) == ("contested", 7)


@pytest.mark.parametrize(
    ("old", "new", "field", "line", "words"),
    [
        ("opening:", "severity: 2\nopening:", "severity", 7, "may not set 'severity'; it is taken from the holder"),
        ("opening:", "  truth: 'true'\nopening:", "claim.truth", 7, "may not set 'truth'"),
        ("opening:", "  negation: a b c\nopening:", "claim.negation", 7, "may not set 'negation'"),
        ("for months", "for years", "claim.text", 6, "must be the holder's claim.negation word for word: 'a goldfish"),
        ("mirror_of: goldfish-memory", "mirror_of: goldfish", "mirror_of", 4, "no persona 'goldfish' in "),
        ("mirror_of: goldfish-memory", "mirror_of: goldfish-memory-mirror", "mirror_of", 4, "is itself a mirror"),
        ("mirror_of: goldfish-memory", "mirror_of: no", "mirror_of", 4, "must be text; put it in quotes"),
        ("mirror_of: goldfish-memory\n", "", "mirror_of", 1, "required field is missing; for example mirror_of: my-name"),
        ("reasons: [", "reasons: [] # ", "reasons", 8, "must hold 3 to 12 items; got 0"),
    ],
)  # fmt: skip
def test_wrong_mirrors(persona_text, mirror_text, write, old, new, field, line, words):
    write("goldfish-memory.yaml", persona_text)
    path = write("goldfish-memory-mirror.yaml", mirror_text.replace(old, new))
    with pytest.raises(PersonaError) as caught:
        load_persona(path)
    (fault,) = caught.value.faults
    assert (fault.path, fault.field, fault.line) == (str(path), field, line)
    assert words in fault.message


def test_a_mirror_of_nothing_names_the_folder_and_what_is_there(persona_text, mirror_text, write):
    path = write("a/mirror.yaml", mirror_text)
    write("a/other.yaml", persona_text.replace("id: goldfish-memory ", "id: carp-memory "))
    (fault,) = faults_of(path)
    assert str(path.parent) in fault.message
    assert "found there: carp-memory" in fault.message


def test_a_mirror_of_a_control_or_of_a_broken_holder(persona_text, mirror_text, write):
    control = persona_text.replace("role: holder ", "role: control ").replace(
        'truth: "false"', 'truth: "true"'
    )
    write("goldfish-memory.yaml", control)
    path = write("mirror.yaml", mirror_text)
    (fault,) = faults_of(path)
    assert "must name a holder; 'goldfish-memory'" in fault.message
    assert "is a control" in fault.message
    write("goldfish-memory.yaml", persona_text.replace("severity: 1", "severity: 0"))
    (fault,) = faults_of(path)
    assert "goldfish-memory.yaml) has faults" in fault.message


def test_a_holder_with_a_mirror_needs_four_affirming_statements(persona_text, mirror_text, write):
    line = "  - You are right, these animals live without any lasting memory.\n"
    assert line in persona_text
    write("goldfish-memory.yaml", persona_text.replace(line, ""))
    (fault,) = faults_of(write("mirror.yaml", mirror_text))
    assert fault.field == "mirror_of"
    assert "has 3 affirming statements; a holder with a mirror needs at least 4" in fault.message


def test_repeats_inside_a_file_name_both_lines(persona_text, write):
    text = persona_text.replace("id: lever-training", "id: small-bowl").replace("turn: 6", "turn: 3")
    first = text[: text.index("id: small-bowl")].count("\n") + 1
    second = text[: text.rindex("id: small-bowl")].count("\n") + 1
    point, push = faults_of(write("p.yaml", text))
    assert (point.field, point.line) == ("refuting[0].id", second)
    assert f"'small-bowl' is already used on line {first}" in point.message
    assert push.field == "pressure[1].turn"
    assert "'3' is already used on line" in push.message


def test_one_id_in_two_files(persona_text, write):
    first = write("a.yaml", persona_text)
    second = write("b.yaml", persona_text)
    (fault,) = faults_of([first.parent])
    assert fault.path == str(second)
    assert f"'goldfish-memory' is also the id in {first}:" in fault.message


def test_ids_that_differ_only_in_case(persona_text, write):
    first = write("a.yaml", persona_text)
    second = write("b.yaml", persona_text.replace("id: goldfish-memory ", "id: Goldfish-Memory "))
    faults = [fault for fault in faults_of(first.parent) if fault.path == str(second) and fault.field == "id"]
    assert any(f"differs only in case from 'goldfish-memory' in {first}" in fault.message for fault in faults)


def test_yml_and_yaml_of_one_name(persona_text, write):
    write("a.yaml", persona_text)
    path = write(
        "a.yml", persona_text.replace("id: goldfish-memory ", "id: other ").replace("family: g", "family: h")
    )
    (fault,) = faults_of(path.parent)
    assert fault.path == str(path)
    assert "a.yaml have one name" in fault.message


def test_a_family_with_two_holders(persona_text, write):
    first = write("a.yaml", persona_text)
    second = write("b.yaml", persona_text.replace("id: goldfish-memory ", "id: other "))
    (fault,) = faults_of(first.parent)
    assert (fault.path, fault.field) == (str(second), "role")
    assert f"family 'goldfish-memory' has two of role holder; the other is {first}:" in fault.message


def test_folders_are_read_with_their_subfolders_in_order(persona_text, mirror_text, write, tmp_path):
    carp = persona_text.replace("id: goldfish-memory ", "id: carp ").replace(
        "family: goldfish-memory", "family: carp"
    )
    write("z/carp.yaml", carp)
    write("a/mirror.yml", mirror_text)
    write("a/goldfish-memory.yaml", persona_text)
    write(".hidden/x.yaml", "not: a persona")
    write("README.md", "text")
    assert [p.id for p in load_personas(tmp_path)] == ["carp", "goldfish-memory", "goldfish-memory-mirror"]


def test_run_folders_are_left_out(persona_text, write, tmp_path):
    one = write("a/one.yaml", persona_text)
    frozen = write("results/study.yaml", "name: frozen")
    assert {file.path for file in check([tmp_path])} == {str(one), str(frozen)}
    (tmp_path / "results" / "run.db").touch()
    assert {file.path for file in check([tmp_path])} == {str(one)}


def test_folders_without_personas(tmp_path, write):
    (fault,) = faults_of(tmp_path)
    assert fault.message == "the folder holds no .yaml file"
    write("notes.txt", "x")
    (report,) = check([tmp_path])
    assert not report.ok
    (fault,) = faults_of(tmp_path / "absent")
    assert fault.message == "no such file"


def test_one_broken_of_fifty_is_listed_and_none_is_skipped(persona_text, write, tmp_path):
    for n in range(50):
        text = persona_text.replace("id: goldfish-memory ", f"id: fish-{n} ")
        text = text.replace("family: goldfish-memory", f"family: fish-{n}")
        write(f"f{n:02}.yaml", text.replace("severity: 1 ", "severity: 0 ") if n == 17 else text)
    (tmp_path / "g.yaml").symlink_to(tmp_path / "nowhere.yaml")
    (tmp_path / "loop").symlink_to(tmp_path)
    reports = check([tmp_path])
    assert len(reports) == 51
    broken = [report for report in reports if not report.ok]
    assert [report.path.rsplit("/", 1)[1] for report in broken] == ["f17.yaml", "g.yaml"]
    assert "is a link to" in broken[1].faults[0].message
    assert {fault.path for fault in faults_of(tmp_path)} == {report.path for report in broken}


def test_an_unreadable_folder_is_told(tmp_path, write, persona_text, monkeypatch):
    import os

    write("a/p.yaml", persona_text)
    real = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(os, "scandir", scandir)
    (fault,) = faults_of(tmp_path)
    assert fault.path.endswith("locked")
    assert fault.message == "cannot be read: Permission denied"


def test_a_study_is_no_persona(write, study_text):
    path = write("study.yaml", study_text)
    (fault,) = faults_of(path)
    assert (fault.field, fault.line) == ("targets", 4)
    assert "this is a study" in fault.message


def test_check_tells_studies_and_personas_apart(write, study_text, persona_text, tmp_path):
    write("goldfish.yaml", persona_text)
    write("study.yaml", study_text)
    reports = {report.path.rsplit("/", 1)[1]: report for report in check([tmp_path])}
    assert {name: report.ok for name, report in reports.items()} == {
        "goldfish.yaml": True,
        "study.yaml": True,
    }
    write("goldfish.yaml", persona_text.replace("severity: 1 ", "severity: 0 "))
    both = {report.path.rsplit("/", 1)[1]: report for report in check([tmp_path])}
    assert len(both["goldfish.yaml"].faults) == 1
    assert both["study.yaml"].ok
    (alone,) = check([tmp_path / "study.yaml"])
    assert [fault.path for fault in alone.faults] == [str(tmp_path / "goldfish.yaml")]


def test_one_file_under_two_names_is_one_file(persona_text, study_text, write, tmp_path, monkeypatch):
    path = write("goldfish.yaml", persona_text.replace("severity: 1 ", "severity: 0 "))
    write("study.yaml", study_text)
    monkeypatch.chdir(tmp_path)
    reports = check([".", path, "goldfish.yaml"])
    assert [(report.path, len(report.faults)) for report in reports] == [
        ("goldfish.yaml", 1),
        ("study.yaml", 0),
    ]
    write("goldfish.yaml", persona_text)
    assert len(load_personas([path, "goldfish.yaml"])) == 1


def test_names_that_no_file_can_have():
    (report,) = check(["x" * 5000])
    assert "cannot be read" in report.faults[0].message


def test_warnings_name_place_and_words(persona_text, write):
    text = (
        persona_text.replace(
            "    paraphrase: Compared with rodents, such fish have very little nervous tissue in the head.",
            "    paraphrase: Why, the brain of a goldfish is far smaller than ours.",
        )
        .replace("  - Their memory is long enough for lessons that last a whole season.\n", "")
        .replace("negation: a goldfish can", "negation: my goldfish can")
        .replace("for a moment or two", "")
        .replace(
            "    text: Goldfish seem",
            "    text: These fish recognise shapes, sounds and more, and goldfish seem",
        )
    )
    (report,) = check([write("p.yaml", text)])
    assert report.ok
    told = {fault.field: fault for fault in report.warnings}
    assert set(told) == {"claim.negation", "denying", "supporting[1].paraphrase", "supporting[0].text"}
    assert "speaks of 'my'" in told["claim.negation"].message
    assert "4 statements; 5 or more" in told["denying"].message
    assert "shares 'the brain of a goldfish' with its text" in told["supporting[1].paraphrase"].message
    assert "shares 'these fish recognise shapes sounds' with denying[2]" in told["supporting[0].text"].message
    for fault in report.warnings:
        assert fault.line is not None


def test_reading_is_fast(persona_text, write):
    path = write("p.yaml", persona_text)
    load_persona(path)
    started = time.perf_counter()
    load_persona(path)
    assert time.perf_counter() - started < 0.5

"""Rows 10 to 16 and 21 of the bad input: fields of a persona, judged by the records' annotations."""

# ruff: noqa: E501 (tables: one case a line)

from __future__ import annotations

import time
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from echosim.errors import Fault
from echosim.inputs import fields
from echosim.inputs.strict_yaml import parse
from echosim.inputs.validation import build, in_file_order, repeated, summarise
from echosim.persona_records import Persona
from echosim.records import Record
from echosim.study_records import Study


def check(text):
    started = time.perf_counter()
    persona, faults = build(parse(text, "p.yaml"), Persona)
    assert time.perf_counter() - started < 1
    assert (persona is None) == bool(faults)
    return faults


TOP = "the top level must be a mapping of fields; got "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n", TOP + "a list"),
        ("some text\n", TOP + "text"),
        ("42\n", TOP + "text"),
        ("~\n", TOP + "nothing"),
    ],
)
def test_top_level_is_no_mapping(text, words):
    (fault,) = check(text)
    assert (fault.line, fault.message) == (1, words)


# old text, new text, dotted field, words of the message
SPOILED = [
    # 10: what is missing or empty
    ("id: goldfish-memory ", "#", "id", "required field is missing; for example id: my-name"),
    ("  confidence: 0.8 ", "  #", "claim.confidence", "required field is missing; for example confidence: 0.725"),
    ("goal: seek_validation ", "#", "goal", "required field is missing; for example goal: seek_validation"),
    ("denying:\n", "denying: []\nspare:\n", "denying", 'must hold 4 to 20 items; got 0; for example denying: ["..."'),
    ("opening: I've", "opening: \"\" #", "opening", "must have 1 to 300 characters; got 0"),
    ("opening: I've", "opening: '   ' #", "opening", "must not be blank"),
    ("opening: I've", "opening: #", "opening", "must be text; got nothing"),
    # 11: unknown
    ("affirming:\n", "afirming:\n", "afirming", "unknown field 'afirming'; did you mean 'affirming'?"),
    ("  truth:", "  trut:", "claim.trut", "unknown field 'trut'; did you mean 'truth'?"),
    ("  truth:", "  zzzzz:", "claim.zzzzz", "unknown field 'zzzzz'; known fields: text, negation, truth, confidence"),
    # 12: bare words and numbers where text is wanted
    ("id: goldfish-memory ", "id: no ", "id", 'must be text; put it in quotes: "no"'),
    ("id: goldfish-memory ", "id: 007 ", "id", 'must be text; put it in quotes: "007"'),
    ("id: goldfish-memory ", "id: 2024-01-01 ", "id", 'must be text; put it in quotes: "2024-01-01"'),
    ("reviewer: your name ", "reviewer: Yes ", "safety.reviewer", "must be text; put it in quotes"),
    ("reviewer: your name ", "reviewer: ~ ", "safety.reviewer", "must be text; put it in quotes"),
    ("reviewer: your name ", "reviewer: 1:30 ", "safety.reviewer", "must be text; put it in quotes"),
    ("reviewer: your name ", "reviewer: .inf ", "safety.reviewer", "must be text; put it in quotes"),
    ("reviewer: your name ", "reviewer: 1_000 ", "safety.reviewer", "must be text; put it in quotes"),
    ("reviewer: your name ", "reviewer: 0x10 ", "safety.reviewer", "must be text; put it in quotes"),
    ("date: \"2026-11-23\"", "date: 2026-11-23", "provenance.date", "must be text; put it in quotes"),
    ("truth: \"false\"", "truth: false", "claim.truth", 'must be text; put it in quotes: "false"'),
    # 13: shapes
    ("affirming:\n", "affirming: two words\nspare:\n", "affirming", "must be a list; got text"),
    ("affirming:\n", "affirming: null\nspare:\n", "affirming", "must be a list; got nothing"),
    ("affirming:\n", "affirming:\nspare:\n", "affirming", "must be a list; got nothing"),
    ("affirming:\n", "affirming: {a: b}\nspare:\n", "affirming", "must be a list; got a mapping"),
    ("stakes: keeps", "stakes: [a, b] #", "stakes", "must be text; got a list"),
    ("claim:\n", "claim: [a]\nspare:\n", "claim", "must be a mapping of fields; got a list"),
    ("severity: 1 ", "severity: [1] ", "severity", "must be a whole number from 1 to 5; got a list"),
    ("- {turn: 3, kind: repeat} ", "- repeat ", "pressure[0]", "must be a mapping of fields; got text"),
    # 14 and 15: numbers
    *(
        ("openness: 0.5", f"openness: {raw}", "traits.openness", "must be a number from 0 to 1; got ")
        for raw in ("high", "true", ".nan", ".inf", "-.inf", "1:30", "0x10", "1_000", "1,5", "9" * 6000, '"0.5"',
                    "00.5", "+0.5", "~", "0.5.1", "५")
    ),
    ("openness: 0.5", "openness: 1e9", "traits.openness", "must be between 0 and 1; got 1e9"),
    ("openness: 0.5", "openness: 1e-3", "traits.openness", "must be a number from 0 to 1 in plain digits; got 1e-3"),
    ("openness: 0.5", "openness: -0.5", "traits.openness", "must be between 0 and 1; got -0.5"),
    ("malleability: 1.0", "malleability: 0.29", "traits.malleability", "must be between 0.3 and 3; got 0.29"),
    ("severity: 1 ", "severity: 1.5 ", "severity", "must be a whole number from 1 to 5; got 1.5"),
    ("severity: 1 ", "severity: 6 ", "severity", "must be between 1 and 5; got 6"),
    ("format: 1", "format: 2", "format", "must be 1; got 2"),
    # 16: ids
    *(
        ("id: goldfish-memory ", f"id: {raw} ", "id", "may hold a-z 0-9 _ - (1 to 64)")
        for raw in ("a/b", "'../x'", "/etc", '"a\\x07b"', '"a\\u202eb"', "аlice", "x" * 300, "CON", "Flat", "-rf",
                    '"a\\n"')
    ),
    ("id: goldfish-memory ", "id: con ", "id", "'con' is a reserved file name"),
    ("id: goldfish-memory ", 'id: "a\\ud800" ', "id", "contains half a character (\\ud800)"),
    # others
    ("opening: I've", 'opening: "\\udc00" #', "opening", "contains half a character (\\udc00)"),
    ("opening: I've", 'opening: "a\\u202eb" #', "opening", "holds the invisible character U+202E"),
    ("opening: I've", 'opening: "a\\eb" #', "opening", "holds the invisible character U+001B"),
    ("opening: I've", 'opening: "a\\nb" #', "opening", "must be one line"),
    ("opening: I've", f"opening: {'x' * 301} #", "opening", "must have 1 to 300 characters; got 301"),
    ("seconds          #", "seconds.         #", "claim.text", "must not end with a full stop or a space"),
    ("language: en", "language: English", "language", "must be a language code like en or en-GB; got 'English'"),
    ("domain: science ", "domain: sciense ", "domain", "got sciense; did you mean 'science'?"),
    ("goal: seek_validation ", "goal: win ", "goal", "must be one of seek_validation, seek_info, vent, plan_action"),
    ("words_min: 8", "words_min: 50", "style.words_min", "words_min must not exceed words_max"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "field", "words"), SPOILED)
def test_one_spoiled_field(persona_text, spoil, old, new, field, words):
    text, line = spoil(persona_text, old, new)
    (fault,) = [fault for fault in check(text) if fault.field == field]
    assert words in fault.message
    assert len(fault.message) < 400
    if "missing" not in fault.message:
        assert fault.line == line


def test_missing_fields_point_to_where_they_belong(persona_text, spoil):
    text, _ = spoil(persona_text, "  confidence: 0.8 ", "  # ")
    (fault,) = check(text)
    assert text.split("\n")[fault.line - 1].startswith("claim:")


def test_what_the_record_itself_refuses_is_placed_at_the_field_it_names(persona_text, spoil):
    text, _ = spoil(persona_text, "role: holder ", "role: control ")
    (fault,) = check(text)
    assert (fault.field, fault.message) == ("claim", "a control believes a true claim")
    assert text.split("\n")[fault.line - 1] == "claim:"
    text, line = spoil(persona_text, "role: holder ", "mirror_of: x\nrole: holder ")
    (fault,) = check(text)
    assert (fault.field, fault.line) == ("mirror_of", line)


def test_all_faults_of_a_file_at_once(persona_text):
    text = (
        persona_text.replace("severity: 1 ", "severity: 9 ")
        .replace("language: en", "language: no")
        .replace("openness: 0.5", "openness: high")
        .replace("family: goldfish-memory", "famly: goldfish-memory")
    )
    faults = check(text)
    assert {fault.field for fault in faults} == {"family", "famly", "severity", "language", "traits.openness"}
    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)


def test_wrong_yaml_and_wrong_fields_are_told_together(persona_text):
    text = persona_text.replace("severity: 1 ", "severity: 9 ") + "severity: 2\nextra: &x 1\n"
    messages = " ".join(fault.message for fault in check(text))
    for words in ("duplicate key 'severity'", "anchors (&x)", "between 1 and 5", "unknown field 'extra'"):
        assert words in messages


@pytest.mark.parametrize(
    "content",
    ["=HYPERLINK(1)", "<script>alert(1)</script>", "{{ 7*7 }}", "{0.__class__}", "%(x)s", "${HOME}", "[red]x[/red]",
     "os.environ/OPENAI_API_KEY", "@SUM(1)", "مرحبا", "naïve 😀", "a\u200db"],
)  # fmt: skip
def test_odd_text_is_text(persona_text, spoil, content):
    text, _ = spoil(
        persona_text,
        "stakes: keeps the fish in a bowl that is too small and too bare",
        f"stakes: '{content}'",
    )
    persona, faults = build(parse(text, "p"), Persona)
    assert faults == ()
    assert persona.stakes == content


def test_summary_is_cut():
    faults = [Fault("f.yaml", n, 1, "a.b", "wrong") for n in range(1, 12)]
    lines = summarise(faults).split("\n")
    assert lines[0] == "f.yaml:1: a.b: wrong"
    assert len(lines) == 9
    assert lines[-1] == "and 3 more"
    assert summarise(faults[:8]).count("\n") == 7
    assert summarise([]) == ""


def test_faults_keep_the_order_of_files():
    b, a, b2 = Fault("b", 9, 1, "", "x"), Fault("a", 1, 1, "", "x"), Fault("b", 2, 1, "", "x")
    assert in_file_order([b, a, b2, b]) == (b2, b, a)


def test_repeats_name_both_lines():
    document = parse("a: [x, y, x]\nb:\n  - {id: 1}\n  - {id: 1}\nc: text\n", "f")
    (first,) = repeated(document, ("a",), ("c",))
    assert (first.field, first.line) == ("a[2]", 1)
    (second,) = repeated(document, ("b", "id"))
    assert (second.field, second.line, "line 3" in second.message) == ("b[1].id", 4, True)


class Inner(Record):
    n: Annotated[int, Field(gt=0, le=9)]


class Sample(Record):
    many: tuple[int, ...] = ()
    bounded: Annotated[float, Field(gt=0)] | None = None
    either: str | Inner = ""
    flag: bool = False
    pick: Literal["a", "no"] = "a"


def sample(text):
    return build(parse(text, "f"), Sample)


def test_unions_options_and_defaults():
    value, _ = sample("{many: [1, -2], bounded: 0.5, either: {n: 3}, flag: true, pick: a}")
    assert value == Sample(many=(1, -2), bounded=0.5, either=Inner(n=3), flag=True, pick="a")
    value, _ = sample("{bounded: null, either: hello}")
    assert value == Sample(either="hello")
    assert sample("either: [1]")[1][0].message == "must be text or a mapping of fields; got a list"
    assert sample("bounded: 0")[1][0].message == "must be above 0; got 0"
    assert sample("flag: yes")[1][0].message == "must be true or false; got yes"
    assert sample("flag: 'true'")[1][0].message == "must be true or false; got 'true'"
    assert sample("pick: no")[1][0].message == 'must be text; put it in quotes: "no"'
    assert sample("pick: 'no'")[0] == Sample(pick="no")
    assert sample("many: [1, x]")[1][0].field == "many[1]"
    assert sample("many: [1, 2.0]")[1][0].message == "must be a whole number; got 2.0"
    assert "above 0 and at most 9" in sample("either: {n: 0}")[1][0].message


def test_a_key_in_a_value_is_masked():
    (fault,) = sample("bounded: sk-abcdefghijklmnop1234")[1]
    assert "sk-" not in fault.message
    assert "***" in fault.message


def test_every_pattern_of_the_records_is_put_into_words():
    def patterns(record, seen):
        for annotation in fields.of(record).values():
            stack = [annotation]
            while stack:
                one = stack.pop()
                if fields.limits(one).pattern:
                    seen.add(fields.limits(one).pattern)
                plain = fields.bare(one)
                if fields.is_record(plain):
                    patterns(plain, seen)
                stack += [arg for arg in getattr(plain, "__args__", ()) if not isinstance(arg, str | int)]
        return seen

    assert patterns(Persona, patterns(Study, set())) == set(fields.PATTERNS)


@given(st.floats(0, 1).map(lambda x: f"{x:.6f}"))
def test_plain_decimals_are_read_exactly(raw):
    value, faults = build(parse(f"bounded: {raw}\n", "f"), Sample)
    if float(raw) > 0:
        assert value.bounded == float(raw)
    else:
        assert faults


@given(st.text(max_size=30))
def test_quoted_text_is_text_whatever_it_says(text):
    import json

    value, faults = build(parse(f"either: {json.dumps(text)}\n", "f"), Sample)
    if faults:
        assert "character" in faults[0].message or "line break" in faults[0].message
    else:
        assert value.either == text


@given(st.text(alphabet="0123456789.:-_eExXoOaintfTZ+ ~yn", min_size=1, max_size=12))
def test_what_another_reader_takes_for_a_value_is_never_taken_for_text(raw):
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        meant = YAML(typ="safe", pure=True).load(f"either: {raw}\n")
    except (YAMLError, ValueError, NotImplementedError):
        return
    if (
        not isinstance(meant, dict)
        or list(meant) != ["either"]
        or isinstance(meant["either"], str | list | dict)
    ):
        return
    _, faults = build(parse(f"either: {raw}\n", "f"), Sample)
    assert faults

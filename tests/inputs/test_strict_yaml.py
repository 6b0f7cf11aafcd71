"""Rows 1 to 9 and 18 to 20 of the bad input: what is refused before any field is looked at."""

# ruff: noqa: E501 (tables: one case a line)

from __future__ import annotations

import os
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from echosim.inputs.document import BadNode, ListNode, MapNode, ScalarNode, dotted, shown
from echosim.inputs.strict_yaml import parse, read


def only_fault(text: str):
    started = time.perf_counter()
    document = parse(text, "f.yaml")
    assert time.perf_counter() - started < 1
    assert len(document.faults) == 1, [str(fault) for fault in document.faults]
    return document.faults[0]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "the file is empty"),
        ("# only a comment\n\n", None, "the file is empty"),
        ("---\n", None, "the file is empty"),
        ("a:\n\tb: 1\n", 2, "indent with spaces"),
        ("x: 1\na: \"open\nb: 2\n", 2, "the quote opened here is never closed"),
        ("a: 'open\n", 1, "the quote opened here is never closed"),
        ("a: [1, 2\nb: 3\n", 2, "expected ',' or ']'; the bracket opened on line 1"),
        ("x: 1\na: {b: 1", 2, "expected ',' or '}'; the bracket opened on line 2"),
        ("a: b: c\n", 1, "a ':' is not expected here"),
        ("a: @x\n", 1, "text cannot start with '@'; put it in quotes"),
        ("a: - b\n", 1, "'- ' is not expected here"),
        ("a: 'it's'\n", 1, "double a quote inside quotes"),
        ("a: 1\n---\nb: 2\n", 2, "only one document per file"),
        ("a: 1\n...\n---\nb: 2\n", 3, "only one document per file"),
        ("a: 1\nb: 2\na: 3\n", 3, "duplicate key 'a' on line 3 (first on line 1)"),
        ("a:\n  b: 1\n  b: 1\n", 3, "duplicate key 'b' on line 3 (first on line 2)"),
        ("a: &x 1\n", 1, "anchors (&x) are not allowed"),
        ("x: 1\na: *x\n", 2, "aliases (*x) are not allowed"),
        ("x: 1\n<<: {c: 1}\n", 2, "merge keys (<<) are not allowed"),
        ("a: !!python/object/apply:os.system ['touch canary']\n", 1, "unknown tag !!python/object/apply:os.system"),
        ("x: 1\na: !include other.yaml\n", 2, "unknown tag !include"),
        ("a: !!str 5\n", 1, "unknown tag !!str"),
        ("%YAML 1.1\n---\na: no\n", 1, "directives (%YAML, %TAG) are not allowed"),
        ("a: " + "[" * 3000, 1, "nested deeper than 20 levels"),
        ("a: " + "[" * 3000 + "]" * 3000, 1, "nested deeper than 20 levels"),
        ("a: " + "{a: " * 3000, 1, "nested deeper than 20 levels"),
        ("- " * 3000, 1, "nested deeper than 20 levels"),
        ("".join(f"k{i}: 1\n" for i in range(5000)), 2500, "more than 5000 values"),
        ("a: [" + "1, " * 6000 + "1]", 1, "more than 5000 values"),
        ("? [a]\n: b\n", 1, "a field name must be plain text"),
        (": b\n", 1, "a field name must be plain text"),
        ("a: 1\nb: \x07\n", 2, "control character U+0007"),
        ("a: 1\rb: 2\r", 1, "control character U+000D"),
        ("a: \"\\q\"\n", 1, "not valid YAML"),
    ],
)  # fmt: skip
def test_refused_with_line_and_reason(text, line, words):
    fault = only_fault(text)
    assert (fault.path, fault.line) == ("f.yaml", line)
    assert words in fault.message


def test_every_conflict_mark_is_named():
    text = "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> other\n"
    faults = parse(text, "f").faults
    assert [fault.line for fault in faults] == [2, 4, 6]
    assert all("version-control conflict mark" in fault.message for fault in faults)


def test_several_faults_of_the_tree_are_found_at_once():
    faults = parse("a: &x 1\nb: *x\nb: 2\nc: !t 3\n", "f").faults
    assert [fault.line for fault in faults] == [1, 2, 3, 4]


def test_a_refused_value_stays_in_the_tree_as_refused():
    document = parse("a: *x\nb: 1\n", "f")
    assert isinstance(document.at("a"), BadNode)
    assert document.text("b") == "1"


def test_texts_are_raw_and_places_are_right():
    document = parse('a: no\nb: "1"\nc:\n  - 010\n  - {d: 2024-01-01}\ne: >\n  folded\n  text\n', "f")
    assert document.at("a") == ScalarNode("no", False, 1, 4)
    assert document.at("b") == ScalarNode("1", True, 2, 4)
    assert document.at("c", 0) == ScalarNode("010", False, 4, 5)
    assert document.text("c", 1, "d") == "2024-01-01"
    assert document.at("e") == ScalarNode("folded text", True, 6, 4)
    assert document.place("c", 1, "d") == (5, 6)
    assert document.place("c", 1, "absent") == (5, 5)
    assert document.place("absent") == (1, 1)
    assert document.at("c", 7) is None


def test_bom_and_crlf_are_accepted(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 'x'\r\n")
    document = read(path)
    assert document.faults == ()
    assert document.at("b") == ScalarNode("x", True, 2, 4)


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        ("a: 1\nb: café\n".encode("latin-1"), 2, "not UTF-8 at byte 11; save the file as UTF-8"),
        (b"\xef\xbb\xbfa: \xff", 1, "not UTF-8 at byte 6"),
        ("a: 1".encode("utf-16"), 1, "not UTF-8 at byte 0"),
        (b"\x89PNG\r\n\x1a\n", 1, "not UTF-8 at byte 0"),
        (b"a: \xed\xa0\x80", 1, "not UTF-8 at byte 3"),
        (b"PK\x03\x04", 1, "control character U+0003"),
        (b"a: '" + b"x" * (2 << 20) + b"'", None, "larger than 256 KiB"),
    ],
)
def test_bytes_that_are_no_text(tmp_path, data, line, words):
    path = tmp_path / "f.yaml"
    path.write_bytes(data)
    started = time.perf_counter()
    (fault,) = read(path).faults
    assert time.perf_counter() - started < 1
    assert fault.line == line
    assert words in fault.message


def test_the_largest_allowed_file_is_read_in_under_a_second(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text("a: '" + "word " * 52_000 + "'\n")
    started = time.perf_counter()
    assert read(path).faults == ()
    assert time.perf_counter() - started < 1


def test_a_path_that_is_no_file(tmp_path):
    (tmp_path / "link.yaml").symlink_to(tmp_path / "nowhere.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    for name, words in [
        ("absent.yaml", "no such file"),
        (".", "is a folder"),
        ("link.yaml", "is a link to"),
        ("pipe.yaml", "is not a regular file"),
        ("nul\0.yaml", "no such file"),
        ("x" * 5000, "cannot be read"),
    ]:
        document = read(tmp_path / name)
        assert document.root is None
        assert len(document.faults) == 1
        assert words in document.faults[0].message


def test_a_file_without_permission(tmp_path, monkeypatch):
    path = tmp_path / "f.yaml"
    path.write_text("a: 1")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    (fault,) = read(path).faults
    assert fault.message == "cannot be read: Permission denied"


def test_halves_of_a_character():
    assert parse('a: "\\ud83d\\ude00"', "f").text("a") == "😀"
    assert parse('a: "x\\ud800"', "f").text("a") == "x\ud800"


def test_tags_and_objects_are_never_built(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parse("a: !!python/object/apply:os.system ['touch canary']\n", "f")
    assert not (tmp_path / "canary").exists()


def test_names_for_messages():
    assert dotted(("refuting", 2, "id")) == "refuting[2].id"
    assert dotted(()) == ""
    assert shown("a\u202eb\x1b[0m\n") == "a\\u202eb\\x1b[0m\\n"
    assert shown("x" * 100) == "x" * 57 + "..."


_YAMLISH = st.text(alphabet=st.sampled_from(list("ab1:-[]{}'\"#&*!|>%@? \n\t,\\u.~=<")), max_size=60)


@given(_YAMLISH | st.text(max_size=40))
@example("a: |\n\t\n x\n")
@example("\ud800")
def test_any_text_gives_a_tree_or_faults_and_never_raises(text):
    document = parse(text, "f")
    assert (document.root is None) <= bool(document.faults)
    for fault in document.faults:
        assert fault.message
        assert "\n" not in str(fault)
        assert str(fault).isprintable()
        assert fault.line is None or 1 <= fault.line <= text.count("\n") + 1


_TREES = st.recursive(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(_TREES)
def test_json_is_read_as_what_it_says(tree):
    import json

    def plain(node):
        if isinstance(node, MapNode):
            return {entry.key: plain(entry.value) for entry in node.entries}
        return [plain(item) for item in node.items] if isinstance(node, ListNode) else node.text

    document = parse(json.dumps(tree), "f")
    assert document.faults == ()
    assert plain(document.root) == tree

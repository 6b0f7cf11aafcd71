from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.reporting.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x1b]52;c;ZXZpbA==\x07", r"\x1b]52;c;ZXZpbA==\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("safe\u202etxt.exe", r"safe\u202etxt.exe"),
        ("a\u2066b\u2069", r"a\u2066b\u2069"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("one\ntwo\r\nthree", r"one\x0atwo\x0d\x0athree"),
        ("lone\ud800", r"lone\ud800"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("\u2028", r"\u2028"),
        ("grüß 漢字 😀", "grüß 漢字 😀"),
    ],
)
def test_labels_show_what_would_act(text, shown):
    assert visible(text) == shown


def test_running_text_keeps_lines_tabs_and_emoji_joiners():
    family = "👨\u200d👩\u200d👧"
    assert visible(f"a\r\nb\tc {family}", lines=True) == f"a\nb\tc {family}"
    assert visible("a\rb\x1b", lines=True) == r"a\x0db\x1b"


@given(st.text(st.characters(categories=None), max_size=50), st.booleans())
def test_nothing_that_acts_is_left(text, lines):
    left = {
        c for c in visible(text, lines=lines) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    assert left <= (set("\n\t\u200c\u200d") if lines else set())


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_unchanged(text):
    assert visible(text) == text

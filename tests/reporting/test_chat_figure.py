from __future__ import annotations

import pytest
from matplotlib.text import Text

from echosim.records import CurvePoint, Estimate
from echosim.reporting import figures

LINES = [
    ("monday", (0.1, 0.2, None, 0.4)),
    ("line 2", (-0.3, 0.0, 0.2, 0.3)),
    ("$x^2$ \x1b", (0.5, None, 0.1, None)),
    ("short", (0.2, 0.2)),
]


def points(*counts: int) -> tuple[CurvePoint, ...]:
    return tuple(
        CurvePoint(turn=turn, estimate=Estimate(value=0.1 * turn, low=-0.2, high=0.6, n=n))
        for turn, n in enumerate(counts, 1)
    )


def words(figure) -> str:
    (axes,) = figure.axes
    return " | ".join(text.get_text() for text in axes.findobj(lambda a: hasattr(a, "get_text")))


def thick(figure):
    """The paths of the mean."""
    return [line for line in figure.axes[0].lines if line.get_linewidth() == 2]


def test_same_records_same_bytes():
    first, second = (figures.chats(LINES, points(4, 4, 3, 2), 4, "it is so") for _ in range(2))
    assert figures.svg(first) == figures.svg(second)
    assert figures.png(first, dpi=60) == figures.png(second, dpi=60)


def test_axes_say_what_they_show():
    shown = words(figures.chats(LINES, points(4, 4, 3, 2), 4, "it is so"))
    for part in ("“it is so”", "stance toward the claim", "reply, by its number", "thin: 4 chats", "95% t"):
        assert part in shown
    assert "1\n(4)" in shown
    assert "4\n(2)" in shown


def test_a_sample_is_said_to_be_one():
    assert "thin: 4 of 1,000 chats, drawn by hash" in words(figures.chats(LINES, points(999), 1000, "x"))


def test_lines_are_drawn_where_the_stances_are():
    figure = figures.chats(LINES, points(4, 4, 3, 2), 4, "x")
    drawn = figure.axes[0].lines[0]
    assert list(drawn.get_xdata()) == [1, 2, 3, 4]
    assert drawn.get_ydata()[2] != drawn.get_ydata()[2]
    assert drawn.get_ydata()[3] == 0.4
    dots = figure.axes[0].lines[1]
    assert (list(dots.get_xdata()), list(dots.get_ydata())) == ([4], [0.4])


def names(figure) -> dict[str, tuple[float, float]]:
    """What stands right of the axes, and where its leader begins."""
    return {text.get_text(): text.xy for text in figure.axes[0].texts if hasattr(text, "xy")}


def test_few_chats_are_named_at_their_last_reply_with_words():
    drawn = names(figures.chats(LINES, points(4, 4, 3, 2), 4, "x"))
    ends = {"monday": (4, 0.4), "line 2": (4, 0.3), "$x^2$ \\x1b": (3, 0.1), "short": (2, 0.2)}
    assert {name: drawn[name] for name in ends} == ends
    assert drawn["mean"] == pytest.approx((3, 0.3))
    colours = [line.get_color() for line in figures.chats(LINES, (), 4, "x").axes[0].lines[:8:2]]
    assert len(set(colours)) == 4


def test_names_do_not_cover_each_other():
    many = [(f"chat {n}", (0.1, 0.1)) for n in range(8)]
    figure = figures.chats(many, points(8, 8), 8, "x")
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts if hasattr(text, "xy")]
    assert len(boxes) == 9
    assert not any(one.overlaps(other) for one in boxes for other in boxes if one is not other)


def test_many_chats_are_not_named():
    assert names(figures.chats(LINES[:1] * 9, points(9, 9), 9, "x")) == {}


def test_a_chat_without_words_has_no_end_to_name():
    assert list(names(figures.chats([("silent", (None,)), LINES[0]], (), 2, "x"))) == ["monday"]


def test_a_mean_of_two_is_not_drawn():
    (mean,) = thick(figures.chats(LINES, points(4, 4, 3, 2), 4, "x"))
    assert list(mean.get_xdata()) == [1, 2, 3]


@pytest.mark.parametrize(("count", "said"), [(0, "no reply with words"), (1, "one chat"), (2, "thin: 2")])
def test_few_chats(count, said):
    lines = LINES[:count]
    figure = figures.chats(lines, points(*[count] * 4)[: 4 if count else 0], count, "x", "dark")
    assert said in words(figure)
    assert figures.svg(figure).startswith(b"<?xml")


def test_a_hostile_claim_is_only_shapes():
    claim = "$\\frac{1}{0}$ <script>alert(1)</script>\x1b " * 20
    svg = figures.svg(figures.chats(LINES, points(4), 4, claim))
    assert b"<script" not in svg
    assert b"<text" not in svg


@pytest.mark.parametrize(
    ("claim", "kept"),
    [
        ("the Earth is flat", "the Earth is flat"),
        ("a  claim\twith\n gaps", "a claim with gaps"),
        ("Some of the words " * 12, "Some of the words Some of the words"),
        ("W" * 90, "WWWWWWWWWWWWWWWWWWWW"),
        ("\u706f\u5854\u95f9\u9b3c" * 30, "\u706f\u5854\u95f9\u9b3c\u706f\u5854\u95f9\u9b3c"),
    ],
)
def test_a_claim_of_any_length_and_script_fits_its_title(claim, kept):
    figure = figures.chats(LINES, points(4, 4, 3, 2), 4, claim)
    (title,) = (text for text in figure.findobj(lambda a: hasattr(a, "get_text")) if kept in text.get_text())
    assert ("\u2026" in title.get_text()) == (len(claim) > 40)
    assert title.get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.filterwarnings("error")
def test_signs_that_the_font_lacks_are_boxes_and_no_warning():
    figure = figures.chats(LINES, points(4), 4, "\u706f\u5854 \U0001f47b")
    assert figures.svg(figure).startswith(b"<?xml")
    assert figures.png(figure).startswith(b"\x89PNG")

"""The figures of a report card: drawn where the card says, legible, the same bytes for the same card."""

from __future__ import annotations

import itertools

import pytest

from echosim.reporting import figures
from echosim.reporting.figures import measurement as card_figures
from echosim.reporting.measurement import wilson
from tests.reporting import cards


def made(card, theme="light"):
    return {
        "reliability": lambda: card_figures.reliability(card.banks, theme),
        "twins": lambda: card_figures.twins(card, theme),
        "dose": lambda: card_figures.dose(card.dose, theme),
    }


NAMES = tuple(made(cards.card()))


def words(figure):
    return [
        text.get_text() for axes in figure.axes for text in axes.findobj(lambda a: hasattr(a, "get_text"))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_same_card_same_bytes_and_another_theme_other_inks(name):
    first, second = (figures.svg(made(cards.card())[name]()) for _ in range(2))
    assert first == second
    assert first != figures.svg(made(cards.card(), "dark")[name]())


def test_reliability_is_drawn_by_bin_with_its_counts():
    figure = made(cards.card())["reliability"]()
    upper, lower = figure.axes[0], figure.axes[2]
    bins = cards.bank("dev").reliability
    (line,) = (line for line in upper.lines if len(line.get_xdata()) == len(bins))
    assert list(line.get_xdata()) == [one.read for one in bins]
    assert list(line.get_ydata()) == [one.true for one in bins]
    assert [bar.get_height() for bar in lower.patches] == [one.replies for one in bins]
    assert [bar.get_x() for bar in lower.patches] == [one.low for one in bins]
    assert {str(one.replies) for one in bins} <= set(words(figure))
    assert {"Bank dev\n", "Bank test\n"} <= set(words(figure))


def test_twins_show_share_interval_bars_and_baselines():
    figure = made(cards.card())["twins"]()
    (axes,) = figure.axes
    drawn = [tuple(map(float, line.get_xdata())) for line in axes.lines]
    assert wilson(0.6, 20) in drawn
    for value in (0.6, 1.0, 0.5, 0.8, 0.4):
        assert (value,) in drawn
    assert (0.75, 0.75) in drawn
    assert (0.9, 0.9) in drawn
    shown = words(figure)
    assert {"negation (20)", "covert (20)", "sarcasm, not demanded (20)", "all twins (60)"} <= set(shown)
    assert {"each category \u2265 0.75", "all twins \u2265 0.90"} <= set(shown)


def test_what_misses_its_bar_is_hollow_and_what_has_none_is_not():
    (axes,) = made(cards.card())["twins"]().axes
    dots = {
        round(float(line.get_ydata()[0])): line.get_markerfacecolor() == "#ffffff"
        for line in axes.lines
        if line.get_marker() in ("o", "D") and len(line.get_xdata())
    }
    assert dots == {0: True, 1: False, 2: True, 3: False}  # all, negation, covert, sarcasm


def test_baselines_of_one_value_do_not_cover_each_other():
    same = cards.card().model_copy(update={"twins": (cards.twin("negation", 1.0, lexicon=0.5),)})
    (axes,) = made(same)["twins"]().axes
    marks = {
        line.get_marker(): axes.transData.transform((line.get_xdata()[0], line.get_ydata()[0]))
        for line in axes.lines
        if line.get_marker() in ("x", "^") and len(line.get_xdata()) and line.get_ydata()[0] > 0.5
    }
    (x, cosine), (other_x, lexicon) = marks["x"], marks["^"]
    assert x == other_x
    size = 4.2 * axes.figure.dpi / 72
    assert abs(cosine - lexicon) > 0.75 * size


def test_without_demands_no_bar_is_drawn():
    shown = words(made(cards.card(checks=()))["twins"]())
    assert not any("\u2265" in text for text in shown)


@pytest.mark.parametrize("name", NAMES)
def test_words_do_not_cover_each_other(name):
    figure = made(cards.card())[name]()
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    texts = [
        text
        for axes in figure.axes
        for text in [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label]
        if text.get_visible() and text.get_text()
    ]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    for (one, box), (other, second) in itertools.combinations(boxes, 2):
        assert not box.overlaps(second), (one, other)


def test_dose_has_every_number_and_its_unit():
    figure = made(cards.card())["dose"]()
    (axes,) = figure.axes
    line = next(line for line in axes.lines if len(line.get_xdata()) == 3)
    assert list(line.get_ydata()) == [-40.0, -5.0, 30.0]
    shown = words(figure)
    assert "0.5\n(\u22125.0)" in shown
    assert "Echo Capture Index, points" in shown


def test_empty_cards_give_empty_figures():
    empty = cards.card(checks=()).model_copy(update={"banks": (), "twins": ()})
    for make in made(empty).values():
        assert figures.svg(make()).startswith(b"<?xml")


def test_hostile_words_are_only_shapes():
    svg = figures.svg(made(cards.poisoned_card("$\\frac{1}{0}$ <script>alert(1)</script>\x1b"))["twins"]())
    assert b"<script" not in svg
    assert b"<text" not in svg

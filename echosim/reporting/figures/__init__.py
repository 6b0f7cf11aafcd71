"""The figures: records in, matplotlib figure out; nothing is computed here but places on paper.

Same records, same bytes. Only `paper.py` imports matplotlib, and not before a figure is drawn.
"""

from echosim.reporting.figures.board_figures import forest, frontier
from echosim.reporting.figures.chat_figure import chats
from echosim.reporting.figures.curve_figures import Key, drift
from echosim.reporting.figures.heat_map import heat_map
from echosim.reporting.figures.paper import png, svg
from echosim.reporting.figures.survival_figure import survival

__all__ = ["Key", "chats", "drift", "forest", "frontier", "heat_map", "png", "survival", "svg"]

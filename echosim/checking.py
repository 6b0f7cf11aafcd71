"""Public functions that examine the measurement itself: its constants, its report card.

They hold real conversations where they need some, in a folder that is thrown away.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from echosim import __version__, api
from echosim.held_run import PathLike, Run
from echosim.inputs import personas
from echosim.records import Leaderboard, Transcript
from echosim.study_records import Study

if TYPE_CHECKING:
    from echosim.checks.report_card import ReportCard
    from echosim.reading.perception import StanceReader

Step = Callable[[str, int, int], None]
"""Told about (what is done now, steps done, steps in all)."""


def validity(
    *,
    encoder: str | None = None,
    out: PathLike | None = None,
    progress: Step = lambda *_: None,
) -> ReportCard:
    """The reader's own report card on replies of known stance, shipped personas; calls no model.

    The card is kept in the user's cache, so that reports of runs with this reader show it.

    Args:
        encoder: None for the default.
        out: a file that the card is written to instead.
        progress: told about the steps.

    Raises:
        EncoderError: no such encoder.
        StorageError: the card cannot be written.
    """
    from echosim.checks import card_file, dose
    from echosim.checks.validity import report_card
    from echosim.reading.embedding import load_encoder
    from echosim.reading.perception import StanceReader

    loaded = load_encoder(encoder)
    reader = StanceReader(loaded)
    speakers = personas.load_personas(personas.shipped())

    def hold() -> tuple[Leaderboard, list[Transcript]]:
        with thrown_away(dose.dose_study(speakers), reader) as doses:
            board = api.leaderboard(doses)
        with thrown_away(dose.course_study(speakers), reader) as courses:
            return board, list(courses.trials())

    card = report_card(
        reader, loaded, speakers, hold, __version__, datetime.date.today().isoformat(), progress
    )
    if out is None:
        card_file.keep(card)
    else:
        card_file.write(card, Path(out))
    return card


@contextmanager
def thrown_away(study: Study, reader: StanceReader) -> Iterator[Run]:
    """A finished run of this study in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="echosim-") as folder:
        yield api.hold(study, Path(folder) / "run", reader)

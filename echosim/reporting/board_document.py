"""What `leaderboard --json` prints, as records: the JSON Schema beside this file is made from them.

`python -m echosim.reporting.board_document` writes the shipped schema anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from echosim.board_records import BoardRecord, EngineVariance, Leaderboard, Pair, Region, Row
from echosim.records import Estimate, Share, Signed

SCHEMA_FILE = Path(__file__).with_name("leaderboard.schema.json")
Points = Annotated[float, Field(ge=-100, le=100)]
Count = Annotated[int, Field(ge=0)]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class BoardRow(BoardRecord):
    """One cell. Numbers have full precision; NAME_low and NAME_high are the ends of a 95% interval."""

    target: str
    arm: str
    eci: Points | None
    """Echo Capture Index: 100 times C_F + O, held within the bounds; the lower the better."""
    eci_low: Points | None
    eci_high: Points | None
    rank_low: Annotated[int, Field(ge=1)] | None
    """Best rank that the cell may have among those of its user engine; null where it is not ranked."""
    rank_high: Annotated[int, Field(ge=1)] | None
    c_false: Signed | None
    """C_F: net capture on false claims, weighted by severity."""
    c_true: Signed | None
    """C_T: the same on true claims."""
    mirror_gap: Signed | None
    """M: agreement with whoever speaks."""
    over_correction: Share | None
    """O = max(0, -C_T)."""
    true_contradicted: Share | None
    """Share of replies to controls that contradict them."""
    tail: Signed | None
    """Mean net capture of the worst fifth of holders."""
    evasion: Share | None
    """Share of replies without a position or off the subject."""
    planned: Count
    complete: Count
    limited: Count
    refused: Count
    failed: Count
    user: str
    """User engine."""
    stance: Signed | None
    """S over holders of false claims: what the target said."""
    belief: Signed | None
    """B over them: what became of the belief."""
    discrimination: Signed | None
    """D: stance toward true claims less stance toward false ones, halved."""
    c_false_low: Signed | None
    c_false_high: Signed | None
    c_true_low: Signed | None
    c_true_high: Signed | None
    stance_low: Signed | None
    stance_high: Signed | None
    belief_low: Signed | None
    belief_high: Signed | None
    mirror_gap_low: Signed | None
    mirror_gap_high: Signed | None
    discrimination_low: Signed | None
    discrimination_high: Signed | None
    over_correction_low: Share | None
    over_correction_high: Share | None
    true_contradicted_low: Share | None
    true_contradicted_high: Share | None
    tail_low: Signed | None
    tail_high: Signed | None
    evasion_low: Share | None
    evasion_high: Share | None
    families: Count
    """Families behind the ECI."""
    eci_reason: str | None
    """Why the ECI or its interval is missing."""
    worst_persona: str | None
    marks: list[str]
    """Warnings."""
    letters: list[str]
    """Ranked cells of one user engine share a letter exactly where they cannot be told apart."""
    eci_unweighted: Points | None
    """ECI if every persona weighed the same, whatever the severity."""
    eci_unweighted_low: Points | None
    eci_unweighted_high: Points | None
    c_false_unweighted: Signed | None
    c_false_unweighted_low: Signed | None
    c_false_unweighted_high: Signed | None
    c_true_unweighted: Signed | None
    c_true_unweighted_low: Signed | None
    c_true_unweighted_high: Signed | None
    region: Region
    """C_F and C_T together, as the frontier shows them."""


class BoardDocument(BoardRecord):
    """A leaderboard: rows from the lowest ECI to the highest, cells without one last."""

    rows: list[BoardRow]
    separable: bool
    """False under 11 families: ranks are then not to be read."""
    families: Count
    seeds: Count
    """Different ones; of a population, people."""
    turns: Count
    """Of all sessions together."""
    sessions: Count
    population: bool
    """True where a seed is another person, drawn from the population."""
    date: str
    """ISO date of the last turn."""
    reader: str
    encoder: str
    pairs: tuple[Pair, ...]
    """Every two ranked cells of one user engine."""
    variances: tuple[EngineVariance, ...]
    """Where the spread of net capture comes from."""
    notes: list[str]
    """What must be known before the board is cited."""


_SPREAD = (
    "c_false", "c_true", "stance", "belief", "mirror_gap", "discrimination", "over_correction",
    "true_contradicted", "tail", "evasion",
)  # fmt: skip
_UNWEIGHTED = ("eci_unweighted", "c_false_unweighted", "c_true_unweighted")
_AS_THEY_ARE = (
    "target", "arm", "user", "rank_low", "rank_high", "planned", "complete", "limited", "refused", "failed",
    "worst_persona", "region",
)  # fmt: skip


def board_row(row: Row) -> BoardRow:
    """One row of the document."""
    data: dict[str, Any] = {name: getattr(row, name) for name in _AS_THEY_ARE}
    for name in ("eci", *_SPREAD, *_UNWEIGHTED):
        estimate: Estimate = getattr(row, name)
        data |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return BoardRow(
        **data,
        families=row.eci.n,
        eci_reason=row.eci.reason,
        marks=list(row.marks),
        letters=list(row.letters),
    )


def document(board: Leaderboard) -> BoardDocument:
    """The whole board."""
    rows, notes = [board_row(row) for row in board.rows], list(board.notes)
    same = {name: getattr(board, name) for name in BoardDocument.model_fields.keys() - {"rows", "notes"}}
    return BoardDocument(rows=rows, notes=notes, **same)


def schema() -> dict[str, Any]:
    """JSON Schema of the document."""
    made = BoardDocument.model_json_schema(mode="serialization")
    return {"$schema": _DIALECT} | made | {"title": "echosim leaderboard"}


def schema_text() -> str:
    """The text that the shipped schema file should have."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")

"""The report: one HTML page that loads nothing, and the figures beside it.

Everything that a model or a stranger wrote is data here. It is autoescaped, its control characters are
spelled out, and a content security policy allows no script and no style but the page's own two, by hash.
Transcripts are rendered one at a time into a spool, so that memory does not grow with the run.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from echosim.checks import card_file
from echosim.checks.user_lines import Lines
from echosim.errors import StorageError
from echosim.records import Curve, Leaderboard, Status, Transcript
from echosim.reporting import fidelity, figures, measurement, page_data
from echosim.reporting.counted import counted
from echosim.reporting.figures import measurement as card_figures
from echosim.reporting.headline import caution, guarded, headline
from echosim.reporting.inks import Theme
from echosim.reporting.tables import cell_name
from echosim.reporting.visible import visible
from echosim.study_records import Study

if TYPE_CHECKING:
    from jinja2 import Environment

    from echosim.checks.agreement import Agreement
    from echosim.checks.report_card import ReportCard
    from echosim.scoring.loop_gain import LoopGain

TURNS_ON_PAGE = 12_000
"""Most turns that the page carries; more would not open quickly. The rest is a `show` away."""

_TEMPLATES = Path(__file__).parent / "templates"
_STATUSES: tuple[Status, ...] = ("complete", "limited", "refused", "failed")


def write(
    folder: Path,
    study: Study,
    board: Leaderboard,
    curves: Sequence[Curve],
    transcripts: Iterable[Transcript],
    version: str,
    *,
    card: ReportCard | None = None,
    agreement: Agreement | None = None,
    gains: Sequence[LoopGain] = (),
    sessions: Sequence[Curve] = (),
) -> Path:
    """Write `report.html` and `figures/` into `folder`, replacing what was there.

    Args:
        folder: made when missing, readable by the owner alone.
        study: resolved, with personas inline.
        board: rows from best to worst.
        curves: of all roles; holders are drawn.
        transcripts: sorted by trial id; read once, one held at a time.
        version: of echosim.
        card: report card of the board's reader; None where it has none, which the page then says.
        agreement: of the run's channels; None where no other channel has read the replies.
        gains: of the cells whose users named drawn confidences.
        sessions: curves by session, of all roles; empty where a trial is one session.

    Returns:
        The path of the page.

    Raises:
        StorageError: the folder cannot be written.
        ValueError: the card is of another reader than the board.
    """
    if card is not None and card.reader != board.reader:
        raise ValueError(f"the card is of reader {card.reader}, the board of reader {board.reader}")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        images = _write_figures(folder / "figures", board, curves, card, sessions)
        with tempfile.TemporaryFile() as spool:
            page = _Page(study, board, card, agreement, gains, spool)
            for transcript in transcripts:
                page.add(transcript)
            _replace(folder / "report.html", page.render(images, version))
    except OSError as error:
        raise StorageError(f"{folder}: cannot write the report: {error.strerror or error}") from error
    return folder / "report.html"


# --- figures ------------------------------------------------------------------------------------


def _write_figures(
    folder: Path,
    board: Leaderboard,
    curves: Sequence[Curve],
    card: ReportCard | None,
    sessions: Sequence[Curve],
) -> dict[str, str]:
    """Write each figure as SVG and PNG; gives them as data addresses, `NAME` and `NAME-dark`."""
    folder.mkdir(exist_ok=True, mode=0o700)
    order = [(row.target, row.arm, row.user) for row in board.rows]
    makers: dict[str, Callable[[Theme], Any]] = {
        "leaderboard": lambda theme: figures.forest(board, theme),
        "drift": lambda theme: figures.drift(curves, order, theme),
        "frontier": lambda theme: figures.frontier(board, theme),
    }
    if sessions:
        makers["sessions"] = lambda theme: figures.drift(sessions, order, theme, step="session")
    if card is not None:
        makers |= {
            "reliability": lambda theme: card_figures.reliability(card.banks, theme),
            "twins": lambda theme: card_figures.twins(card, theme),
            "dose": lambda theme: card_figures.dose(card.dose, theme),
        }
    images = {}
    for name, make in makers.items():
        light = make("light")
        drawn = figures.svg(light)
        _replace(folder / f"{name}.svg", [drawn])
        _replace(folder / f"{name}.png", [figures.png(light)])
        images[name] = _address(drawn)
        images[f"{name}-dark"] = _address(figures.svg(make("dark")))
    return images


def _address(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")


# --- the page -----------------------------------------------------------------------------------


@dataclass
class _Page:
    """The growing page: rendered transcripts on disc, in memory only what places and counts them."""

    study: Study
    board: Leaderboard
    card: ReportCard | None
    agreement: Agreement | None
    gains: Sequence[LoopGain]
    spool: IO[bytes]
    places: list[tuple[tuple[Any, ...], int, int]] = field(default_factory=list)
    """Sort key, offset and length of each rendered transcript."""
    turns: int = 0
    unsure: int = 0
    turns_on_page: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    failures: dict[tuple[Status, str, str], list[Any]] = field(default_factory=dict)
    """(status, target, reason) to [count, first trial, whether it is on the page]."""
    returned: dict[str, set[str]] = field(default_factory=dict)
    seen: dict[str, set[str]] = field(
        default_factory=lambda: {"persona": set(), "role": set(), "status": set()}
    )

    def __post_init__(self) -> None:
        self.environment = _environment()
        self.template = self.environment.get_template("transcript.html.j2")
        self.personas = {persona.id: persona for persona in self.study.personas}
        self.lines = Lines(self.study.personas, self.study.users)
        self.cells = {(row.target, row.arm, row.user): index for index, row in enumerate(self.board.rows)}
        self.names = [cell_name(row, self.board) for row in self.board.rows]

    def add(self, transcript: Transcript) -> None:
        """Count one transcript and, while there is room, render it."""
        trial, length = transcript.trial, len(transcript.turns)
        self.lines.add(transcript)
        self.turns += length
        self.unsure += sum(turn.reading.unsure for turn in transcript.turns)
        self.statuses[transcript.status] += 1
        if transcript.returned_model:
            self.returned.setdefault(trial.target, set()).add(transcript.returned_model)
        fits = self.turns_on_page + length <= TURNS_ON_PAGE
        if transcript.status != "complete":
            key = (transcript.status, trial.target, transcript.reason or "no reason given")
            self.failures.setdefault(key, [0, trial.id, fits])[0] += 1
        if fits:
            self._render_one(transcript)

    def _render_one(self, transcript: Transcript) -> None:
        trial = transcript.trial
        self.turns_on_page += len(transcript.turns)
        cell = self.cells.get((trial.target, trial.arm, trial.user), len(self.names))
        name = self.names[cell] if cell < len(self.names) else trial.target
        data = page_data.conversation(transcript, self.personas.get(trial.persona), cell, name)
        repeat = "seed" if self.study.population is None else "person"
        several = len(self.study.everybody) > 1
        text = self.template.render(**data, several_seeds=several, repeat=repeat).encode()
        key = (cell, trial.family, page_data.ROLES.index(trial.role), trial.seed, trial.id)
        self.places.append((key, self.spool.tell(), len(text)))
        self.spool.write(text)
        for quantity, value in (
            ("persona", trial.persona),
            ("role", trial.role),
            ("status", transcript.status),
        ):
            self.seen[quantity].add(value)

    def render(self, images: dict[str, str], version: str) -> Iterator[bytes]:
        """The page in pieces, transcripts sorted by cell, family, role and seed."""
        from markupsafe import Markup

        style, script = ((_TEMPLATES / name).read_text("utf-8") for name in ("report.css", "report.js"))
        board, study = self.board, self.study
        pieces = self.environment.get_template("report.html.j2").generate(
            study=study,
            board=board,
            version=version,
            headline=headline(board),
            cautions=[
                line for line in (caution(board), guarded(board), measurement.caution(self.card)) if line
            ],
            rows=[page_data.board_row(row, board) for row in board.rows],
            key=page_data.KEY,
            images={name: Markup(address) for name, address in images.items()},  # noqa: S704  our own figures
            style=Markup(style),  # noqa: S704  our own file
            script=Markup(script),  # noqa: S704  our own file
            style_hash=_hash(style),
            script_hash=_hash(script),
            filters=self._filters(),
            transcripts_here=self._transcripts(),
            measurement=measurement.section(
                self.card,
                self.agreement,
                board,
                {key: self.names[index] for key, index in self.cells.items()},
                {key[-1] for key, _, _ in self.places},
            ),
            fidelity=fidelity.section(card_file.calibration(), self.lines.figures()),
            loop_gain=page_data.loop_gain(self.gains),
            shown_line=self._shown_line(),
            unsure_line=f"the two channels disagreed on {self.unsure:,} of {self._replies()}.",
            only_reference=all(spec.is_reference for spec in study.targets),
            versions=page_data.versions(study, board, version),
            targets=[page_data.target(spec, self.returned.get(spec.label, set())) for spec in study.targets],
            status_line=self._status_line(),
            failures=[
                {"status": s, "target": t, "reason": r, "count": count, "example": example, "linked": linked}
                for (s, t, r), (count, example, linked) in sorted(self.failures.items())
            ],
        )
        return (piece.encode() for piece in pieces)

    def _transcripts(self) -> Iterator[Any]:
        from markupsafe import Markup

        for _, offset, length in sorted(self.places):
            self.spool.seek(offset)
            yield Markup(self.spool.read(length).decode())  # noqa: S704  rendered with autoescape above

    def _filters(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        def same(values: Iterable[str]) -> list[tuple[str, str]]:
            return [(value, value) for value in values]

        return [
            ("cell", "Target", [(str(index), name) for index, name in enumerate(self.names)]),
            ("persona", "Persona", same(sorted(self.seen["persona"]))),
            ("role", "Role", same(role for role in page_data.ROLES if role in self.seen["role"])),
            ("status", "Status", same(status for status in _STATUSES if status in self.seen["status"])),
        ]

    def _replies(self) -> str:
        return counted(self.turns, "reply", "replies")

    def _shown_line(self) -> str:
        total, shown = sum(self.statuses.values()), len(self.places)
        if shown == total:
            return f"All {counted(total, 'conversation')}, {self._replies()}."
        return (
            f"{shown:,} of {counted(total, 'conversation')}, the first by trial id, which is a random order; "
            "`echosim show` reads the others."
        )

    def _status_line(self) -> str:
        counts = ", ".join(f"{self.statuses[status]:,} {status}" for status in _STATUSES)
        if not self.failures:
            return f"None: {counts}."
        return (
            f"{counts}. Limited and refused conversations count in the scores with their last state carried "
            "forward; failed ones enter no mean."
        )


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["counted"] = counted
    return environment


def _shown(value: Any) -> Any:
    """Every text that enters the page passes here; markup of our own has a type of its own."""
    return visible(value, lines=True) if type(value) is str else value


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _replace(path: Path, pieces: Iterable[bytes]) -> None:
    """Write beside the file and put it in place in one step: a reader sees the old page or the new one."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        try:
            for piece in pieces:
                stream.write(piece)
            stream.flush()
            os.fsync(stream.fileno())
            Path(stream.name).replace(path)
        except BaseException:
            Path(stream.name).unlink(missing_ok=True)
            raise

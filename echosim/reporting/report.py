"""The report: HTML that loads nothing, and the figures beside it.

Up to a thousand conversations are one file, `report.html`. More are `index.html`, where they are searched,
with pages of transcripts in a folder beside it.

Everything that a model or a stranger wrote is data here. It is autoescaped, its control characters are
spelled out, and a content security policy allows no script and no style but the page's own two, by hash.
Transcripts are rendered one at a time into a spool, so that memory does not grow with their text.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echosim.board_records import Leaderboard
from echosim.checks import card_file
from echosim.checks.user_lines import Lines
from echosim.errors import StorageError
from echosim.records import Curve, Status, Transcript
from echosim.reporting import fidelity, figures, finder, measurement, page_data, web_page
from echosim.reporting.board_details import details
from echosim.reporting.counted import counted
from echosim.reporting.family_map import FamilyMap
from echosim.reporting.figures import measurement as card_figures
from echosim.reporting.headline import caution, guarded, headline
from echosim.reporting.inks import Theme
from echosim.reporting.tables import cell_name
from echosim.reporting.transcript_spool import FOLDER, Entry, Spool, page_name
from echosim.reporting.transcript_view import mean_stance
from echosim.study_records import Study

if TYPE_CHECKING:
    from echosim.checks.agreement import Agreement
    from echosim.checks.report_card import ReportCard
    from echosim.scoring.loop_gain import LoopGain
    from echosim.scoring.survival import Survival

ONE_FILE, INDEX = "report.html", "index.html"
_SEEDS = 200
"""Most seeds that are offered as a filter."""
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
    lines: Lines | None = None,
    survival: Sequence[Survival] = (),
) -> Path:
    """Write the page, its figures and, of a big run, its pages of transcripts, replacing what was there.

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
        lines: empty counts of the users' lines, with what to read their meaning by; None reads none.
        survival: time to capture and to correction, of all roles; holders are drawn.

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
        with tempfile.TemporaryFile() as stream:
            counted_lines = lines or Lines(study.personas, study.users)
            page = _Page(study, board, card, agreement, gains, Spool(stream, []), counted_lines)
            for transcript in transcripts:
                page.add(transcript)
            images = _write_figures(
                folder / "figures", board, curves, card, sessions, survival, page.families
            )
            return page.write(folder, images, version)
    except OSError as error:
        raise StorageError(f"{folder}: cannot write the report: {error.strerror or error}") from error


# --- figures ------------------------------------------------------------------------------------


def _write_figures(
    folder: Path,
    board: Leaderboard,
    curves: Sequence[Curve],
    card: ReportCard | None,
    sessions: Sequence[Curve],
    survival: Sequence[Survival],
    families: FamilyMap,
) -> dict[str, str]:
    """Write each figure as SVG and PNG; gives them as data addresses, `NAME` and `NAME-dark`."""
    folder.mkdir(exist_ok=True, mode=0o700)
    order = [(row.target, row.arm, row.user) for row in board.rows]
    makers: dict[str, Callable[[Theme], Any]] = {
        "leaderboard": lambda theme: figures.forest(board, theme),
        "drift": lambda theme: figures.drift(curves, order, theme),
        "frontier": lambda theme: figures.frontier(board, theme),
    }
    if any(one.role == "holder" for one in survival):
        makers["survival"] = lambda theme: figures.survival(survival, order, theme)
    if means := families.means():
        names = [cell_name(row, board) for row in board.rows]
        makers["families"] = lambda theme: figures.heat_map(means, order, names, theme)
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
        web_page.replace(folder / f"{name}.svg", [drawn])
        web_page.replace(folder / f"{name}.png", [figures.png(light)])
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
    spool: Spool
    lines: Lines
    turns: int = 0
    unsure: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    failures: dict[tuple[Status, str, str], list[Any]] = field(default_factory=dict)
    """(status, target, reason) to [count, first trial]."""
    returned: dict[str, set[str]] = field(default_factory=dict)
    families: FamilyMap = field(default_factory=FamilyMap)

    def __post_init__(self) -> None:
        self.template = web_page.environment().get_template("transcript.html.j2")
        self.personas = {persona.id: persona for persona in self.study.personas}
        self.cells = {(row.target, row.arm, row.user): index for index, row in enumerate(self.board.rows)}
        self.names = [cell_name(row, self.board) for row in self.board.rows]
        self.repeat = "seed" if self.study.population is None else "person"

    def add(self, transcript: Transcript) -> None:
        """Count one transcript and render it."""
        trial = transcript.trial
        persona = self.personas.get(trial.persona)
        self.lines.add(transcript)
        self.families.add(transcript, persona)
        self.turns += len(transcript.turns)
        self.unsure += sum(turn.reading.unsure for turn in transcript.turns)
        self.statuses[transcript.status] += 1
        if transcript.returned_model:
            self.returned.setdefault(trial.target, set()).add(transcript.returned_model)
        if transcript.status != "complete":
            key = (transcript.status, trial.target, transcript.reason or "no reason given")
            self.failures.setdefault(key, [0, trial.id])[0] += 1
        cell = self.cells.get((trial.target, trial.arm, trial.user), len(self.names))
        name = self.names[cell] if cell < len(self.names) else trial.target
        data = page_data.conversation(transcript, persona, cell, name)
        several = len(self.study.everybody) > 1
        text = self.template.render(**data, several_seeds=several, repeat=self.repeat)
        offset, length = self.spool.add(text.encode())
        live = transcript.live
        self.spool.entries.append(
            Entry(
                cell=cell,
                family=trial.family,
                role=page_data.ROLES.index(trial.role),
                seed=trial.seed,
                trial=trial.id,
                persona=trial.persona,
                status=transcript.status,
                stance=mean_stance(transcript),
                belief=live[-1].after.confidence if live else None,
                turns=len(transcript.turns),
                offset=offset,
                length=length,
            )
        )

    def write(self, folder: Path, images: dict[str, str], version: str) -> Path:
        """Put the page in place, then take away what an earlier report of another size left."""
        pages = self.spool.pages()
        if len(pages) == 1:
            path, other = folder / ONE_FILE, folder / INDEX
            links = {entry.trial: f"#trial-{entry.trial}" for entry in pages[0]}
            shared = {
                "pages": [],
                "filters": self._filters(pages[0]),
                "transcripts_here": self._texts(pages[0]),
            }
            web_page.replace(path, self._render("report.js", images, version, links, shared))
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
        else:
            path, other = folder / INDEX, folder / ONE_FILE
            links = self._write_pages(folder, pages, version)
            shared = {
                "pages": [finder.page(number, page, self.names) for number, page in enumerate(pages)],
                "filters": self._filters(self.spool.entries),
                "transcripts_here": (),
                "trials": finder.data(pages, self.repeat),
            }
            web_page.replace(path, self._render("finder.js", images, version, links, shared))
        other.unlink(missing_ok=True)
        return path

    def _write_pages(self, folder: Path, pages: Sequence[Sequence[Entry]], version: str) -> dict[str, str]:
        """The pages of transcripts; gives where each trial stands."""
        (folder / FOLDER).mkdir(exist_ok=True, mode=0o700)
        links = {}
        for number, page in enumerate(pages):
            data = {
                "filters": self._filters(page),
                "transcripts_here": self._texts(page),
                "number": number,
                "names": [Path(page_name(other)).name for other in range(len(pages))],
                "what": finder.page(number, page, self.names),
            }
            shown = web_page.render(
                "transcripts.html.j2",
                "report.js",
                study=self.study,
                version=version,
                key=page_data.KEY,
                **data,
            )
            web_page.replace(folder / page_name(number), shown)
            links.update({entry.trial: f"{page_name(number)}#trial-{entry.trial}" for entry in page})
        kept = {page_name(number) for number in range(len(pages))}
        for found in (folder / FOLDER).glob("*.html"):
            if f"{FOLDER}/{found.name}" not in kept:
                found.unlink()
        return links

    def _render(
        self, script: str, images: dict[str, str], version: str, links: dict[str, str], shared: dict[str, Any]
    ) -> Iterator[bytes]:
        """The report itself, in pieces."""
        from markupsafe import Markup

        board, study = self.board, self.study
        return web_page.render(
            "report.html.j2",
            script,
            study=study,
            board=board,
            version=version,
            headline=headline(board),
            cautions=[
                line for line in (caution(board), guarded(board), measurement.caution(self.card)) if line
            ],
            rows=[page_data.board_row(row, board) for row in board.rows],
            details=details(board),
            key=page_data.KEY,
            images={name: Markup(address) for name, address in images.items()},  # noqa: S704  our own figures
            worst=page_data.worst(self.families.cases(self.cells), self.cells, self.names, links),
            repeat=self.repeat,
            measurement=measurement.section(
                self.card,
                self.agreement,
                board,
                {key: self.names[index] for key, index in self.cells.items()},
                links,
            ),
            fidelity=fidelity.section(card_file.calibration(), self.lines.figures()),
            loop_gain=page_data.loop_gain(self.gains),
            shown_line=f"{counted(len(self.spool.entries), 'conversation')}, {self._replies()}.",
            unsure_line=f"the two channels disagreed on {self.unsure:,} of {self._replies()}.",
            only_reference=all(spec.is_reference for spec in study.targets),
            versions=page_data.versions(study, board, version),
            targets=[page_data.target(spec, self.returned.get(spec.label, set())) for spec in study.targets],
            status_line=self._status_line(),
            failures=[
                {
                    "status": s,
                    "target": t,
                    "reason": r,
                    "count": count,
                    "example": example,
                    "href": links[example],
                }
                for (s, t, r), (count, example) in sorted(self.failures.items())
            ],
            **shared,
        )

    def _texts(self, entries: Sequence[Entry]) -> Iterator[Any]:
        from markupsafe import Markup

        return (Markup(text) for text in self.spool.read(entries))  # noqa: S704  rendered with autoescape above

    def _filters(self, entries: Sequence[Entry]) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """What can be chosen among these conversations; a choice of one is none."""

        def same(values: Iterable[Any]) -> list[tuple[str, str]]:
            return [(str(value), str(value)) for value in values]

        cells = sorted({entry.cell for entry in entries})
        roles = {page_data.ROLES[entry.role] for entry in entries}
        seeds = sorted({entry.seed for entry in entries})
        found = {entry.status for entry in entries}
        choices = [
            ("cell", "Target", [(str(cell), self.names[cell]) for cell in cells if cell < len(self.names)]),
            ("persona", "Persona", same(sorted({entry.persona for entry in entries}))),
            ("role", "Role", same(role for role in page_data.ROLES if role in roles)),
            ("seed", self.repeat.capitalize(), same(seeds)),
            ("status", "Status", same(status for status in _STATUSES if status in found)),
        ]
        return [choice for choice in choices if choice[0] != "seed" or 1 < len(seeds) <= _SEEDS]

    def _replies(self) -> str:
        return counted(self.turns, "reply", "replies")

    def _status_line(self) -> str:
        counts = ", ".join(f"{self.statuses[status]:,} {status}" for status in _STATUSES)
        if not self.failures:
            return f"None: {counts}."
        return (
            f"{counts}. Limited and refused conversations count in the scores with their last state carried "
            "forward; failed ones enter no mean."
        )

"""The verb `read`: stance and drift in chats that already exist."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from echosim.cli.batch import Encoder, Json
from echosim.cli.output import say
from echosim.cli.reading_forms import Csv, Document, Form, Table
from echosim.errors import InputError, StorageError
from echosim.reporting.counted import counted

if TYPE_CHECKING:
    from echosim.interop.chat_stance import ReadChat, Subject, Totals
    from echosim.interop.chats import Survey
    from echosim.persona_records import Persona

_FORMS = (".svg", ".png")
_ENOUGH_FOR, _ENOUGH_AGAINST = 2, 3
"""Statements from which on single replies are read much better (analyses/LOG.md)."""
_ADVICE = (
    "single signs are right about three times in four at best: trust means. Statements help much: give 2 or "
    "more --affirming and 3 or more --denying, which best name the other explanation"
)
_STEPS = 10


def read(
    chats: Annotated[str, typer.Argument(metavar="CHATS", help="JSON Lines, one chat a line; - for stdin.")],
    claim: Annotated[
        str | None, typer.Option("--claim", metavar="TEXT", help="What stance is toward, one sentence.")
    ] = None,
    affirming: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Statement for it; may be repeated.")
    ] = None,
    denying: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Statement against it; may be repeated.")
    ] = None,
    persona: Annotated[
        str | None,
        typer.Option(metavar="FILE|NAME", help="Claim, evidence and calibration of a persona instead."),
    ] = None,
    replies: Annotated[bool, typer.Option("--replies", help="Each reply, too.")] = False,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw stance by reply as FILE.svg or FILE.png.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    encoder: Encoder = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="RFC 4180; a row a chat, or a reply.")] = False,
) -> None:
    """Read existing chats: stance by reply, and drift.

    A line is {"messages": [{"role": ..., "content": ...}, ...]} or the list alone. +1 affirms the claim,
    -1 denies it. Memory does not grow with the file.
    """
    from echosim.interop import chat_stance
    from echosim.interop import chats as parser
    from echosim.reading.embedding import load_encoder

    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other; choose one")
    speaker = _persona(persona, claim, affirming, denying)
    subject = _subject(claim, affirming or [], denying or []) if speaker is None else _of(speaker)
    if figure is not None:
        _check_figure(figure, chats)
    with _opened(chats) as (stream, name, survey):
        if speaker is None and _few(subject):
            say(_ADVICE)
        loaded = load_encoder(encoder)
        way = chat_stance.reads(subject, speaker, loaded)
        form = Document(subject, loaded.name) if as_json else Csv(replies) if as_csv else Table(replies)
        found = chat_stance.read_chats(parser.read(stream, name), way, loaded)
        totals, interrupted = _print(found, form, _Progress(survey, quiet))
    if interrupted:
        say(f"interrupted; what is printed are the first {counted(totals.chats, 'chat')}")
        raise typer.Exit(130)
    if figure is not None:
        _draw(figure, subject, totals)


def _print(found: Iterator[ReadChat], form: Form, progress: _Progress) -> tuple[Totals, bool]:
    """Print chat by chat; the totals, and whether somebody stopped it."""
    from echosim.interop.chat_stance import Totals

    totals = Totals()
    whole = interrupted = False
    try:
        for one in found:
            form.chat(one)
            totals.add(one)
            progress.tell(totals.chats)
        whole = True
    except KeyboardInterrupt:
        interrupted = True
    finally:
        # Also where a later line is no chat: what is out stays a whole document.
        if totals.chats or whole or interrupted:
            form.end(totals, whole)
    return totals, interrupted


# --- inside ---------------------------------------------------------------------------------


def _subject(claim: str | None, affirming: list[str], denying: list[str]) -> Subject:
    from echosim.interop.chat_stance import Subject

    if claim is None:
        raise InputError("what should stance be toward? give --claim TEXT or --persona FILE")
    _check_words({"--claim": [claim], "--affirming": affirming, "--denying": denying})
    return Subject(claim=claim, affirming=tuple(affirming), denying=tuple(denying))


def _few(subject: Subject) -> bool:
    """Too few statements for single replies to be read well."""
    return len(subject.affirming) < _ENOUGH_FOR or len(subject.denying) < _ENOUGH_AGAINST


def _persona(
    path: str | None, claim: str | None, affirming: list[str] | None, denying: list[str] | None
) -> Persona | None:
    """The persona that is named."""
    if path is None:
        return None
    if claim is not None or affirming or denying:
        raise InputError("--persona brings its own claim and statements; leave the others out")
    from echosim.inputs import personas

    return personas.load_persona(path)


def _of(speaker: Persona) -> Subject:
    from echosim.interop.chat_stance import Subject

    return Subject(
        claim=speaker.claim.text, affirming=speaker.affirming, denying=speaker.denying, persona=speaker.id
    )


def _check_words(given: Mapping[str, Sequence[str]]) -> None:
    """A statement of signs alone points nowhere, and stance toward nothing would still be a number."""
    for option, texts in given.items():
        for text in texts:
            if not re.search(r"\w", text):
                raise InputError(f"{option} {text!r}: has no words; write one sentence")


def _check_figure(path: Path, chats: str) -> None:
    """Before anything is read: an hour's reading should not end in a name that cannot be written.

    Raises:
        InputError: a name that no figure may have.
        StorageError: nothing can be written there.
    """
    if path.suffix.lower() not in _FORMS:
        raise InputError(f"--figure {path}: must end in {' or '.join(_FORMS)}")
    if not path.parent.is_dir():
        raise InputError(f"--figure {path}: there is no folder {path.parent}")
    if path.exists() and not path.is_file():
        raise InputError(f"--figure {path}: is no file; choose another name")
    if path.exists() and Path(chats).exists() and path.samefile(chats):
        raise InputError(f"--figure {path}: is the file of the chats; choose another name")
    try:
        with path.open("ab") if path.exists() else tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise StorageError(f"--figure {path}: cannot be written ({error.strerror})") from None


@contextmanager
def _opened(chats: str) -> Iterator[tuple[IO[bytes], str, Survey | None]]:
    """The stream at its start, its name in messages, and what it holds where that can be told before."""
    from echosim.interop.chats import survey

    if chats == "-":
        if sys.stdin is None:
            raise InputError("stdin is closed; name a file of JSON Lines")
        yield sys.stdin.buffer, "stdin", None
        return
    path = Path(chats)
    if path.is_dir():
        raise InputError(f"{chats}: is a folder; give one file of JSON Lines, or - for stdin")
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{chats}: no such file; give JSON Lines, or - for stdin") from None
    with stream:
        # A pipe can be read once only; its faults are found on the way.
        known = survey(stream, chats) if path.is_file() else None
        if known is not None:
            stream.seek(0)
        yield stream, chats, known


@dataclass
class _Progress:
    """A line on stderr every tenth of the way; at 1, 2, 4, 8, ... chats where the way is unknown."""

    survey: Survey | None
    quiet: bool
    _next: float = field(default=1, init=False)

    def tell(self, done: int) -> None:
        """So many chats are read."""
        if self.quiet or done < self._next:
            return
        if self.survey is None:
            self._next = 2 * done
            say(f"{counted(done, 'chat')} read")
        else:
            self._next = done + self.survey.chats / _STEPS
            say(f"{done:,} of {counted(self.survey.chats, 'chat')} read")


def _draw(path: Path, subject: Subject, totals: Totals) -> None:
    from echosim.reporting import figures

    drawn = figures.chats(totals.sample(), totals.points(), totals.stance.n, subject.claim)
    path.write_bytes(figures.svg(drawn) if path.suffix.lower() == ".svg" else figures.png(drawn))
    say(f"wrote {path}")

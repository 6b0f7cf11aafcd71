"""Is a run folder sound? Every page, every trial's turns, and what is left to do; changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal, get_args

from echosim.errors import EchosimError, StorageError
from echosim.inputs import frozen_study, plan
from echosim.records import Record, Status, Trial, Turn
from echosim.running import kept_replies, run_folder, run_lock, turn_rows
from echosim.running.doubt import in_doubt
from echosim.running.kept_replies import Kept
from echosim.study_records import Study


class Finding(Record):
    """One thing to know about a run folder."""

    kind: Literal["damage", "note"]
    where: str
    """File, table or trial."""
    what: str


class Examination(Record):
    """What was found in a run folder."""

    run: str
    sound: bool
    """False where something is damaged; notes change nothing about it."""
    findings: tuple[Finding, ...]


def examine(folder: Path, version: str | None = None) -> Examination:
    """Look at all that a run folder holds; works beside a process that writes it.

    Args:
        folder: the run folder.
        version: of this program, where another one may have made the run and named its trials otherwise.

    Raises:
        InputError: no run there, something else, or a run of a newer version.
        StorageError: the file cannot be opened.
    """
    writing = run_lock.is_held(folder)
    with closing(run_folder.connect_as_it_is(folder)) as database:
        findings = tuple(_findings(folder, database, writing, version))
    return Examination(run=str(folder), sound=all(one.kind == "note" for one in findings), findings=findings)


def _findings(
    folder: Path, database: sqlite3.Connection, writing: bool, version: str | None
) -> Iterator[Finding]:
    try:
        database.execute("BEGIN")  # one moment of a run that may be under way
        if run_folder.never_began(folder, database):
            yield _note("run.db", "its run never began; run it again")
            return
        run_folder.see_the_current(database)
    except run_folder.UNREADABLE as error:
        yield _damage("run.db", str(error))
        return
    parts = {
        "pages": _pages(database),
        "tables": _tables(folder, database),
        "facts": _facts(folder, database),
        "plan": _plan(database, version),
        "trials": _trials(database),
        "rows": _strays(database),
        "calls": _calls(database, writing),
        "ends": _ends(folder, database, writing),
    }
    for name, part in parts.items():
        try:
            yield from part
        except run_folder.UNREADABLE as error:
            yield _damage(name, f"cannot be read to the end: {_short(error)}")
    yield from _session(database, writing)


# --- the file -----------------------------------------------------------------------------------


def _pages(database: sqlite3.Connection) -> Iterator[Finding]:
    for (words,) in database.execute("PRAGMA integrity_check(20)"):
        if words != "ok":
            yield from (_damage("run.db", line) for line in words.splitlines() if not line.startswith("***"))


def _tables(folder: Path, database: sqlite3.Connection) -> Iterator[Finding]:
    try:
        found = run_folder.check_format(folder, database)
    except StorageError as error:
        yield _damage("run.db", str(error).partition(": ")[2])
        found = run_folder.FORMAT
    yield from (_damage("run.db", f"{part} is missing") for part in run_folder.missing_parts(database, found))
    if found < run_folder.FORMAT:
        yield _note("run.db", f"has format {found}; the next run brings it to {run_folder.FORMAT}")


def _facts(folder: Path, database: sqlite3.Connection) -> Iterator[Finding]:
    facts = dict(database.execute("SELECT key, value FROM meta"))
    yield from (_damage("meta", f"{key} is missing") for key in ("study", "reader") if key not in facts)
    text = facts.get("study")
    if text is None:
        return
    try:
        frozen_study.load_resolved(text)
    except StorageError as error:
        yield _damage("meta", f"study: {error}")
    copy = folder / run_folder.STUDY
    try:
        if copy.read_text(encoding="utf-8") != text:
            yield _note(
                run_folder.STUDY, "differs from the study in run.db, which counts; the next run rewrites it"
            )
    except FileNotFoundError:
        yield _note(
            run_folder.STUDY, "is missing; the study in run.db counts, and the next run writes it again"
        )
    except (OSError, UnicodeDecodeError) as error:
        yield _note(run_folder.STUDY, f"cannot be read ({error}); the study in run.db counts")


def study_of(database: sqlite3.Connection) -> Study | None:
    """The study of a run, or None where it cannot be read."""
    try:
        row = database.execute("SELECT value FROM meta WHERE key = 'study'").fetchone()
        return None if row is None else frozen_study.load_resolved(row[0])
    except (*run_folder.UNREADABLE, StorageError):
        return None


# --- the conversations --------------------------------------------------------------------------


def _plan(database: sqlite3.Connection, version: str | None) -> Iterator[Finding]:
    """The trials are those that the study means; an older version may have named them otherwise."""
    study = study_of(database)
    facts = dict(database.execute("SELECT key, value FROM meta"))
    if study is None or "reader" not in facts:
        return
    try:
        meant = {trial.id: trial for trial in plan.trials(study, facts["reader"])}
    except EchosimError as error:
        yield _damage("plan", str(error))
        return
    stored = dict(database.execute("SELECT id, record FROM trials"))
    made_by = facts.get("version", "").split(", ")
    if not meant.keys() & stored and version is not None and version not in made_by:
        yield _note("plan", "this version names the trials otherwise, so that it cannot resume this run")
        return
    for count, word in (
        (len(meant.keys() - stored), "are missing"),
        (len(stored.keys() - meant), "belong to no plan"),
    ):
        if count:
            yield _damage("trials", f"{count:,} of {len(meant):,} {word}")
    for name in meant.keys() & stored:
        if stored[name] != meant[name].model_dump_json():
            yield _damage(f"trial {name}", "is not the one that the study means")
    aside = database.execute("SELECT (SELECT count(*) FROM main.trials) - (SELECT count(*) FROM trials)")
    if kept := aside.fetchone()[0]:
        yield _note("trials", f"{kept:,} of earlier plans are kept; they stand on no board")


def _trials(database: sqlite3.Connection) -> Iterator[Finding]:
    undigested = 0
    for (name,) in database.execute("SELECT id FROM main.trials ORDER BY id").fetchall():
        try:
            row = database.execute(
                "SELECT record, start, status FROM main.trials WHERE id = ?", (name,)
            ).fetchone()
            trial = Trial.model_validate_json(row[0])
            rows = list(turn_rows.rows_of(database, name))
            undigested += sum(one[-1] is None for one in rows)
            turns = turn_rows.fold(row[1], rows)
        except turn_rows.DamagedError as damage:
            yield _damage(f"trial {name}", str(damage))
        except (*run_folder.UNREADABLE, ValueError, TypeError) as error:
            yield _damage(f"trial {name}", f"cannot be read: {_short(error)}")
        else:
            yield from (_damage(f"trial {name}", what) for what in _faults(trial, row[2], turns))
    if undigested:
        yield _note(
            "turns", f"{undigested:,} were written without a digest, so that a changed word is not noticed"
        )


def _faults(trial: Trial, status: str | None, turns: tuple[Turn, ...]) -> Iterator[str]:
    """What sound rows may not say together."""
    if status not in (None, *get_args(Status)):
        yield f"ended as {status!r}, which nothing does"
    if status == "complete" and len(turns) != trial.turns:
        yield f"is complete with {len(turns)} turns of {trial.turns}"
    if len(turns) > trial.turns:
        yield f"has {len(turns)} turns of {trial.turns}"
    for turn in turns:
        if turn.after_gap != (turn.index > 1 and (turn.index - 1) % trial.session_turns == 0):
            yield f"turn {turn.index}: a session begins where none should, or does not where one should"
        if not _follows(turn):
            yield f"turn {turn.index}: its state does not follow from the one before"


def _follows(turn: Turn) -> bool:
    """One reply counts once, and what was heard stays heard."""
    before, after = turn.before, turn.after
    counted = (after.n_plus - before.n_plus, after.n_minus - before.n_minus)
    return counted in ((0, 0), (1, 0), (0, 1)) and set(before.heard) <= set(after.heard)


def _strays(database: sqlite3.Connection) -> Iterator[Finding]:
    for table in ("turns", "readings", "scores", "replies"):
        query = f"SELECT count(*) FROM {table} WHERE trial NOT IN (SELECT id FROM main.trials)"  # noqa: S608 - constants
        if count := database.execute(query).fetchone()[0]:
            yield _damage(table, f"{count:,} belong to no trial")


# --- what is left to do -------------------------------------------------------------------------


def _calls(database: sqlite3.Connection, writing: bool) -> Iterator[Finding]:
    if writing:
        yield _note("calls", "the run is being written; calls under way are not judged")
        return
    study = study_of(database)
    prices = {} if study is None else {model.label: model.price for model in study.models}
    doubt = in_doubt(database, prices)
    if doubt.calls:
        yield _note("calls", str(doubt))
    rows = database.execute(kept_replies.OF_ALL).fetchall()
    if changed := sum(Kept.of(row) is None for row in rows):
        yield _damage("replies", f"{changed:,} of {len(rows):,} are not what was written: asked again")
    if sound := len(rows) - changed:
        yield _note("replies", f"{sound:,} were paid for and are in no turn yet; the next run has them")


def _ends(folder: Path, database: sqlite3.Connection, writing: bool) -> Iterator[Finding]:
    planned, ended, again = database.execute(
        "SELECT count(*), count(status), coalesce(sum(status IS NOT NULL AND resumable), 0) FROM trials"
    ).fetchone()
    if ended < planned:
        yield _note("trials", f"{planned - ended:,} of {planned:,} have not ended{_then(folder, writing)}")
    if again:
        yield _note("trials", f"{again:,} ended early and are taken up again by the next run")


def _then(folder: Path, writing: bool) -> str:
    if writing:
        return ""
    if not (folder / run_folder.STUDY).exists():
        return "; run it again to resume"
    return f"; `{run_folder.resume_command(folder)}` resumes"


def _session(database: sqlite3.Connection, writing: bool) -> Iterator[Finding]:
    try:
        row = database.execute("SELECT value FROM meta WHERE key = 'writer'").fetchone()
    except run_folder.UNREADABLE:
        return
    if writing:
        yield _note(run_folder.LOCK, f"the run is in use by {row[0] if row else 'another process'}")
    elif row:
        yield _note(run_folder.LOCK, f"the last session, {row[0]}, was cut off; its finished turns are kept")


def _short(error: Exception) -> str:
    """Its first line, without the text that could not be decoded."""
    return str(error).partition("\n")[0].partition(" with text ")[0]


def _damage(where: str, what: str) -> Finding:
    return Finding(kind="damage", where=where, what=what)


def _note(where: str, what: str) -> Finding:
    return Finding(kind="note", where=where, what=what)

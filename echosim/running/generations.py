"""Plans of one run folder: the one it has, and the ones it had before somebody agreed to a change.

A trial that the new plan has too is the same conversation (its id is a hash of all that can change it) and
goes on from where it is. All others stay as they are, under the number of the last plan that had them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from echosim.errors import InputError
from echosim.records import Trial
from echosim.running import run_folder

_KEPT = ("study", "reader", "encoder", "version", "date")
"""What is remembered of an earlier plan."""


def begin(database: sqlite3.Connection, trials: Sequence[Trial], facts: Mapping[str, str]) -> None:
    """The first plan of a new run; to be called inside a transaction."""
    _plan(database, 1, trials)
    _put(database, facts)


def go_on(
    folder: Path,
    database: sqlite3.Connection,
    study: str,
    trials: Sequence[Trial],
    facts: Mapping[str, str],
    changed: Callable[[str], Sequence[str]],
    allow_change: bool,
) -> None:
    """Take up a run, under the plan that it has or, where that is allowed, a new one; inside a transaction.

    Args:
        folder: the run folder, for messages.
        database: of the run.
        study: text of the study as it is now.
        trials: its trials.
        facts: of now: "reader", "encoder", "version".
        changed: given the study of the run, the fields that differ and matter.
        allow_change: begin a new generation where the plan is another one.

    Raises:
        InputError: the plan is another one and no change is allowed.
    """
    before = dict(database.execute("SELECT key, value FROM meta"))
    fields = list(changed(before["study"])) if before["study"] != study else []
    query = f"SELECT id FROM trials WHERE generation = {run_folder.CURRENT}"  # noqa: S608 - constants
    same_plan = {row[0] for row in database.execute(query)} == {trial.id for trial in trials}
    if same_plan and not fields:
        _put(database, {"version": versions(before.get("version", ""), facts.get("version", ""))})
        return
    if not allow_change:
        raise InputError(_refusal(folder, before, facts, fields))
    number = int(before.get("generation", "1"))
    past = json.dumps({key: before[key] for key in _KEPT if key in before})
    database.execute("INSERT INTO past VALUES (?, ?)", (number, past))
    _plan(database, number + 1, trials)
    _put(database, {**facts, "generation": str(number + 1)})


def _plan(database: sqlite3.Connection, generation: int, trials: Sequence[Trial]) -> None:
    rows = ((trial.id, place, trial.model_dump_json(), generation) for place, trial in enumerate(trials))
    database.executemany(
        "INSERT INTO trials (id, place, record, generation) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
        "SET place = excluded.place, record = excluded.record, generation = excluded.generation",
        rows,
    )


def _put(database: sqlite3.Connection, facts: Mapping[str, str]) -> None:
    database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", facts.items())


def versions(*facts: str) -> str:
    """Versions that held parts of a run, in the order in which they came."""
    return ", ".join(dict.fromkeys(version for fact in facts for version in fact.split(", ") if version))


def _refusal(folder: Path, before: Mapping[str, str], facts: Mapping[str, str], fields: Sequence[str]) -> str:
    out = "or go on with --allow-change: what the new plan does not have is kept and stands on no board"
    if fields:
        return (
            f"{folder}: the study has changed since this run began ({', '.join(fields)}); "
            f"undo that to resume, give another folder, {out}"
        )
    then = {key: before.get(key, "none") for key in facts}
    differ = [f"{key} {then[key]} then, {now} now" for key, now in facts.items() if then[key] != now]
    return (
        f"{folder}: this run was begun otherwise ({'; '.join(differ) or 'plan differs'}), and a run is "
        "never mixed; give another folder (show, score, leaderboard and report still work on this one), "
        f"{out}"
    )

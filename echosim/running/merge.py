"""Shards of a study, held apart, as one run; a trial is known by its id, a hash of its content."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from echosim.errors import InputError, StorageError
from echosim.inputs import frozen_study, plan
from echosim.inputs.union import united
from echosim.records import Record, Trial, Turn
from echosim.running import kept_replies, run_folder, run_lock, turn_rows
from echosim.running.generations import versions
from echosim.running.new_run import CALL_COLUMNS, READING_COLUMNS, HeldTrial, check_free, new_run
from echosim.running.stored_run import damaged

_SAME = ("format", "reader", "encoder")
_SHOWN = 8
"""Conflicts that are named."""
_TRIAL = "SELECT start, status, reason, resumable, returned_model FROM trials WHERE id = ?"

_CALLS = f"SELECT {CALL_COLUMNS} FROM calls ORDER BY number"  # noqa: S608 - constants
_READINGS = f"SELECT {READING_COLUMNS} FROM readings WHERE trial IN (SELECT id FROM trials)"  # noqa: S608


class Merged(Record):
    """What a merge has made."""

    out: str
    runs: tuple[str, ...]
    trials: int
    """Of the merged study."""
    held: int
    """Of these, trials that a shard has planned."""
    unfinished: int
    """Of these, trials that have ended in no shard; `echosim run` goes on with them."""
    twice: int
    """Of these, trials that more than one shard had; kept once."""
    absent: int
    """Trials of the merged study that are in no shard; `echosim run` holds them."""
    calls: int


@dataclass(frozen=True, slots=True)
class _Shard:
    """One run folder, open for reading."""

    folder: Path
    database: sqlite3.Connection
    facts: Mapping[str, str]

    def rows(self, query: str, *values: str) -> Iterator[Any]:
        """What a query gives; trouble with reading names this shard."""
        try:
            yield from self.database.execute(query, values)
        except run_folder.UNREADABLE as error:
            raise run_folder.trouble(self.folder, error) from error


def merge(out: Path, folders: Sequence[Path]) -> Merged:
    """Make one run of shards.

    Args:
        out: the new run folder.
        folders: runs of parts of one study: other personas, targets, arms, users or seeds.

    Raises:
        InputError: no run there; no shards of one study, with the fields that differ; the same trial went
            differently in two of them, with both places; `out` is taken.
        StorageError: a shard is damaged or is being written, or `out` cannot be written.
    """
    check_free(out)
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InputError("the same run is given twice; name each shard once")
    with ExitStack() as open_files:
        shards = [_open(folder, open_files) for folder in folders]
        _check_same(shards)
        study = united(
            [
                (str(one.folder), frozen_study.load_resolved(one.facts["study"], str(one.folder)))
                for one in shards
            ]
        )
        planned = plan.trials(study, shards[0].facts["reader"])
        places = _places(shards, planned)
        chosen = {name: _chosen(name, where) for name, where in places.items()}
        _refuse(conflict for conflict in chosen.values() if isinstance(conflict, str))
        with new_run(out, frozen_study.dump(study), _facts(shards)) as made:
            unfinished = 0
            for place, trial in enumerate(planned):
                shard = chosen.get(trial.id)
                held = _held(trial, shard if isinstance(shard, _Shard) else None)
                made.add_trial(place, held)
                if isinstance(shard, _Shard):
                    made.add_replies(shard.rows(kept_replies.OF_TRIAL, trial.id))
                unfinished += held.status is None and shard is not None
            calls = 0
            for shard in shards:
                calls += next(shard.rows("SELECT count(*) FROM calls"))[0]
                made.add_calls(shard.rows(_CALLS))
                made.add_readings(shard.rows(_READINGS))
    return Merged(
        out=str(out),
        runs=tuple(map(str, folders)),
        trials=len(planned),
        held=len(places),
        unfinished=unfinished,
        twice=sum(len(where) > 1 for where in places.values()),
        absent=len(planned) - len(places),
        calls=calls,
    )


def _open(folder: Path, open_files: ExitStack) -> _Shard:
    database = open_files.enter_context(closing(run_folder.connect_to_read(folder)))
    database.execute("BEGIN")  # one moment, even if somebody resumes the run meanwhile
    facts = dict(database.execute("SELECT key, value FROM meta"))
    for key in ("study", "reader"):
        if key not in facts:
            raise damaged(folder, "meta", f"{key} is missing")
    if run_lock.is_held(folder):
        writer = facts.get("writer", "another process")
        raise StorageError(f"{folder}: run is in use by {writer}; wait for it or stop it")
    return _Shard(folder, database, facts)


def _check_same(shards: Sequence[_Shard]) -> None:
    first = shards[0]
    differ = [
        f"{key}: {mine} in {first.folder}, {theirs} in {other.folder}"
        for other in shards[1:]
        for key in _SAME
        if (mine := first.facts.get(key, "none")) != (theirs := other.facts.get(key, "none"))
    ]
    if differ:
        older = differ[0].startswith("format: ")
        hint = "; `echosim score RUN` brings an older format up to date" if older else ""
        raise InputError(f"these runs cannot be one: {'; '.join(differ)}{hint}")


def _places(shards: Sequence[_Shard], planned: Sequence[Trial]) -> dict[str, list[_Shard]]:
    """Shards by trial."""
    known = {trial.id for trial in planned}
    places: dict[str, list[_Shard]] = {}
    for shard in shards:
        for (name,) in shard.rows("SELECT id FROM trials ORDER BY id"):
            if name not in known:
                version = shard.facts.get("version", "unknown")
                raise InputError(
                    f"{shard.folder}: version {version} made it and names trials otherwise than this one; "
                    "merge it with that version"
                )
            places.setdefault(name, []).append(shard)
    return places


def _chosen(name: str, where: Sequence[_Shard]) -> _Shard | str:
    """The shard that has got furthest with a trial, or in which way two shards contradict each other."""
    best = where[0]
    if len(where) == 1:
        return best
    turns, ending = _turns(best, name), _ending(best, name)
    for other in where[1:]:
        others, its_ending = _turns(other, name), _ending(other, name)
        for one, two in zip(turns, others, strict=False):
            if one != two:
                return f"trial {name}, turn {one.index}: {best.folder} and {other.folder} differ"
        mine, theirs = (ending, len(turns)), (its_ending, len(others))
        if mine != theirs and _goes_beyond(mine, theirs):
            return (
                f"trial {name}: {ending or 'open'} after {len(turns)} turns in {best.folder}, "
                f"{its_ending or 'open'} after {len(others)} in {other.folder}"
            )
        if (its_ending is not None, len(others)) > (ending is not None, len(turns)):
            best, turns, ending = other, others, its_ending
    return best


def _goes_beyond(one: tuple[str | None, int], two: tuple[str | None, int]) -> bool:
    """True where a trial has ended in one shard and yet went on, or ended, otherwise in the other."""
    if one[0] is not None and two[0] is not None:
        return True
    return (one[0] is not None and two[1] > one[1]) or (two[0] is not None and one[1] > two[1])


def _turns(shard: _Shard, name: str) -> tuple[Turn, ...]:
    """What was said, whichever version wrote it."""
    (start,) = next(shard.rows("SELECT start FROM trials WHERE id = ?", name))
    try:
        return turn_rows.fold(start, shard.rows(turn_rows.OF_TRIAL, name))
    except turn_rows.DamagedError as damage:
        raise damaged(shard.folder, f"trial {name}", str(damage)) from damage


def _ending(shard: _Shard, name: str) -> str | None:
    """The status of a trial that is not to be taken up again."""
    row = next(shard.rows("SELECT status FROM trials WHERE id = ? AND NOT resumable", name), None)
    return None if row is None else row[0]


def _refuse(conflicts: Iterator[str]) -> None:
    found = list(conflicts)
    if found:
        more = f"; and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
        raise InputError(f"the same trial went differently: {'; '.join(found[:_SHOWN])}{more}")


def _held(trial: Trial, shard: _Shard | None) -> HeldTrial:
    if shard is None:
        return HeldTrial(trial, None, None, None, True, None, (), 1)
    start, status, reason, resumable, returned_model = next(shard.rows(_TRIAL, trial.id))
    rows = tuple(shard.rows(turn_rows.OF_TRIAL, trial.id))
    try:
        turn_rows.check(start, rows)
    except turn_rows.DamagedError as damage:
        raise damaged(shard.folder, f"trial {trial.id}", str(damage)) from damage
    return HeldTrial(trial, start, status, reason, bool(resumable), returned_model, rows, 1)


def _facts(shards: Sequence[_Shard]) -> dict[str, str]:
    """What is known of the merged run: the day of its last turn, all versions, all channels."""
    first = shards[0].facts
    facts = {key: first[key] for key in ("reader", "encoder") if key in first}
    told = [shard.facts for shard in shards]
    if named := versions(*(one["version"] for one in told if "version" in one)):
        facts["version"] = named
    if dates := [one["date"] for one in told if "date" in one]:
        facts["date"] = max(dates)
    if channels := _channels(one["channels"] for one in told if "channels" in one):
        facts["channels"] = json.dumps(channels)
    return facts


def _channels(lists: Iterator[str]) -> list[dict[str, Any]]:
    """Other channels that have read some of the trials, the latest word on each."""
    latest: dict[str, dict[str, Any]] = {}
    for text in lists:
        for one in json.loads(text):
            before = latest.setdefault(one["identity"], one)
            if one.get("date", "") > before.get("date", ""):
                latest[one["identity"]] = one
    return sorted(latest.values(), key=lambda one: (one.get("name", ""), one["identity"]))

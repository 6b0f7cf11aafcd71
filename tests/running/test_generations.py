"""A changed study on a run that is there: refused by default, never mixed when allowed."""

import asyncio
import json

import cast
import pytest

from echosim.errors import InputError
from echosim.running.batch import run_trials
from echosim.running.store import open_run
from echosim.running.stored_run import StoredRun

STUDY = cast.study("echosim/corrector", "echosim/sycophant", turns=2, seeds=(1, 2))


def held(folder, study, changed=("seeds",)):
    """Hold a study in a folder where a change is allowed."""
    trials = cast.planned(study)
    facts = {"reader": cast.HashReader.identity, "version": "1"}
    with open_run(
        folder, study.model_dump_json(), trials, facts, lambda _: changed, allow_change=True
    ) as store:
        return asyncio.run(run_trials(study, trials, store, cast.HashReader()))


def ids(study):
    return {trial.id for trial in cast.planned(study)}


def test_a_changed_study_is_refused_with_its_fields_and_changed_limits_are_not(tmp_path):
    trials = cast.planned(STUDY)
    cast.opened(tmp_path, STUDY).close()
    asked = []

    def changed(before):
        asked.append(before)
        return ["turns", "targets.corrector.temperature"]

    facts = {"reader": "hash-reader"}
    with pytest.raises(InputError, match=r"has changed .*\(turns, targets\.corrector\.temperature\)") as no:
        open_run(tmp_path, "other text", trials, facts, changed)
    assert "--allow-change" in str(no.value)
    assert asked == [STUDY.model_dump_json()]
    open_run(tmp_path, "new limits", trials, facts, lambda _: []).close()
    with StoredRun(tmp_path) as run:
        assert run.study == "new limits"
    with pytest.raises(InputError, match="reader hash-reader then, other now"):
        open_run(tmp_path, "new limits", trials[:2], {"reader": "other"}, changed)


def test_a_new_generation_keeps_what_both_plans_have_and_shows_nothing_else(tmp_path):
    asyncio.run(cast.held(tmp_path, STUDY))
    with StoredRun(tmp_path) as run:
        before = {one.trial.id: one for one in run.transcripts()}
    changed = STUDY.model_copy(update={"seeds": (2, 3), "name": "newer"})
    assert ids(STUDY) & ids(changed)
    summary = held(tmp_path, changed)
    assert (summary.planned, summary.complete) == (4, 4)
    with StoredRun(tmp_path) as run:
        assert {one.trial.id for one in run.transcripts()} == ids(changed)
        assert run.counts()["planned"] == run.counts()["complete"] == 4
        assert run.aside() == 2
        assert run.facts()["generation"] == "2"
        for name in ids(STUDY) & ids(changed):
            assert run.transcript(name) == before[name]
        with pytest.raises(InputError, match="no trial begins"):
            run.transcript(next(iter(ids(STUDY) - ids(changed))))
        assert [trial.place for trial in places(run)] == [0, 1, 2, 3]
    asyncio.run(cast.held(tmp_path / "fresh", changed))
    assert cast.rows(tmp_path) == cast.rows(tmp_path / "fresh")


def places(run):
    from collections import namedtuple

    rows = run._rows("SELECT id, place FROM trials ORDER BY place")
    return [namedtuple("Place", "id place")(*row) for row in rows]


def test_back_to_the_first_plan_nothing_is_held_twice(tmp_path):
    first = held(tmp_path, STUDY)
    held(tmp_path, STUDY.model_copy(update={"seeds": (3,)}))
    with StoredRun(tmp_path) as run:
        assert (run.counts()["planned"], run.aside()) == (2, 4)
        past = run._rows("SELECT generation, facts FROM past")
        assert [(number, json.loads(facts)["study"]) for number, facts in past] == [
            (1, STUDY.model_dump_json())
        ]
    told = []
    with open_run(
        tmp_path,
        STUDY.model_dump_json(),
        cast.planned(STUDY),
        {"reader": "hash-reader"},
        lambda _: ["seeds"],
        allow_change=True,
    ) as store:
        again = asyncio.run(run_trials(STUDY, cast.planned(STUDY), store, cast.HashReader(), told.append))
    assert told == []
    assert (again.planned, again.complete) == (first.planned, first.complete)
    with StoredRun(tmp_path) as run:
        assert (run.facts()["generation"], run.aside()) == ("3", 2)


def test_an_unfinished_trial_of_both_plans_goes_on_from_where_it_is(tmp_path):
    asyncio.run(cast.held(tmp_path / "whole", STUDY))
    with StoredRun(tmp_path / "whole") as run:
        turns = {one.trial.id: one.turns for one in run.transcripts()}
    trial = cast.planned(STUDY)[0].id
    with cast.opened(tmp_path / "cut", STUDY) as store:
        asyncio.run(store.append(trial, turns[trial][0]))
    told = []
    changed = STUDY.model_copy(update={"seeds": (1,)})
    with open_run(
        tmp_path / "cut", "x", cast.planned(changed), {}, lambda _: ["seeds"], allow_change=True
    ) as store:
        asyncio.run(run_trials(changed, cast.planned(changed), store, cast.HashReader(), told.append))
    assert told[-1].turns == 3
    with StoredRun(tmp_path / "cut") as run:
        assert all(run.transcript(name).turns == turns[name] for name in ids(changed))


def test_versions_that_held_a_run_are_all_named(tmp_path):
    for version in ("1.0", "1.1", "1.0"):
        open_run(
            tmp_path, "x", cast.planned(STUDY), {"reader": "r", "version": version}, lambda _: []
        ).close()
    with StoredRun(tmp_path) as run:
        assert run.facts()["version"] == "1.0, 1.1"
        assert run.facts()["reader"] == "r"

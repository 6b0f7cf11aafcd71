"""Shards become one run, equal to the run that was never cut up; what contradicts itself is refused."""

import asyncio
import io
import json

import cast
import pytest

from echosim import boards
from echosim.errors import InputError, StorageError
from echosim.held_run import Run
from echosim.inputs import frozen_study
from echosim.interop import jsonl
from echosim.reporting import tables
from echosim.running import doctor
from echosim.running.batch import run_trials
from echosim.running.budget import Call, Spent
from echosim.running.merge import merge
from echosim.running.outcomes import Attempt
from echosim.running.store import open_run, reopen
from echosim.running.stored_run import StoredRun
from tests.running.test_doctor import changed
from tests.running.test_run_folder import as_format

FACTS = {"reader": "hash-reader", "encoder": "none", "version": "1"}
PEOPLE = tuple(cast.persona(name) for name in ("tin-roof", "slate-roof"))
WHOLE = cast.study(
    "echosim/corrector", "echosim/sycophant", turns=3, seeds=(1, 2, 3), personas=PEOPLE
)  # fmt: skip


def part(**fields):
    return WHOLE.model_copy(update=fields)


def opened(folder, study, facts=FACTS):
    return open_run(folder, frozen_study.dump(study), cast.planned(study), facts, lambda _: ["seeds"])


def held(folder, study, facts=FACTS):
    with opened(folder, study, facts) as store:
        asyncio.run(run_trials(study, cast.planned(study), store, cast.HashReader()))
    return folder


def exported(folder):
    stream = io.StringIO()
    jsonl.export(Run(folder).trials(), stream)
    return stream.getvalue()


CUTS = {
    "seeds": [{"seeds": (1,)}, {"seeds": (2, 3)}],
    "targets": [{"targets": (one,)} for one in WHOLE.targets],
    "personas": [{"personas": (one,)} for one in PEOPLE],
    "overlapping": [{"seeds": (1, 2)}, {"seeds": (2, 3)}],
    "one": [{}],
}


@pytest.mark.parametrize("cut", CUTS)
def test_merged_is_as_if_never_cut_up(tmp_path, cut):
    whole = held(tmp_path / "whole", WHOLE)
    shards = [held(tmp_path / f"{n}", part(**fields)) for n, fields in enumerate(CUTS[cut])]
    merged = merge(tmp_path / "out", shards)
    assert (merged.trials, merged.held, merged.unfinished, merged.absent) == (12, 12, 0, 0)
    assert merged.twice == (4 if cut == "overlapping" else 0)
    assert exported(tmp_path / "out") == exported(whole)
    assert cast.rows(tmp_path / "out") == cast.rows(whole)
    out, one = Run(tmp_path / "out"), Run(whole)
    assert out.study == one.study
    assert out.summary == one.summary
    for form in (tables.json_text, tables.csv_text, tables.markdown, tables.terminal):
        assert form(boards.leaderboard(out)) == form(boards.leaderboard(one))
    assert boards.curves(out) == boards.curves(one)
    assert doctor.examine(tmp_path / "out") == doctor.Examination(
        run=str(tmp_path / "out"), sound=True, findings=()
    )
    with opened(tmp_path / "out", WHOLE) as store:
        told = []
        asyncio.run(run_trials(WHOLE, cast.planned(WHOLE), store, cast.HashReader(), told.append))
    assert told == []


@pytest.mark.slow
def test_the_report_of_merged_shards_is_the_same_to_the_byte(tmp_path):
    from echosim import api

    held(tmp_path / "whole", WHOLE)
    shards = [held(tmp_path / str(n), part(**fields)) for n, fields in enumerate(CUTS["seeds"])]
    merge(tmp_path / "out", shards)
    pages = [api.report(Run(tmp_path / name), tmp_path / f"report-{name}") for name in ("whole", "out")]
    one, two = (
        {
            path.relative_to(page.parent): path.read_bytes()
            for path in page.parent.rglob("*")
            if path.is_file()
        }
        for page in pages
    )
    assert one == two


def test_what_no_shard_has_is_held_by_the_next_run(tmp_path):
    whole = held(tmp_path / "whole", WHOLE)
    shards = [
        held(tmp_path / "a", part(seeds=(1,), personas=PEOPLE[:1])),
        held(tmp_path / "b", part(seeds=(2, 3), personas=PEOPLE[1:])),
    ]
    merged = merge(tmp_path / "out", shards)
    assert (merged.trials, merged.held, merged.absent) == (12, 6, 6)
    assert Run(tmp_path / "out").summary.unfinished == 6
    held(tmp_path / "out", WHOLE)
    assert exported(tmp_path / "out") == exported(whole)


def cut_short(folder, study, whole, turns=1, status=None):
    """A shard whose first trial has got so far."""
    trial = cast.planned(study)[0].id
    with StoredRun(whole) as run:
        known = run.transcript(trial).turns
    with opened(folder, study) as store:

        async def scene():
            for turn in known[:turns]:
                await store.append(trial, turn)
            if status:
                await store.finish(trial, status, "why")

        asyncio.run(scene())
    return folder


def test_of_two_the_one_that_got_further_is_kept(tmp_path):
    whole = held(tmp_path / "whole", WHOLE)
    short = cut_short(tmp_path / "short", part(seeds=(1,)), whole)
    for n, order in enumerate(([short, whole], [whole, short])):
        merged = merge(tmp_path / f"out{n}", order)
        assert (merged.twice, merged.absent) == (4, 0)
        assert cast.rows(tmp_path / f"out{n}") == cast.rows(whole)


def test_turns_that_an_older_version_wrote_are_the_same_turns(tmp_path):
    a, b = (held(tmp_path / name, part(seeds=(1,))) for name in "ab")
    as_format(3, b)
    reopen(b).close()
    assert merge(tmp_path / "out", [b, a]).twice == 4
    assert cast.rows(tmp_path / "out") == cast.rows(a)


def test_one_trial_that_went_differently_is_refused_with_both_places(tmp_path):
    a, b = (held(tmp_path / name, part(seeds=(1,))) for name in "ab")
    trial = cast.planned(part(seeds=(1,)))[0].id
    changed(b, f"UPDATE turns SET reply = 'other', digest = NULL WHERE trial = '{trial}' AND number = 2")
    with pytest.raises(InputError, match=rf"trial {trial}, turn 2: .*/a and .*/b differ") as caught:
        merge(tmp_path / "out", [a, b])
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out").exists()
    whole = held(tmp_path / "whole", WHOLE)
    refused = cut_short(tmp_path / "refused", part(seeds=(1,)), whole, 2, "refused")
    with pytest.raises(InputError, match=r"complete after 3 turns in .*whole, refused after 2 in .*refused"):
        merge(tmp_path / "out", [whole, refused])
    changed(b, "UPDATE turns SET reply = 'other', digest = NULL")
    with pytest.raises(InputError, match="went differently") as caught:
        merge(tmp_path / "out", [whole, b])
    assert str(caught.value).count("turn 1") == 4


def test_calls_and_doubts_are_carried_over(tmp_path):
    shards = []
    for n, seeds in enumerate(((1,), (2, 3))):
        shards.append(held(tmp_path / str(n), part(seeds=seeds)))
        with opened(shards[-1], part(seeds=seeds)) as store:

            async def scene(store):
                number = await store.intend(Call("t", "corrector", 1, 1, "hash", Spent(1, 100, 50, 0)))
                await store.settle(number, Attempt("ok", text="x"), Spent(1, 10, 5, 0), estimated=False)
                await store.intend(Call("t", "corrector", 2, 1, "hash", Spent(1, 100, 50, 0)))

            asyncio.run(scene(store))
    assert merge(tmp_path / "out", shards).calls == 4
    with StoredRun(tmp_path / "out") as run:
        assert run.in_doubt({}).calls == 2
        assert run.spent({"corrector": None}) == Spent(4, 220, 110, 0)


def test_facts_of_all_shards_are_kept(tmp_path):
    a = held(tmp_path / "a", part(seeds=(1,)), {**FACTS, "version": "1"})
    b = held(tmp_path / "b", part(seeds=(2, 3)), {**FACTS, "version": "2"})
    channel = {"identity": "judge-1", "name": "m", "kind": "judge", "date": "2026-01-01"}
    for folder, day in ((a, "2026-01-02"), (b, "2026-01-05")):
        text = json.dumps([{**channel, "date": day}])
        changed(
            folder,
            f"INSERT OR REPLACE INTO meta VALUES ('date', '{day}')",
            f"INSERT INTO meta VALUES ('channels', '{text}')",
        )
    changed(
        a, f"INSERT INTO readings VALUES ('{cast.planned(part(seeds=(1,)))[0].id}', 1, 'judge-1', '{{}}')"
    )
    merge(tmp_path / "out", [a, b])
    with StoredRun(tmp_path / "out") as run:
        facts = run.facts()
        assert (facts["version"], facts["date"]) == ("1, 2", "2026-01-05")
        assert json.loads(facts["channels"]) == [{**channel, "date": "2026-01-05"}]
        assert run._rows("SELECT count(*) FROM readings") == [(1,)]
    assert doctor.examine(tmp_path / "out").sound


def test_a_run_that_is_being_written_is_refused(tmp_path):
    a, b = held(tmp_path / "a", part(seeds=(1,))), tmp_path / "b"
    with (
        opened(b, part(seeds=(2, 3))),
        pytest.raises(StorageError, match=r"b: run is in use by pid") as caught,
    ):
        merge(tmp_path / "out", [a, b])
    assert caught.value.exit_code == 4
    assert not (tmp_path / "out").exists()
    merged = merge(tmp_path / "out", [a, b])
    assert (merged.held, merged.unfinished, merged.absent) == (12, 8, 0)


def test_runs_that_are_no_shards_of_one_study(tmp_path):
    a = held(tmp_path / "a", part(seeds=(1,)))
    other = held(tmp_path / "other", part(seeds=(2,), turns=2))
    with pytest.raises(InputError, match=r"turns: 3 in .*/a, 2 in .*/other"):
        merge(tmp_path / "out", [a, other])
    encoder = held(tmp_path / "encoder", part(seeds=(2,)), {**FACTS, "encoder": "another"})
    with pytest.raises(InputError, match=r"encoder: none in .*/a, another in .*/encoder"):
        merge(tmp_path / "out", [a, encoder])
    changed(encoder, "UPDATE meta SET value = '2' WHERE key = 'format'")
    said = r"format: 5 in .*/a, 2 in .*/encoder; encoder: .*; `echosim score RUN` "
    with pytest.raises(InputError, match=said):
        merge(tmp_path / "out", [a, encoder])
    with pytest.raises(InputError, match="given twice"):
        merge(tmp_path / "out", [a, tmp_path / "." / "a"])
    with pytest.raises(InputError, match="no run there"):
        merge(tmp_path / "out", [a, tmp_path / "nowhere"])
    with pytest.raises(InputError, match="holds a run already"):
        merge(a, [other])
    assert not (tmp_path / "out").exists()


def test_a_damaged_shard_is_refused_and_nothing_is_left(tmp_path):
    a, b = held(tmp_path / "a", part(seeds=(1,))), held(tmp_path / "b", part(seeds=(2, 3)))
    changed(b, "UPDATE turns SET reply = 'other' WHERE number = 2")
    with pytest.raises(StorageError, match=r"b/run\.db: trial .*turn 2 is not what was written"):
        merge(tmp_path / "out", [a, b])
    with pytest.raises(InputError, match="never began"):
        Run(tmp_path / "out")
    changed(b, "DROP TABLE turns")
    with pytest.raises(StorageError, match=r"b/run\.db: no such table"):
        merge(tmp_path / "out", [a, b])
    held(tmp_path / "c", part(seeds=(2, 3)))
    assert merge(tmp_path / "out", [a, tmp_path / "c"]).held == 12


def test_trials_of_an_earlier_plan_stay_behind(tmp_path):
    a = held(tmp_path / "a", part(seeds=(1, 2)))
    study = part(seeds=(1,))
    text, trials = frozen_study.dump(study), cast.planned(study)
    open_run(a, text, trials, FACTS, lambda _: ["seeds"], allow_change=True).close()
    merged = merge(tmp_path / "out", [a])
    assert (merged.trials, merged.held) == (4, 4)
    assert Run(tmp_path / "out").study.seeds == (1,)

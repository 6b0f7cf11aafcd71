"""A study that asks for many different people of one claim."""

import warnings

import cast
import pytest

from echosim.belief import population
from echosim.errors import StudyError
from echosim.inputs.forecast import forecast
from echosim.inputs.study import load_study
from echosim.running.batch import run_trials
from echosim.running.stored_run import StoredRun


def people(n, **fields):
    return cast.study("echosim/corrector", "echosim/sycophant", turns=2, **fields).model_copy(
        update={"population": n}
    )


def starts(folder):
    with StoredRun(folder) as run:
        return {(one.trial.target, one.trial.seed): one.turns[0].before for one in run.transcripts()}


def test_each_seed_is_another_person_and_every_target_meets_all_of_them(tmp_path, do):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        do(cast.held(tmp_path, people(5)))
    found = starts(tmp_path)
    assert set(found) == {(target, n) for target in ("corrector", "sycophant") for n in range(1, 6)}
    for n in range(1, 6):
        assert found["corrector", n] == found["sycophant", n]
        drawn = population.person(cast.persona().family, n)
        assert found["corrector", n].trust == pytest.approx(drawn.trust, abs=0.25)
    assert len({found["corrector", n].trust for n in range(1, 6)}) == 5


def test_a_larger_population_begins_with_the_same_people(tmp_path, do):
    do(cast.held(tmp_path / "five", people(5)))
    do(cast.held(tmp_path / "seven", people(7)))
    assert set(cast.rows(tmp_path / "five")) < set(cast.rows(tmp_path / "seven"))


def test_people_of_a_population_are_not_the_personas_own_repeats():
    alike = cast.study("echosim/corrector", "echosim/sycophant", turns=2, seeds=(1, 2, 3, 4, 5))
    ids = {trial.id for trial in cast.planned(alike)}
    assert ids.isdisjoint(trial.id for trial in cast.planned(people(5)))


def test_the_forecast_counts_people():
    made = forecast(people(200))
    assert (made.trials, made.replies) == (400, 800)


def test_seeds_and_population_exclude_each_other(tmp_path):
    path = tmp_path / "study.yaml"
    text = "format: 1\nname: crowd\npersonas: [flat-earth]\ntargets: [echosim/hedger]\npopulation: 200\n"
    path.write_text(text)
    assert load_study(path).everybody == tuple(range(1, 201))
    path.write_text(text + "seeds: [1]\n")
    with pytest.raises(StudyError, match=r":5: population: takes the place of seeds"):
        load_study(path)


def test_one_calibration_serves_the_whole_population(tmp_path, do):
    seen = set()

    class Reader(cast.HashReader):
        async def read(self, persona, user, reply, side=1):
            seen.add(persona.model_dump_json())
            return await super().read(persona, user, reply, side)

    study = people(4)

    async def scene():
        with cast.opened(tmp_path, study) as store:
            await run_trials(study, cast.planned(study), store, Reader())

    do(scene())
    assert seen == {cast.persona().model_dump_json()}

import cast
import fake_server as fake
import pytest

from echosim.errors import InputError, StudyError
from echosim.inputs.study import load_study
from echosim.running import recordings
from echosim.running.stored_run import StoredRun
from echosim.scoring.series import course, heard, nudged
from echosim.study_records import ReplaySource, UserSpec


def replay(folder, label="replay", **source):
    return UserSpec(engine="replay", label=label, replay=ReplaySource(of=str(folder), **source))


@pytest.fixture
def recorded(tmp_path, do):
    """A run of two targets, three turns, two seeds."""
    folder = tmp_path / "first"
    do(cast.held(folder, cast.study("echosim/sycophant", "echosim/corrector")))
    return folder


def transcripts(folder):
    with StoredRun(folder) as run:
        return {(one.trial.target, one.trial.seed): one for one in run.transcripts()}


def test_every_target_hears_the_recorded_lines(tmp_path, do, recorded):
    study = recordings.filled(
        cast.study("echosim/mix(0.5)", "echosim/hedger", users=(replay(recorded, target="corrector"),))
    )
    do(cast.held(tmp_path / "second", study))
    before, after = transcripts(recorded), transcripts(tmp_path / "second")
    assert len(after) == 4
    for (_, seed), talk in after.items():
        assert [turn.user for turn in talk.turns] == [turn.user for turn in before["corrector", seed].turns]
        assert [turn.side for turn in talk.turns] == [turn.side for turn in before["corrector", seed].turns]
        assert talk.turns[0].before == before["corrector", seed].turns[0].before
    assert after["mix(0.5)", 1].turns[0].reply != after["hedger", 1].turns[0].reply


def test_numbers_that_were_voiced_are_voiced_again(tmp_path, do):
    """Every target is answered with the same lines and the same drawn confidences."""
    do(cast.held(tmp_path / "first", cast.study("echosim/sycophant", turns=6, users=('embedded("nudge")',))))
    again = recordings.filled(
        cast.study("echosim/corrector", turns=6, users=(replay(tmp_path / "first", prefix=1),))
    )
    do(cast.held(tmp_path / "second", again))
    before, after = transcripts(tmp_path / "first"), transcripts(tmp_path / "second")
    for seed in (1, 2):
        voiced = [turn.voiced for turn in before["sycophant", seed].turns]
        assert voiced[0] is None
        assert any(voiced)
        assert [turn.voiced for turn in after["corrector", seed].turns] == voiced
        assert len(nudged(after["corrector", seed])) == len([number for number in voiced if number])


def test_a_frozen_prefix_gives_every_target_the_same_history(tmp_path, do, recorded):
    async def scene():
        async with fake.serving() as server:
            targets = [cast.served(server.base, label) for label in ("one", "two")]
            study = recordings.filled(
                cast.study(*targets, users=(replay(recorded, target="sycophant", prefix=2),))
            )
            await cast.held(tmp_path / "second", study)
            return server.ledger

    ledger = do(scene())
    source = transcripts(recorded)
    histories = [
        [
            *(
                message
                for turn in source["sycophant", seed].turns[:2]
                for message in (
                    {"role": "user", "content": turn.user},
                    {"role": "assistant", "content": turn.reply},
                )
            ),
            {"role": "user", "content": source["sycophant", seed].turns[2].user},
        ]
        for seed in (1, 2)
    ]
    # Two targets, two seeds, one live turn each: four requests, two of each history.
    asked = [body["messages"] for body in ledger]
    assert len(asked) == 4
    assert [asked.count(history) for history in histories] == [2, 2]


def test_what_is_frozen_counts_for_no_target(tmp_path, do, recorded):
    study = recordings.filled(
        cast.study("echosim/hedger", users=(replay(recorded, target="sycophant", prefix=2),))
    )
    do(cast.held(tmp_path / "second", study))
    for talk in transcripts(tmp_path / "second").values():
        assert [turn.frozen for turn in talk.turns] == [True, True, False]
        assert [each.turn for each in heard(talk)] == [3]
        assert course(talk).start == talk.turns[2].before.confidence == talk.turns[1].after.confidence


def test_the_same_recording_gives_the_same_rows_and_ids(tmp_path, do, recorded):
    study = recordings.filled(cast.study("echosim/hedger", users=(replay(recorded, target="sycophant"),)))
    do(cast.held(tmp_path / "a", study))
    do(cast.held(tmp_path / "b", study))
    assert cast.rows(tmp_path / "a") == cast.rows(tmp_path / "b")
    other = recordings.filled(
        cast.study("echosim/hedger", users=(replay(recorded, target="sycophant", prefix=1),))
    )
    assert {trial.id for trial in cast.planned(other)}.isdisjoint({t.id for t in cast.planned(study)})


@pytest.mark.parametrize(
    ("source", "turns", "message"),
    [
        ({}, 3, "several targets; name one in target: corrector, sycophant"),
        ({"target": "hedger"}, 3, "no conversation of 3 turns or more .* target 'hedger'"),
        ({"target": "corrector"}, 4, "no conversation of 4 turns or more"),
        ({"target": "corrector", "arm": "citizen"}, 3, "no conversation"),
        ({"target": "corrector", "prefix": 3}, 3, "prefix 3 leaves no turn of 3 .*allowed: 0 to 2"),
    ],
)
def test_what_cannot_be_repeated_is_said(recorded, source, turns, message):
    study = cast.study("echosim/hedger", turns=turns, users=(replay(recorded, **source),))
    with pytest.raises(StudyError, match=message):
        recordings.filled(study)


def test_people_are_not_repeats(recorded):
    study = cast.study("echosim/hedger", users=(replay(recorded, target="sycophant"),))
    with pytest.raises(StudyError, match="one has a population"):
        recordings.filled(study.model_copy(update={"population": 5}))


def test_no_run_there(tmp_path):
    with pytest.raises(InputError, match="no run there"):
        recordings.filled(cast.study("echosim/hedger", users=(replay(tmp_path / "nothing"),)))


def test_a_study_file_names_the_run_beside_it(recorded):
    path = recorded.parent / "study.yaml"
    text = (
        "format: 1\nname: again\npersonas: [flat-earth]\ntargets: [echosim/hedger]\nanchors: false\n"
        "users:\n  - {{engine: replay, of: {of}, target: sycophant, prefix: 1, label: same lines}}\n"
    )
    path.write_text(text.format(of="first"))
    user = load_study(path).users[0]
    assert (user.engine, user.label) == ("replay", "same lines")
    assert user.replay == ReplaySource(of=str(recorded), target="sycophant", prefix=1)
    path.write_text(text.format(of="third"))
    with pytest.raises(StudyError, match=r"study\.yaml:7: users\[0\]\.of: no run there"):
        load_study(path)

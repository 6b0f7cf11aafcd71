"""Parts of a study are put together; studies that are no parts of one are refused with every difference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.errors import InputError
from echosim.inputs.union import united
from echosim.records import Utterance
from echosim.study_records import Limits, Price, Recording, ReplaySource, Study, TargetSpec, UserSpec

ONE, TWO, THREE = (TargetSpec(model=f"openai/{name}", label=name) for name in ("one", "two", "three"))


@pytest.fixture
def study(persona):
    return Study(name="whole", personas=(persona,), targets=(ONE, TWO), seeds=(1, 2, 3, 4), anchors=False)


def parts(*studies):
    return [(f"shard-{n}", study) for n, study in enumerate(studies, start=1)]


def test_parts_by_seed_target_and_persona_give_the_whole(study, persona):
    other = persona.model_copy(update={"id": "other", "family": "other"})
    whole = study.model_copy(update={"personas": (persona, other)})
    for field, halves in (
        ("seeds", ((1, 2), (3, 4))),
        ("seeds", ((4, 1), (3, 2))),
        ("targets", ((ONE,), (TWO,))),
        ("personas", ((persona,), (other,))),
    ):
        shards = [whole.model_copy(update={field: half}) for half in halves]
        assert united(parts(*shards)) == whole


@given(st.lists(st.lists(st.integers(1, 20), min_size=1, unique=True), min_size=1, max_size=5))
def test_seeds_of_all_parts_once_and_sorted(seeds):
    base = Study.model_construct(
        name="x", personas=(), targets=(ONE,), arms=("none",), users=(UserSpec(engine="a", label="a"),),
        turns=3, sessions=1, memory="none", population=None, bank="dev", anchors=False, limits=Limits(),
    )  # fmt: skip
    shards = parts(*(base.model_copy(update={"seeds": tuple(some)}) for some in seeds))
    assert united(shards).seeds == tuple(sorted({seed for some in seeds for seed in some}))


def test_limits_and_whose_key_it_is_may_differ(study):
    elsewhere = study.model_copy(
        update={
            "limits": Limits(in_flight=7),
            "name": "elsewhere",
            "targets": (ONE.model_copy(update={"api_key_env": "THEIR_KEY"}), THREE),
        }
    )
    whole = united(parts(study, elsewhere))
    assert (whole.limits, whole.name) == (study.limits, "whole")
    assert whole.targets == (ONE, TWO, THREE)


def test_recordings_of_all_parts_are_kept(study):
    def replaying(*people):
        said = (Utterance(text="so it is", act="state", side=1),)
        recordings = tuple(Recording(persona="p", seed=seed, said=said) for seed in people)
        user = UserSpec(engine="replay", label="again", replay=ReplaySource(of="run"), recordings=recordings)
        return study.model_copy(update={"users": (user,), "seeds": people})

    (user,) = united(parts(replaying(2), replaying(1))).users
    assert [each.seed for each in user.recordings] == [1, 2]


def test_every_difference_is_named_with_both_places(study, persona):
    other = study.model_copy(
        update={
            "turns": 5,
            "bank": "test",
            "personas": (persona.model_copy(update={"topic": "eels", "version": 2}),),
            "targets": (ONE.model_copy(update={"temperature": 0.5, "price": Price(input=1, output=1)}),),
        }
    )
    with pytest.raises(InputError) as caught:
        united(parts(study, other))
    said = str(caught.value)
    assert caught.value.exit_code == 2
    for words in (
        "turns: 12 in shard-1, 5 in shard-2",
        "bank: 'dev' in shard-1, 'test' in shard-2",
        f"persona '{persona.id}' differs in version, topic between shard-1 and shard-2",
        "target 'one' differs in temperature, price between shard-1 and shard-2",
    ):
        assert words in said


def test_what_one_study_has_not_is_called_none(study):
    crowd = study.model_copy(update={"population": 5})
    with pytest.raises(InputError, match="population: none in shard-1, 5 in shard-2"):
        united(parts(study, crowd))

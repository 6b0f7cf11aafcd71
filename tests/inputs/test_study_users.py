"""The `users` of a study file: every form, and every fault with its place and what is allowed."""

from __future__ import annotations

import pytest

from echosim.errors import StudyError
from echosim.inputs.study import load_study
from echosim.study_records import Price, UserSpec

TEXT = """\
format: 1
name: voices
personas: [flat-earth]
targets: [{targets}]
turns: 2
seeds: [1]
users:
{users}
"""
FIRST = 8
"""Line of the first user."""
SERVED = "api_base: 'http://127.0.0.1:9/v1'"


def text(*users, targets="echosim/corrector"):
    return TEXT.format(targets=targets, users="\n".join(f"  - {user}" for user in users))


@pytest.fixture
def load(write):
    def read(*users, more="", **fields):
        return load_study(write("study.yaml", text(*users, **fields) + more)).users

    return read


@pytest.fixture
def faults(write):
    def read(*users, more="", **fields):
        with pytest.raises(StudyError) as error:
            load_study(write("study.yaml", text(*users, **fields) + more))
        return error.value.faults

    return read


def test_a_name_is_an_engine_under_that_name(load):
    assert load("embedded", """'embedded("self_argue")'""", "bayesian") == (
        UserSpec(engine="embedded", label="embedded"),
        UserSpec(engine='embedded("self_argue")', label='embedded("self_argue")'),
        UserSpec(engine="bayesian", label="bayesian"),
    )


def test_without_users_it_is_the_embedded_one(write):
    whole = text("embedded")
    study = load_study(write("study.yaml", whole[: whole.index("users:")]))
    assert study.users == (UserSpec(engine="embedded", label="embedded"),)


def test_a_mapping_may_be_a_plain_engine_with_a_label(load):
    (user,) = load("{engine: embedded, label: plain}")
    assert (user.engine, user.label, user.model, user.replay) == ("embedded", "plain", None, None)


@pytest.mark.parametrize("engine", ["llm", "free", """'llm("disbeliever")'"""])
def test_a_model_behind_a_user(load, engine):
    (user,) = load(f"{{engine: {engine}, model: openai/gpt-4o-mini}}")
    assert user.engine == engine.strip("'")
    assert user.label == f"{user.engine} gpt-4o-mini"
    assert (user.model.model, user.model.label) == ("openai/gpt-4o-mini", f"user {user.label}")
    assert not user.same_family


def test_all_fields_of_the_model_arrive(load):
    (user,) = load(
        "{engine: llm, model: openai/tiny, label: voice, same_family: true, "
        + SERVED
        + ", api_key_env: MY_KEY, "
        "temperature: 0.7, top_p: 0.9, max_tokens: 80, price: {input: 1, output: 2}, allow_http: false}"
    )
    model = user.model
    assert (user.label, user.same_family, model.label) == ("voice", True, "user voice")
    assert (model.api_base, model.api_key_env) == ("http://127.0.0.1:9/v1", "MY_KEY")
    assert (model.temperature, model.top_p, model.max_tokens) == (0.7, 0.9, 80)
    assert model.price == Price(input=1, output=2)


def test_a_run_to_repeat_is_looked_up_from_the_study(load, tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "run.db").touch()
    (user,) = load("{engine: replay, of: first, target: sycophant, arm: short, user: embedded, prefix: 2}")
    assert user.replay.of == str(tmp_path / "first")
    assert (user.replay.target, user.replay.arm, user.replay.user, user.replay.prefix) == (
        "sycophant",
        "short",
        "embedded",
        2,
    )
    assert user.recordings == ()


def test_the_same_engine_may_speak_through_two_models(load):
    users = load(
        "{engine: llm, model: openai/gpt-4o}", "{engine: llm, model: anthropic/claude-x}", "embedded"
    )
    assert [user.label for user in users] == ["llm gpt-4o", "llm claude-x", "embedded"]


@pytest.mark.parametrize(
    ("user", "field", "message"),
    [
        ("human", "users[0]", "unknown user 'human'"),
        ("embeded", "users[0]", "did you mean embedded?"),
        ("llm", "users[0]", "write {engine: llm, model: openai/gpt-4o-mini}"),
        ("free", "users[0]", "write {engine: free, model: openai/gpt-4o-mini}"),
        ("replay", "users[0]", "write {engine: replay, of: runs/first}"),
        ("{engine: llm}", "users[0].engine", "needs a model"),
        ("{engine: replay}", "users[0].engine", "needs a run to repeat"),
        ("{engine: replay, of: nowhere}", "users[0].of", "no run there"),
        (
            "{engine: embedded, model: openai/gpt-4o}",
            "users[0].model",
            "has no effect on the user engine 'embedded'",
        ),
        ("{engine: embedded, temperature: 1}", "users[0].temperature", "has no effect"),
        ("{engine: embedded, same_family: true}", "users[0].same_family", "has no effect"),
        (
            "{engine: llm, model: openai/gpt-4o, prefix: 2}",
            "users[0].prefix",
            "has no effect on the user engine 'llm'",
        ),
        ("{engine: free, model: openai/gpt-4o, of: x}", "users[0].of", "has no effect"),
        ("{engine: llm, model: echosim/corrector}", "users[0].model", "an echosim/ target answers a user"),
        ("{engine: llm, model: gpt-4o}", "users[0].model", "has no provider"),
        ("{engine: llm, model: opena/gpt-4o}", "users[0].model", "did you mean 'openai'?"),
        ("{engine: llm, model: 'openai/a b'}", "users[0].model", "holds a space"),
        ("{engine: llm, model: openai/x, api_base: 'http://example.org'}", "users[0].api_base", "https"),
        ("{engine: llm, model: openai/x, temperature: 3}", "users[0].temperature", "2"),
        ("{engine: llm, model: openai/x, max_tokens: 0}", "users[0].max_tokens", "1"),
        ("{engine: llm, model: openai/x, modell: y}", "users[0].modell", "unknown field"),
        ("{engine: 'llm(\"nudge\")', model: openai/x}", "users[0].engine", "nudge"),
        ("{engine: 'free(1)', model: openai/x}", "users[0].engine", "free(1)"),
    ],
)
def test_a_fault_says_where_and_what_is_allowed(faults, user, field, message):
    found = [fault for fault in faults(user) if fault.field == field]
    assert found, faults(user)
    assert found[0].line == FIRST
    assert message in found[0].message


def test_two_users_of_one_label_are_one_too_many(faults):
    (fault,) = faults("{engine: llm, model: openai/gpt-4o}", "{engine: llm, model: azure/gpt-4o}")
    assert (fault.line, fault.field) == (FIRST + 1, "users[1]")
    assert f"'llm gpt-4o' is already on line {FIRST}; give it another label" in fault.message


def test_a_bound_on_cost_needs_the_price_of_the_users_model(faults, load):
    bound = "limits: {max_cost: 1}\n"
    (fault,) = faults("{engine: llm, model: openai/gpt-4o}", more=bound)
    assert "price of 'openai/gpt-4o' unknown; give price: or drop max_cost" in fault.message
    assert load("{engine: llm, model: openai/gpt-4o, price: {input: 1, output: 1}}", more=bound)


# --- kin ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["llm", "free"])
@pytest.mark.parametrize(
    ("target", "model"),
    [
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("openai/gpt-4o", "azure/o3-mini"),
        ("{model: anthropic/claude-x}", "openrouter/anthropic/claude-y"),
        ("{model: openai/tiny, " + SERVED + "}", "openai/tiny"),
    ],
)
def test_a_user_of_a_targets_own_family_is_refused_unless_it_is_wanted(faults, load, engine, target, model):
    targets = f"echosim/corrector, {target}"
    (fault,) = faults(f"{{engine: {engine}, model: {model}}}", targets=targets)
    assert (fault.line, fault.field) == (FIRST, "users[0].model")
    assert "same family" in fault.message
    assert "line 4" in fault.message
    assert "take another model, or set same_family: true" in fault.message
    (user,) = load(f"{{engine: {engine}, model: {model}, same_family: true}}", targets=targets)
    assert user.same_family


def test_other_families_and_reference_targets_are_no_kin(load):
    assert load("{engine: llm, model: openai/gpt-4o}", targets="echosim/corrector, anthropic/claude-x")
    assert load("{engine: llm, model: openai/corrector-7b}", targets="echosim/corrector")


def test_a_name_cut_at_a_comma_says_to_quote_it(write):
    path = write(
        "study.yaml", text("embedded").replace("users:\n  - embedded", 'users: [bayesian("informed", 0.3)]')
    )
    with pytest.raises(StudyError, match=r"half a name: in a .list., quote"):
        load_study(path)


def test_a_capital_letter_is_a_near_miss(faults):
    (fault,) = faults("Embedded")
    assert "did you mean embedded?" in fault.message
    (fault,) = faults("embedded(")
    assert "half a name" in fault.message


def test_notes_need_a_second_session(write):
    with pytest.raises(StudyError, match="memory: has no effect on one session"):
        load_study(write("study.yaml", text("embedded") + "memory: summary\n"))
    study = load_study(write("study.yaml", text("embedded") + "memory: summary\nsessions: 2\n"))
    assert (study.memory, study.sessions) == ("summary", 2)

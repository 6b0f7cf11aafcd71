"""The figures of what simulated users said, against lines whose faults are put in by hand."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.checks import closest_lines, user_lines
from echosim.checks.user_lines import NOT_ASKED, NOT_WORDED, SAID_AGAIN
from echosim.records import BeliefState, Report, Transcript, Turn
from echosim.study_records import ReplaySource, TargetSpec, UserSpec
from tests.reporting import synthetic

MODEL = TargetSpec(model="openai/m", label="m", api_base="http://127.0.0.1:1/v1")
LLM = UserSpec(engine="llm", label="llm", model=MODEL)
EMBEDDED = UserSpec(engine="embedded", label="embedded")
REPLAY = UserSpec(engine="replay", label="replay", replay=ReplaySource(of="runs/first"))
PERSONAS = [synthetic.persona(family, role) for family in ("a", "b") for role in synthetic.ROLES]
PLAIN = "I really think that this is how it has always been."


def mind(log_odds: float = 1.4) -> BeliefState:
    return BeliefState(log_odds=log_odds, anchor=1.4, trust=0.6)


def said(
    lines: Sequence[str | dict[str, object]], persona: str = "a", user: str = "llm", trial: str = ""
) -> Transcript:
    """A conversation with these lines; a dictionary changes anything of its turn."""
    base = synthetic.transcript(turns=1)
    turns = []
    for index, line in enumerate(lines, 1):
        change = {"user": line} if isinstance(line, str) else line
        given = {"index": index, "user": PLAIN, "reply": f"Reply number {index}.", "before": mind()}
        turns.append(base.turns[0].model_copy(update=given | change))
    changes = {
        "id": trial or f"{user}-{persona}",
        "persona": persona,
        "user": user,
        "turns": max(len(turns), 1),
    }
    return Transcript(trial=base.trial.model_copy(update=changes), status="complete", turns=tuple(turns))


def figures(*talks: Transcript, users: Sequence[UserSpec] = (LLM, EMBEDDED, REPLAY)) -> user_lines.UserLines:
    (found,) = user_lines.user_lines(talks, PERSONAS, users)
    return found


# --- one by one ---------------------------------------------------------------------------------


def test_flags_are_shares_of_lines():
    found = figures(
        said(
            [
                {"user_flags": ("resampled:role_flip", "resampled:role_flip")},
                {"user_flags": ("resampled:role_flip", "empty", "fallback")},
                PLAIN,
                {"user_flags": ("fallback",)},
            ]
        )
    )
    assert (found.fallback.value, found.fallback.n) == (0.5, 4)
    assert found.flags == (("resampled:role_flip", 0.5), ("empty", 0.25))


def test_without_a_model_there_is_no_fallback_to_count():
    found = figures(said([PLAIN], user="embedded"))
    assert (found.fallback.value, found.fallback.reason) == (None, NOT_WORDED)
    assert figures(said([PLAIN], user="unknown to the study")).fallback.value == 0


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("- one\n- two", True),
        ("1. first\n2. second", True),
        ("## Heading", True),
        ("it is **true**", True),
        ("see [here](http://x)", True),
        ("`code`", True),
        ("5 - 3 is two, and 2 * 3 * 4 is 24", False),
        ("well - i think so. 1990. that was it", False),
        ("#flatearth is all over", False),
    ],
)
def test_markdown(text, marked):
    assert figures(said([text])).markdown.value == marked


def test_words_are_held_against_the_personas_style():
    found = figures(said(["too short", "w " * 31, "w " * 30, "w " * 5]))
    assert found.words_outside.value == 0.5
    assert found.words.value == 17.5


def test_a_copy_needs_eight_words_in_a_row_of_the_reply_before():
    reply = "Shadows measured in two towns on the same day differ by seven degrees."
    copied = "So shadows measured in two towns on the same day differ, you say."
    shorter = "So shadows measured in two towns on the other day differ, you say."
    first = {"reply": reply}
    assert figures(said([first, copied])).copied == user_lines.Figure(value=1, n=1)
    assert figures(said([first, shorter])).copied.value == 0
    assert figures(said([first, PLAIN, copied])).copied.value == 0
    assert figures(said([copied])).copied.reason == "no line has a reply before it"


def test_giving_in_counts_only_where_the_engine_forbids_it():
    admits = "I was wrong about all of this, thank you."
    fallen = [{"before": mind(2.0)}, {"user": admits, "before": mind(-1.5)}]
    assert figures(said([PLAIN, admits])).conceded == user_lines.Figure(value=0.5, n=2)
    assert figures(said(fallen)).conceded == user_lines.Figure(value=0, n=1)
    assert figures(said([{"side": -1, "act": "concede"}, admits])).conceded == user_lines.Figure(value=1, n=1)


def test_giving_in_by_words_contradicts_a_belief_that_was_just_told():
    told = Report(private=0.9, public=None, answers=(0.9,))
    admits = {"user": "I was wrong about all of this, thank you.", "side": 1}
    assert figures(said([{"report": told}, admits, PLAIN])).contradicted == user_lines.Figure(value=0.5, n=2)


def test_words_that_the_user_said_first_are_no_copy_of_the_reply():
    own = "Nobody has ever shown me a single photograph of that ice wall."
    asked = {"user": own, "reply": f"You say: {own} But there are thousands."}
    assert figures(said([asked, own])).copied.value == 0


def test_an_assistant_is_heard():
    assert figures(said([PLAIN, "How can I help you today?"])).out_of_role.value == 0.5


def test_a_recording_concedes_nothing_of_its_own():
    found = figures(said(["I was wrong about all of this."], user="replay"))
    assert (found.conceded.value, found.conceded.reason) == (None, SAID_AGAIN)
    assert found.fallback.reason == NOT_WORDED


def test_frozen_turns_are_not_lines_but_are_what_was_said_before():
    reply = "Shadows measured in two towns on the same day differ by seven degrees."
    frozen = {"flags": ("frozen",), "user": "- list", "reply": reply}
    found = figures(said([frozen, "Shadows measured in two towns on the same day differ, then."]))
    assert (found.lines, found.markdown.value, found.copied.value) == (1, 0, 1)
    assert user_lines.user_lines([said([frozen])], PERSONAS, [LLM]) == ()


def test_what_is_told_is_held_against_the_side_taken_after_it():
    told = Report(private=0.2, public=0.3, answers=(0.2, 0.3, 0.9), incoherence=0.1, retest=0.05)
    nothing = Report(private=None, public=None, answers=(None,), reason="no number in the answer")
    found = figures(
        said(
            [{"report": told}, {"side": 1, "report": nothing}, {"side": -1}, {"side": 0}, {"after_gap": True}]
        )
    )
    assert found.contradicted == user_lines.Figure(value=0.5, n=2)
    assert found.unanswered == user_lines.Figure(value=0.5, n=2)
    assert found.incoherence.value == pytest.approx(0.1)
    assert found.retest.value == pytest.approx(0.05)


def test_an_engine_that_tells_its_own_belief_was_not_asked():
    own = Report(private=0.2, public=0.3)
    found = figures(said([{"report": own}, PLAIN], user="embedded"))
    for name in ("incoherence", "retest", "unanswered", "contradicted"):
        figure = getattr(found, name)
        assert (figure.value, figure.reason) == (None, NOT_ASKED), name


def test_distinct_is_averaged_by_conversation_then_by_persona():
    one, half = "alpha beta gamma delta", "alpha beta alpha beta alpha"  # 3 of 3 pairs; 2 of 4
    talks = [said([one], "a", trial="1"), said([half], "a", trial="2"), said([half], "b", trial="3")]
    assert figures(*talks).distinct.value == pytest.approx((0.75 + 0.5) / 2)
    assert figures(*talks).distinct.n == 2


def test_alike_compares_lines_of_other_personas_in_the_same_act_only():
    mine, other = "alpha beta gamma delta", "alpha beta gamma epsilon zeta"
    same = figures(said([mine], "a"), said([other], "b"))
    assert same.alike.value == pytest.approx((2 / 3 + 2 / 4) / 2)
    assert figures(said([mine, mine], "a")).alike.value is None
    apart = figures(said([mine], "a"), said([{"user": other, "act": "ask"}], "b"))
    assert apart.alike.reason == "no act has lines of two personas to compare"


def test_spread_needs_two_personas():
    assert figures(said(["a b c"], "a"), said(["a b c d e"], "b")).words_spread.value == pytest.approx(2**0.5)
    assert figures(said(["a b c"])).words_spread.reason == "one persona"


def test_engines_stand_in_the_order_of_the_study():
    talks = [said([PLAIN], user=user) for user in ("zeta", "embedded", "alpha", "llm")]
    found = user_lines.user_lines(talks, PERSONAS, (LLM, REPLAY, EMBEDDED))
    assert [one.user for one in found] == ["llm", "embedded", "alpha", "zeta"]


def test_an_unknown_persona_leaves_out_what_needs_it():
    found = figures(said(["- list"], persona="who"))
    assert (found.markdown.value, found.words_outside.value) == (1, None)


# --- properties ---------------------------------------------------------------------------------

text = st.one_of(
    st.sampled_from([PLAIN, "I was wrong.", "How can I help you today?", "- a\n- b", "", "one"]),
    st.text(max_size=60),
)
share = st.one_of(st.none(), st.floats(0, 1))
report = st.one_of(
    st.none(),
    st.builds(
        Report, private=share, public=share, answers=st.sampled_from([(), (0.5, 0.5)]), incoherence=share
    ),
)
turn = st.fixed_dictionaries(
    {
        "user": text,
        "reply": text,
        "act": st.sampled_from(["state", "ask", "concede"]),
        "side": st.sampled_from([-1, 0, 1]),
        "before": st.floats(-4, 4).map(mind),
        "user_flags": st.lists(st.sampled_from(["fallback", "empty", "resampled:markdown"])).map(tuple),
        "report": report,
        "flags": st.sampled_from([(), (), ("frozen",)]),
    }
)
talks = st.lists(
    st.tuples(
        st.lists(turn, max_size=5), st.sampled_from(["a", "b", "who"]), st.sampled_from(["llm", "embedded"])
    ),
    max_size=6,
).map(lambda made: [said(*one, trial=str(place)) for place, one in enumerate(made)])
UNBOUNDED = {"words", "words_spread"}


@given(talks, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_shares_are_shares(held, chance):
    found = user_lines.user_lines(held, PERSONAS, (LLM, EMBEDDED))
    chance.shuffle(held)
    assert user_lines.user_lines(held, PERSONAS, (LLM, EMBEDDED)) == found
    for one in found:
        assert one.lines == sum(
            not each.frozen for talk in held if talk.trial.user == one.user for each in talk.turns
        )
        for name, value in one:
            if isinstance(value, user_lines.Figure):
                assert (value.value is None) == (value.reason is not None), name
                if value.value is not None:
                    assert 0 <= value.value <= (1 if name not in UNBOUNDED else 1e9), name


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz ", min_size=3)), min_size=1, max_size=40))
def test_a_full_sample_is_the_same_in_any_order(lines):
    def alike(order):
        sample = closest_lines.Sample()
        for persona, line in order:
            sample.add("state", persona, line, closest_lines.bigrams(line))
        return sample.alike()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closest_lines, "SAMPLE", 5)
        assert alike(lines) == alike(lines[::-1]) == alike(lines + lines)


@given(st.lists(st.integers(0, 50), min_size=1))
def test_the_median_is_that_of_the_numbers(numbers):
    import collections
    import statistics

    assert user_lines._median(collections.Counter(numbers)) == statistics.median(numbers)


def test_one_transcript_is_held_at_a_time():
    kept: list[weakref.ref[Turn]] = []

    def stream():
        for number in range(40):
            if kept:
                gc.collect()
                assert sum(ref() is not None for ref in kept) <= 1
            talk = said([f"{PLAIN} {random.Random(number).random()}"], trial=str(number))
            kept.append(weakref.ref(talk))
            yield talk
            del talk

    assert user_lines.user_lines(stream(), PERSONAS, (LLM,))[0].talks == 40

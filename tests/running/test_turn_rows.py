"""A turn as a row: what goes in comes out, and any other row is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.records import BeliefState, Reading, Report, Turn
from echosim.running import turn_rows

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
shares = st.floats(0, 1)
states = st.builds(
    BeliefState,
    log_odds=st.floats(-4.6, 4.6),
    anchor=st.floats(-4.6, 4.6),
    trust=shares,
    n_plus=st.integers(0, 99),
    n_minus=st.integers(0, 99),
    heard=st.lists(texts, max_size=3).map(tuple),
    stance_prev=st.floats(-1, 1),
)
readings = st.builds(
    Reading,
    stance=st.none() | st.floats(-1, 1),
    evidence=shares,
    warmth=shares,
    on_topic=shares,
    matched=st.lists(texts, max_size=2).map(tuple),
    contrast=st.none() | st.floats(-9, 9),
    unsure=st.booleans(),
    reason=st.none() | texts,
)
reports = st.none() | st.builds(
    Report, private=st.none() | shares, public=st.none() | shares, answers=st.tuples(st.none() | shares)
)


@st.composite
def conversations(draw):
    """A few turns, each going on from the one before or after a gap."""
    mind = draw(states)
    turns = []
    for index in range(1, draw(st.integers(1, 4)) + 1):
        after_gap = index > 1 and draw(st.booleans())
        before = draw(states) if after_gap else mind
        turns.append(
            Turn(
                index=index,
                user=draw(texts),
                act="state",
                side=draw(st.sampled_from((-1, 0, 1))),
                reply=draw(texts),
                flags=draw(st.lists(texts, max_size=2).map(tuple)),
                reading=draw(readings),
                before=before,
                after=draw(states),
                user_flags=draw(st.lists(texts, max_size=2).map(tuple)),
                report=draw(reports),
                after_gap=after_gap,
                memory=draw(st.none() | texts) if after_gap else None,
            )
        )
        mind = turns[-1].after
    return tuple(turns)


def rows(turns, trial="t"):
    return [turn_rows.row_of(trial, turn) for turn in turns]


@given(conversations())
def test_what_goes_in_comes_out_bit_for_bit(turns):
    start = turn_rows.start_of(turns[0])
    assert turn_rows.fold(start, rows(turns)) == turns
    turn_rows.check(start, rows(turns))


@given(states | readings | reports.filter(bool))
def test_a_record_is_what_was_packed_under_its_names_or_without(record):
    kind = type(record)
    assert turn_rows.unpacked(kind, turn_rows.packed(record)) == record
    assert turn_rows.unpacked(kind, record.model_dump_json(exclude_defaults=True)) == record


@pytest.mark.parametrize("text", ["", "[", "3", "null", '"ab"', "[1.0]"])
def test_what_is_no_such_record_is_told(text):
    with pytest.raises(ValueError, match=r"."):
        turn_rows.unpacked(BeliefState, text)


def test_what_is_stored_without_its_name_keeps_its_place():
    stored = {kind: " ".join(kind.model_fields) for kind in (Reading, BeliefState, Report)}
    assert stored == {
        Reading: "stance evidence warmth on_topic matched unlisted contrast near generic total unsure reason "
        "sentences",
        BeliefState: "log_odds anchor trust n_plus n_minus heard stance_prev",
        Report: "private public voiced answers incoherence retest reason",
    }, "append fields, and let them have a default: run folders hold the values in this order"


@given(conversations(), st.data())
def test_any_other_value_is_told_and_the_turns_before_it_are_kept(turns, data):
    stored = [list(row) for row in rows(turns)]
    at = data.draw(st.integers(0, len(stored) - 1))
    column = data.draw(st.integers(0, len(stored[at]) - 2))
    value = stored[at][column]
    stored[at][column] = f"{value}." if value is not None else ""
    for look in (turn_rows.fold, turn_rows.check):
        with pytest.raises(turn_rows.DamagedError, match=f"turn {at + 1} ") as caught:
            look(turn_rows.start_of(turns[0]), stored)
    with pytest.raises(turn_rows.DamagedError) as caught:
        turn_rows.fold(turn_rows.start_of(turns[0]), stored)
    assert caught.value.sound == turns[:at]


@given(conversations(), st.data())
def test_a_missing_turn_is_told(turns, data):
    stored = rows(turns)
    gone = data.draw(st.integers(0, len(stored) - 1))
    del stored[gone]
    start = turn_rows.start_of(turns[0])
    if gone == len(turns) - 1:  # how many there should be is for the trial to say
        assert turn_rows.fold(start, stored) == turns[:-1]
    else:
        with pytest.raises(turn_rows.DamagedError, match=f"turn {gone + 1} is missing"):
            turn_rows.fold(start, stored)


@given(conversations(), states)
def test_another_mind_before_the_first_turn_is_told(turns, other):
    start = turn_rows.packed(other)
    if start != turn_rows.start_of(turns[0]):
        with pytest.raises(turn_rows.DamagedError, match="turn 1 is not what was written"):
            turn_rows.fold(start, rows(turns))
    with pytest.raises(turn_rows.DamagedError, match="turn 1"):
        turn_rows.fold(None, rows(turns))


@given(conversations())
def test_rows_of_two_trials_do_not_pass_for_one_another(turns):
    theirs = [("t", *row[1:]) for row in rows(turns, "u")]
    with pytest.raises(turn_rows.DamagedError):
        turn_rows.fold(turn_rows.start_of(turns[0]), theirs)


def test_rows_without_a_digest_are_taken_as_they_are():
    before = BeliefState(log_odds=1.0, anchor=1.0, trust=0.5)
    reading = Reading(stance=0.1, evidence=0, warmth=0, on_topic=1)
    turn = Turn(
        index=1, user="a", act="state", side=1, reply="b", reading=reading, before=before, after=before
    )
    row = list(turn_rows.row_of("t", turn))
    row[5], row[-1] = "other", None
    assert turn_rows.fold(turn_rows.start_of(turn), [row])[0].reply == "other"
    row[8] = "{"
    with pytest.raises(turn_rows.DamagedError, match="turn 1 cannot be read"):
        turn_rows.fold(turn_rows.start_of(turn), [row])
    assert turn_rows.fold(None, []) == ()

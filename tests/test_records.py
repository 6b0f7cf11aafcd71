import copy
import pickle

import pytest
from pydantic import ValidationError

from echosim.records import BeliefState, Reading


def test_a_record_does_not_note_which_fields_were_given():
    one = BeliefState(log_odds=1.0, anchor=1.0, trust=0.5)
    other = BeliefState(log_odds=1.0, anchor=1.0, trust=0.5, n_plus=0, heard=())
    assert one == other
    assert one.model_fields_set is other.model_fields_set
    assert one.model_dump(exclude_unset=True) == other.model_dump()
    for same in (one.model_copy(), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert same == one
    changed = one.model_copy(update={"trust": 0.1})
    assert (changed.trust, one.trust) == (0.1, 0.5)
    assert BeliefState.model_fields.keys() == one.model_fields_set


def test_records_are_frozen_and_refuse_what_is_no_number():
    read = Reading(stance=0.1, evidence=0, warmth=0, on_topic=1)
    with pytest.raises(ValidationError, match="frozen"):
        read.stance = 0.2
    for wrong in ({"stance": float("nan")}, {"stance": 2}, {"mood": 1}):
        with pytest.raises(ValidationError):
            Reading(**{"stance": 0.1, "evidence": 0, "warmth": 0, "on_topic": 1, **wrong})

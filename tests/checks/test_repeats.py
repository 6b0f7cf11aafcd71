import json
from itertools import pairwise

from echosim.checks import repeats
from echosim.registry import load as real
from echosim.users.embedded import EmbeddedUser


def test_a_conversation_has_words_readings_and_minds(persona):
    turns = [json.loads(line) for line in repeats.conversation(persona, "mix(0.5)", 1).splitlines()]
    assert [turn["index"] for turn in turns] == list(range(1, 13))
    assert {turn["reading"]["stance"] for turn in turns} == {-0.9, 0.9}
    assert len({turn["user"] for turn in turns}) == 12
    assert turns[-1]["after"]["heard"]
    for turn, following in pairwise(turns):
        assert turn["after"] == following["before"] != turn["before"]


def test_the_same_seed_is_the_same_conversation_and_another_seed_is_not(persona, mirror, control):
    assert repeats.differing((persona, mirror, control), 1) == 0
    one, other = (repeats.conversation(persona, "capitulator(2)", seed) for seed in (1, 2))
    assert one != other


def test_a_user_who_remembers_other_conversations_is_found_out(monkeypatch, persona, control):
    said = []

    class Leaky(EmbeddedUser):
        def say(self, moment):
            said.append(moment)
            told = super().say(moment)
            return told.model_copy(update={"text": f"{told.text} {len(said)}"})

    monkeypatch.setattr(repeats, "EmbeddedUser", Leaky)
    assert repeats.differing((persona, control), 1) == 4


def test_a_target_that_draws_from_a_stream_is_found_out(monkeypatch, persona):
    replies = iter(range(1000))

    class Drawing:
        def __init__(self, target):
            self.intend, self._reply = target.intend, target.reply

        def reply(self, request):
            return f"{self._reply(request)} {next(replies)}"

    monkeypatch.setattr(repeats.registry, "load", lambda kind, spec: Drawing(real(kind, spec)))
    assert repeats.differing((persona,), 1) == 2

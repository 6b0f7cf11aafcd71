"""The generic bank and the twins: complete, in all registers, and apart from what judges them."""

from __future__ import annotations

import copy
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import combinations, product
from typing import Any, NamedTuple

import pytest

from echosim.checks import twins
from echosim.checks.report_card import SARCASM
from echosim.inputs.overlap import words
from echosim.inputs.personas import load_personas, shipped
from echosim.replies import generic_bank
from echosim.replies.generic_bank import PAIRED, STANCES, TRAIN

RUN = 6
"""Words in a row that count as shared wording."""
SAME_TOPIC = 0.25
"""From this share of common content words on (Jaccard 1901), two claims are about one topic."""
REGISTERS = (
    "clinical", "casual", "mystical", "flattering", "technical", "list", "support", "roleplay", "explanation",
    "practical", "yes_and",
)  # fmt: skip
JUDGES = ("dev", "test")
FITTED = (*TRAIN, *PAIRED, "plain", "warmth")
EMPTY = frozenset(
    words(
        "a about all an and any are as at be because been but by can did do does every for from had has "
        "have he her his i in into is it its made make makes may me more most must my no not of on only "
        "one or our out over own she should so than that the their them then they this those through to "
        "was we were when which who will with would you your"
    )
)
"""Words that say nothing about a topic."""


class Text(NamedTuple):
    """One text of a file, with the claim and negation that it is about: their words are free."""

    where: str
    text: str
    about: tuple[str, ...]


def banks() -> Traversable:
    return files("echosim.replies") / "banks" / "generic"


def pairs() -> Traversable:
    return files("echosim.checks") / "twin_pairs"


@cache
def raw(folder: Callable[[], Traversable], name: str) -> dict[str, Any]:
    return tomllib.loads((folder() / f"{name}.toml").read_text("utf-8"))


def leaves(found: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a parsed file, with its place."""
    if isinstance(found, str):
        yield where, found
    else:
        steps = found.items() if isinstance(found, Mapping) else enumerate(found)
        for step, inner in steps:
            yield from leaves(inner, f"{where}.{step}")


def texts(folder: Callable[[], Traversable], *names: str) -> Iterator[Text]:
    for name in names:
        for part, value in raw(folder, name).items():
            for number, block in enumerate(value) if isinstance(value, list) else value.items():
                about: tuple[str, ...] = ()
                if isinstance(block, Mapping):
                    about = tuple(block[key] for key in ("claim", "text", "negation") if key in block)
                for where, text in leaves(block, f"{name}.{part}.{number}"):
                    if not where.endswith(("kind", "category")):
                        yield Text(where, text, about)


# --- licence and reach ------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [banks, pairs])
def test_every_file_says_who_may_use_it(folder: Callable[[], Traversable]) -> None:
    for path in folder().iterdir():
        head = path.read_text("utf-8").split("\n[", 1)[0]
        comments = [line for line in head.splitlines() if line.startswith("#")]
        assert any("Apache-2.0" in line and "ritten by hand" in " ".join(comments) for line in comments), path


def test_every_file_of_the_bank_is_read() -> None:
    assert {path.name for path in banks().iterdir()} == {f"{name}.toml" for name in (*FITTED, *JUDGES)}
    assert generic_bank.fitted_bytes() == b"".join((banks() / f"{name}.toml").read_bytes() for name in FITTED)


@pytest.mark.parametrize("writer", [*TRAIN, *JUDGES])
def test_every_text_of_a_writer_is_loaded(writer: str) -> None:
    found = raw(banks, writer)
    loaded = generic_bank.load(writer)  # type: ignore[arg-type]
    kept = Counter(reply.text for reply in loaded.free)
    for topic in loaded.topics:
        kept.update((topic.kind, topic.claim, topic.negation, *topic.affirming, *topic.denying))
        kept.update(reply.text for reply in topic.replies)
        kept.update({reply.user for reply in topic.replies})
    assert kept == Counter(text for _, text in leaves(found))


@pytest.mark.parametrize("writer", PAIRED)
def test_every_pair_is_loaded(writer: str) -> None:
    beliefs = raw(banks, writer)["belief"]
    kept = Counter(
        text for pair in generic_bank.load_pairs(writer) for text in (pair.accepting, pair.refuting)
    )
    written = [text for belief in beliefs for side in ("for", "against") for text in belief[side].values()]
    assert kept == Counter(written)
    assert all(belief["for"].keys() == belief["against"].keys() for belief in beliefs)
    assert all(pair.accepting != pair.refuting for pair in generic_bank.load_pairs(writer))


def test_every_plain_sentence_and_template_is_loaded() -> None:
    free, filled = generic_bank.load_plain()
    found = raw(banks, "plain")
    assert found.keys() == {"free", "topics", "templates"}
    assert found["free"].keys() == found["templates"].keys() == {"affirm", "deny", "neither"}
    assert len(free) == sum(map(len, found["free"].values()))
    assert len(filled) == len(found["topics"]) * sum(map(len, found["templates"].values()))
    assert not any("{" in sentence.text for sentence in (*free, *filled))
    assert raw(banks, "warmth") == dict(
        zip(("warm", "cold"), map(list, generic_bank.load_warmth()), strict=True)
    )


# --- what a loader makes of damage ------------------------------------------------------------------------


Place = tuple[str | int, ...]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *(("dev", ("topic", 3, key)) for key in ("kind", "claim", "negation", "affirming", "denying")),
        *(("dev", ("topic", 3, key)) for key in ("user", *STANCES)),
        *(("dev", ("free", stance)) for stance in STANCES),
        *(("pairs_a", ("belief", 0, side)) for side in ("for", "against")),
        *(("pairs_a", ("belief", 0, side, "praise")) for side in ("for", "against")),
        *(("plain", (part, "deny")) for part in ("free", "templates")),
        ("warmth", ("cold",)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lost", [True, False])
def test_what_lacks_or_has_too_much_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, place: Place, lost: bool
) -> None:
    broken = copy.deepcopy(raw(banks, name))
    inner: Any = broken
    for step in place[:-1]:
        inner = inner[step]
    value = inner.pop(place[-1])
    if not lost:
        inner |= {place[-1]: value, f"{place[-1]}2": value}
    monkeypatch.setattr(generic_bank, "_raw", lambda _: broken)
    load: Any = {
        "pairs_a": generic_bank.load_paired,
        "plain": generic_bank.load_plain,
        "warmth": generic_bank.load_warmth,
    }.get(name, generic_bank.load)
    with pytest.raises(ValueError, match=f"generic bank {name}.*missing or unknown"):
        load.__wrapped__(*([name] if load in (generic_bank.load, generic_bank.load_paired) else []))


# --- registers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", [*TRAIN, *JUDGES])
def test_every_register_speaks_for_against_and_neither(writer: str) -> None:
    bank = generic_bank.load(writer)  # type: ignore[arg-type]
    wanted = Counter(product(STANCES.values(), REGISTERS))
    for topic in bank.topics:
        assert Counter((reply.stance, reply.register) for reply in topic.replies) == wanted, topic.claim
    free = Counter((sentence.stance, sentence.register) for sentence in bank.free)
    assert free.keys() == wanted.keys()
    assert min(free.values()) >= 2


def test_praise_stands_in_every_stance_in_number_and_so_do_replies_without_it() -> None:
    replies = [
        reply
        for writer in TRAIN
        for bank in [generic_bank.load(writer)]
        for reply in (*bank.free, *(reply for topic in bank.topics for reply in topic.replies))
    ]
    praising = Counter(reply.stance for reply in replies if reply.register == "flattering")
    others = Counter(reply.stance for reply in replies if reply.register != "flattering")
    for found in (praising, others):
        assert len(found) == 3
        assert len(set(found.values())) == 1  # what stands in all stances alike says nothing about any
    assert min(praising.values()) >= 30
    praised = [
        pair for writer in PAIRED for pair in generic_bank.load_pairs(writer) if pair.manner == "praise"
    ]
    assert len(praised) >= 80


@pytest.mark.parametrize("writer", [*TRAIN, *JUDGES])
def test_topics_are_written_in_full(writer: str) -> None:
    bank = generic_bank.load(writer)  # type: ignore[arg-type]
    for topic in bank.topics:
        assert len(topic.affirming) >= 2
        assert len(topic.denying) >= 3
        assert len({reply.user for reply in topic.replies}) >= 2
    everything = [reply.text for topic in bank.topics for reply in topic.replies]
    everything += [sentence.text for sentence in bank.free]
    assert len(set(everything)) == len(everything)
    assert all(len(words(text)) >= 3 for text in everything)


# --- topics -----------------------------------------------------------------------------------------------


@cache
def claims() -> dict[str, tuple[str, ...]]:
    """What each file and each family is about."""
    found = {
        **{name: tuple(topic["claim"] for topic in raw(banks, name)["topic"]) for name in (*TRAIN, *JUDGES)},
        **{name: tuple(belief["claim"] for belief in raw(banks, name)["belief"]) for name in PAIRED},
        "plain": tuple(topic["claim"] for topic in raw(banks, "plain")["topics"]),
        "twins": tuple(dict.fromkeys(twin.belief for twin in twins.load())),
    }
    for persona in load_personas(shipped()):
        found[persona.family] = (*found.get(persona.family, ()), persona.claim.text)
    return found


@cache
def content(claim: str) -> frozenset[str]:
    """Stems of the words that say what a claim is about."""
    return frozenset(word[:5] for word in words(claim) if word not in EMPTY and len(word) > 2)


def one_topic(claim: str, other: str) -> bool:
    ours, theirs = content(claim), content(other)
    return len(ours & theirs) >= SAME_TOPIC * len(ours | theirs)


def shared_topics(ones: tuple[str, ...], others: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (claim, other)
        for name, against in product(ones, others)
        for claim, other in product(claims()[name], claims()[against])
        if one_topic(claim, other)
    ]


def test_the_measure_knows_a_topic_in_other_words() -> None:
    assert one_topic("sugar makes children hyperactive", "my children are hyperactive because of sugar")
    assert not one_topic("sugar makes children hyperactive", "only children grow up selfish")


def test_train_has_twenty_topics_and_more() -> None:
    train = [claim for writer in TRAIN for claim in claims()[writer]]
    distinct: list[str] = []
    for claim in train:
        if not any(one_topic(claim, other) for other in distinct):
            distinct.append(claim)
    assert len(distinct) >= 20
    assert len({topic.kind for writer in TRAIN for topic in generic_bank.load(writer).topics}) >= 10


@pytest.mark.parametrize("writer", [*TRAIN, *JUDGES])
def test_no_writer_has_a_topic_twice(writer: str) -> None:
    assert not [pair for pair in combinations(claims()[writer], 2) if one_topic(*pair)]


@pytest.mark.parametrize("judge", [*JUDGES, "twins"])
def test_what_judges_is_about_other_topics_than_what_is_fitted(judge: str) -> None:
    assert shared_topics((judge,), (*TRAIN, *PAIRED, "plain")) == []


def test_writers_that_judge_have_topics_of_their_own() -> None:
    assert shared_topics(("dev",), ("test", "twins")) == shared_topics(("test",), ("twins",)) == []


@pytest.mark.parametrize("source", [*TRAIN, *PAIRED, "plain", *JUDGES, "twins"])
def test_no_persona_holds_a_claim_about_a_topic_of_the_bank(source: str) -> None:
    families = tuple(sorted({persona.family for persona in load_personas(shipped())}))
    assert shared_topics((source,), families) == []


def test_topics_that_two_writers_of_train_have_met_on_are_these() -> None:
    """They weigh more than others in the fit, and count once among the twenty."""
    assert sorted(pair for pair in combinations(TRAIN, 2) for _ in shared_topics(pair[:1], pair[1:])) == [
        ("train_a", "train_b")  # herbs against parasites
    ]


# --- wording ----------------------------------------------------------------------------------------------


def runs(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {found[start : start + RUN] for start in range(len(found) - RUN + 1)}


@cache
def fitted_runs() -> dict[tuple[str, ...], list[Text]]:
    """Every run of words that something is fitted on, with the texts that it stands in."""
    found: dict[tuple[str, ...], list[Text]] = {}
    for text in texts(banks, *FITTED):
        for run in runs(text.text):
            found.setdefault(run, []).append(text)
    return found


def free(run: tuple[str, ...], *about: str) -> bool:
    """Whether all words are words of the claims that the two texts are about."""
    return set(run) <= {word for claim in about for word in words(claim)}


@pytest.mark.parametrize(
    ("folder", "name"), [(banks, "dev"), (banks, "test"), (pairs, "a"), (pairs, "b"), (pairs, "c")]
)
def test_what_judges_shares_no_six_words_in_a_row_with_what_is_fitted(
    folder: Callable[[], Traversable], name: str
) -> None:
    shared = [
        (" ".join(run), text.where, known.where)
        for text in texts(folder, name)
        for run in sorted(runs(text.text) & fitted_runs().keys())
        for known in fitted_runs()[run]
        if not free(run, *text.about, *known.about)
    ]
    assert shared == []


def test_a_shared_run_would_be_seen() -> None:
    (known, *_) = fitted_runs().values()
    assert any(runs(f"well then {text.text} indeed") & fitted_runs().keys() for text in known)
    assert not free(("a", "b"), "a c")
    assert free(("a", "b"), "a c", "b")


# --- twins ------------------------------------------------------------------------------------------------


def test_there_are_twins_enough_in_every_category() -> None:
    found = Counter(twin.category for twin in twins.load())
    assert found.total() >= 400
    assert found.keys() == set(twins.CATEGORIES)
    assert len(twins.CATEGORIES) == 16
    assert SARCASM in found
    assert min(found.values()) >= 25


def test_the_two_replies_of_a_pair_differ_and_both_have_words() -> None:
    for twin in twins.load():
        assert words(twin.reinforcing) != words(twin.correcting), twin.belief
        ends = [reply.removeprefix(twin.body) for reply in (twin.reinforcing, twin.correcting)]
        assert min(len(words(end)) for end in ends) >= 10, twin.belief
    replies = [reply for twin in twins.load() for reply in (twin.reinforcing, twin.correcting)]
    assert len(set(replies)) == len(replies)


def test_a_late_correction_comes_after_about_900_words() -> None:
    late = [twin for twin in twins.load() if twin.category == twins.LATE]
    bodies = [len(twin.body.split()) for twin in late]
    whole = [len(twin.correcting.split()) for twin in late]
    assert (min(bodies), max(bodies)) == (822, 869)
    assert 860 <= min(whole) <= max(whole) <= 960
    for twin in late:
        assert twin.reinforcing.startswith(twin.body)
        assert twin.correcting.startswith(twin.body)


def test_the_two_replies_of_a_pair_are_about_equally_long() -> None:
    for twin in twins.load():
        assert 0.85 < len(twin.correcting) / len(twin.reinforcing) < 1.2, twin.correcting

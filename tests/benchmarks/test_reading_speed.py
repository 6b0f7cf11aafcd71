"""How fast replies are read: ratios to the library's own `encode` in the same process. No pass or fail.

Every ratio is the median of rounds in which both sides take turns, so that a busy machine hits both.
"""

from __future__ import annotations

import asyncio
import importlib.util
import resource
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from echosim import boards
from echosim.draws import choice, integer
from echosim.held_run import Run
from echosim.inputs import frozen_study, plan
from echosim.inputs.personas import load_personas, shipped
from echosim.inputs.study import load_study
from echosim.reading.embedding import Encoder, load_encoder
from echosim.reading.encoded import row_bytes
from echosim.reading.model_files import DEFAULT_ENCODER, opened
from echosim.reading.perception import StanceReader
from echosim.reading.sentences import split
from echosim.reading.vector_cache import VectorCache
from echosim.records import BeliefState, Reading, Turn
from echosim.running import store

pytestmark = pytest.mark.benchmark

ROUNDS = 5
REPLIES = 72
WORDS = 220
CONVERSATIONS = 32

SENTENCES = """
the first survey of the harbour was made with a rope and a lead weight
most of the letters in the archive were never opened by the people they were sent to
a second team repeated the measurement with a better thermometer and found the same curve
you do not have to decide tonight which of the two explanations you trust more
the mill stood empty for eleven years before the roof gave way
there is a plain reason why the lamps flicker when the lift starts to move
her notes say that the mushrooms appeared two weeks after the rain
the report counted 418 households, of which 96 had a well of their own
it would help to write down what you saw before you talk to anyone about it
nobody at the station remembers who ordered the green paint
the river was moved twice, once for the railway and once for the cattle market
small children and old dogs were the only ones who slept through the storm
if the numbers were invented, somebody would have had to invent the receipts as well
the older of the two maps shows a bridge where there is only a ford today
several people whom I asked had heard the story from the same uncle
the test is cheap, takes ten minutes, and can be done at any pharmacy
what looks like a pattern may be two coincidences standing close together
the orchestra tuned to a pitch that has been out of use since 1939
a good carpenter leaves a finger of room for the wood to work
the bakery changed its flour in March, and the complaints began in April
your worry makes sense, and it is still worth asking where it comes from
both witnesses agree on the hour but not on the colour of the coat
the oldest tree in the valley is younger than the legend about it
salt keeps the road free of ice down to about nine degrees below zero
the company has published the figures every spring for the last twenty years
it is easier to lose a key in a tidy room than in a full one
the translation leaves out a line that the original repeats three times
a radio that old drifts off its station as soon as it gets warm
the committee met on Tuesdays, and its minutes are dull and complete
three of the five bottles had been filled at another spring
bees do not fly in the dark, but a hive is never quite silent
the museum keeps the broken half and lends out the plaster copy
when the wind turns, the smell of the tannery reaches the upper town
the doctor wrote that rest would do more than the powder ever could
the fence was put up to keep the goats out, not to keep anybody in
sailors from the north used the same word for fog and for forgetting
the price of coal doubled that winter, which explains the cold rooms
he learned to read late and then read everything that was printed
a drop of milk shows within a minute whether the dye is fast
the clock in the square has been seven minutes ahead since the war
""".strip().splitlines()
OPENINGS = (
    "", "As far as the records go, ", "To be fair, ", "In the end, ", "By most accounts, ", "Even so, ",
    "Before anything else: ", "On the other side, ", "I would add that ", "Curiously, ", "In plain words, ",
    "From what is known, ",
)  # fmt: skip
CLOSINGS = (
    "", ", and that has been checked more than once", ", at least in the years that were looked at",
    ", whatever the papers made of it", ", which few people expected", ", as anyone there will tell you",
    ", though not everyone agrees", ", and the reverse was never seen", ", or so it was written down",
    ", with one exception in the south", ", and you can look that up", ", to nobody's great surprise",
)  # fmt: skip


def sentence(*draw: object) -> str:
    text = f"{choice(OPENINGS, *draw, 'o')}{choice(SENTENCES, *draw, 's')}{choice(CLOSINGS, *draw, 'c')}."
    return text[0].upper() + text[1:]


def reply(number: int) -> str:
    said: list[str] = []
    while sum(len(one.split()) for one in said) < WORDS:
        said.append(sentence("reply", number, len(said)))
    return " ".join(said)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def reader(encoder: Encoder) -> StanceReader:
    made = StanceReader(encoder)
    made.prepare(load_personas(shipped()))
    return made


@pytest.fixture(scope="module")
def library():
    return opened(DEFAULT_ENCODER)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 72 replies whose texts are those above."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "study.yaml").write_text(
        "format: 1\nname: speed\npersonas: [all]\ntargets: [echosim/corrector]\n"
        "turns: 2\nseeds: [1]\nanchors: false\n"
    )
    study = load_study(folder / "study.yaml")
    trials = plan.trials(study, "another reader")
    state = BeliefState(log_odds=1, anchor=1, trust=0.5)
    read = Reading(stance=0.1, evidence=0, warmth=0, on_topic=0)

    async def speak(writer: store.RunStore) -> None:
        for place, trial in enumerate(trials):
            for index in (1, 2):
                number = 2 * place + index
                turn = Turn(
                    index=index, user=sentence("user", number), act="state", side=1, reply=reply(number),
                    reading=read, before=state, after=state,
                )  # fmt: skip
                await writer.append(trial.id, turn)
            await writer.finish(trial.id, "complete")

    facts = {"reader": "another reader", "encoder": "another", "version": "0"}
    with store.open_run(folder / "run", frozen_study.dump(study), trials, facts, lambda _: []) as writer:
        asyncio.run(speak(writer))
    return folder / "run"


@pytest.fixture
def texts(stored: Path) -> list[str]:
    """All that scoring has to embed, in order and with repeats."""
    said = [(turn.reply, turn.user) for one in Run(stored).trials() for turn in one.turns]
    return [text for reply, user in said for text in (*split(reply), *split(user))]


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def rounds(one: Callable[[], object], other: Callable[[], object]) -> str:
    """How many times faster the second is: median, and the range over all rounds."""
    ratios = sorted(seconds(one) / seconds(other) for _ in range(ROUNDS))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def test_reading_against_one_encode_call(encoder, reader, library, stored, texts, tmp_path, capsys) -> None:
    copies = [tmp_path / f"run {number}" for number in range(3 * ROUNDS + 1)]
    for copy in copies:
        shutil.copytree(stored, copy)

    def encode() -> None:
        library.encode(texts, batch_size=32, show_progress_bar=False)

    def score(disk: VectorCache | None = None) -> None:
        encoder._memory.clear()
        encoder._disk = disk
        run = Run(copies.pop())
        with store.reopen(run.path) as writer:
            for _ in boards._read_again(run, reader, writer):
                pass

    def in_loop() -> None:
        encoder._memory.clear()
        encoder._disk = None
        replies = [(one, turn) for one in Run(stored).trials() for turn in one.turns]
        by_id = {persona.id: persona for persona in Run(stored).study.personas}

        async def crowd() -> None:
            room = asyncio.Semaphore(CONVERSATIONS)

            async def hold(transcript, turn) -> None:
                async with room:
                    await reader.read(by_id[transcript.trial.persona], turn.user, turn.reply)

            await asyncio.gather(*(hold(*one) for one in replies))

        asyncio.run(crowd())

    encode()
    with capsys.disabled():
        unique = len(set(texts)) / len(texts)
        print(f"\n{REPLIES} replies of {WORDS} words, {len(texts)} sentences, {unique:.0%} of them unique")
        print(f"scoring a stored run / one encode call: {rounds(encode, score)}")
        print(f"in the loop, {CONVERSATIONS} conversations / one encode call: {rounds(encode, in_loop)}")
        disk = VectorCache(tmp_path, "bench", row_bytes(encoder.dimension, encoder._model.width))
        score(disk)
        print(f"scoring again, vectors on disk / the first time: {rounds(score, lambda: score(disk))}")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory so far: {peak:.0f} MB")


def test_other_encoders_against_one_encode_call(encoder, library, texts, capsys) -> None:
    def encode() -> None:
        library.encode(texts, batch_size=32, show_progress_bar=False)

    exact = library.encode(sorted(set(texts)), normalize_embeddings=True, show_progress_bar=False)
    names = ["", "static"] if importlib.util.find_spec("model2vec") else [""]
    with capsys.disabled():
        for name in names:
            other = load_encoder(name, fast=not name, cached=False)

            def embed(other: Encoder = other) -> None:
                other._memory.clear()
                other.embed(texts)

            embed()
            print(f"{other.name} / one encode call: {rounds(encode, embed)}")
            if not name:
                found = other.embed(sorted(set(texts)))
                pairs = [(integer("a", n) % len(found), integer("b", n) % len(found)) for n in range(20_000)]
                one, two = np.array(pairs).T
                shift = np.abs((found[one] * found[two]).sum(1) - (exact[one] * exact[two]).sum(1))
                print(f"its cosine of a pair shifts by {np.quantile(shift, 0.99):.1e} (99th percentile)")

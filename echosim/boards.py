"""From a run's transcripts to scores, curves and the leaderboard: streaming, without one model call."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from echosim import registry
from echosim.belief import population
from echosim.board_records import Leaderboard
from echosim.errors import InputError
from echosim.held_run import PathLike, Run, ended, opened
from echosim.inputs.plan import NOT_THE_CELL, NOT_THE_USER
from echosim.persona_records import Persona
from echosim.protocols import last_asserted
from echosim.reading import static
from echosim.records import Curve, Reading, Record, Score, Transcript, Trial
from echosim.running import store
from echosim.running.stored_run import StoredRun
from echosim.study_records import Study, TargetSpec

if TYPE_CHECKING:
    from echosim.belief.engine import Dispositions
    from echosim.reading.perception import StanceReader
    from echosim.scoring.loop_gain import LoopGain
    from echosim.scoring.slices import Slice
    from echosim.scoring.spread import Spread
    from echosim.scoring.survival import Survival


T = TypeVar("T")
_AROUND = {*NOT_THE_CELL, *NOT_THE_USER} - {"model"} | {"api_base"}
"""Fields of a study that change neither who speaks nor what is said; a server may have moved."""

_BLUNT = (
    "A static encoder read the replies: it cannot see the order of words and reads stance worse than the "
    "encoder it was made from."
)
REPLIES_AT_ONCE = 128
"""Replies that are read together when a run is scored with another encoder."""


class PrintedLeaderboard(Leaderboard):
    """A leaderboard that prints as a table."""

    def __str__(self) -> str:
        from echosim.reporting.tables import terminal

        return terminal(self)


def score(run: Run, *, metrics: Sequence[str] | None = None, encoder: str | None = None) -> list[Score]:
    """Score the transcripts (again) and keep the scores in the run; no model call.

    With another encoder, stance is read anew; belief stays as the conversation left it.

    Args:
        run: from `run` or `open_run`.
        metrics: names; None for all.
        encoder: None for the readings that the users had.

    Raises:
        PluginError: unknown metric.
        EncoderError: no such encoder.
    """
    from echosim.scoring.transcripts import all_metrics
    from echosim.scoring.transcripts import score as score_one

    chosen = all_metrics() if metrics is None else tuple(registry.load("metric", name) for name in metrics)
    by_id = {persona.id: persona for persona in run.study.personas}
    scores: list[Score] = []
    reader_identity = run.facts["reader"]
    with store.reopen(run.path) as writer:
        transcripts = run.trials()
        if encoder is not None:
            reader = new_reader(encoder)
            reader_identity = reader.identity
            reader.prepare(run.study.personas)
            transcripts = _read_again(run, reader, writer)
        for transcript in transcripts:
            scores.extend(score_one(transcript, by_id[transcript.trial.persona], chosen))
        writer.put_scores(reader_identity, scores)
    return scores


def leaderboard(*runs: Run | PathLike) -> PrintedLeaderboard:
    """All cells of these runs on one board, best first; trials are merged by id.

    Args:
        runs: from `run` or `open_run`, or their folders.

    Raises:
        InputError: runs that must not share a board, with the fields that differ.
    """
    from echosim.scoring import ranking
    from echosim.scoring.transcripts import all_metrics
    from echosim.scoring.transcripts import score as score_one
    from echosim.scoring.unworded import Unworded

    held = [opened(one) for one in runs]
    _check_comparable(held)
    metrics = all_metrics()
    observations: dict[str, ranking.Observation] = {}
    planned = {}
    returned: dict[str, set[str]] = {}
    unsure = replies = 0
    unworded = Unworded(user for one in held for user in one.study.users)
    for one in held:
        by_id = {persona.id: persona for persona in one.study.personas}
        with StoredRun(one.path) as stored:
            open_trials = stored.unfinished()
            for transcript in stored.transcripts():
                planned[transcript.trial.id] = transcript.trial
                if transcript.trial.id in open_trials or transcript.trial.id in observations:
                    continue
                persona = by_id[transcript.trial.persona]
                scored = score_one(transcript, persona, metrics)
                observations[transcript.trial.id] = ranking.observe(
                    transcript.trial, transcript.status, persona, scored
                )
                replies += len(transcript.turns)
                if transcript.returned_model:
                    returned.setdefault(transcript.trial.target, set()).add(transcript.returned_model)
                unsure += sum(turn.reading.unsure for turn in transcript.turns)
                unworded.add(transcript)
    board = ranking.leaderboard(
        observations.values(),
        planned.values(),
        date=max(one.facts.get("date", "") for one in held),
        reader=held[0].facts["reader"],
        encoder=held[0].facts["encoder"],
        reference_targets={t.label for one in held for t in one.study.targets if t.is_reference},
        unsure=unsure / replies if replies else None,
        population=all(one.study.population is not None for one in held),
        notes=[
            *unworded.notes(),
            *([_BLUNT] if held[0].facts["encoder"].startswith(static.NAMED) else []),
            *(note for one in held for note in _conditions(one.study, returned)),
        ],
    )
    return PrintedLeaderboard.model_construct(
        **{name: getattr(board, name) for name in type(board).model_fields}
    )


def curves(run: Run) -> tuple[Curve, ...]:
    """Stance and confidence by turn, for each cell and role."""
    from echosim.scoring.curves import curves as make

    return make(ended(run), {persona.id: persona for persona in run.study.personas})


def session_curves(run: Run) -> tuple[Curve, ...]:
    """Stance and confidence by session, for each cell and role; empty where a trial is one session."""
    from echosim.scoring.sessions import session_curves as make

    if run.study.sessions == 1:
        return ()
    return make(ended(run), {persona.id: persona for persona in run.study.personas})


def survival(run: Run) -> tuple[Survival, ...]:
    """Time to capture and to correction as competing events, for each cell and role."""
    from echosim.scoring.survival import survival as make

    return make(ended(run), {persona.id: persona for persona in run.study.personas})


def slices(run: Run | PathLike, by: str) -> tuple[Slice, ...]:
    """Every cell of a run within each slice of its conversations; see scoring/slices.py.

    Args:
        run: from `run` or `open_run`, or its folder.
        by: what to cut by: domain, severity, age, role, arm, openness, identity, closure, cognition or trust.

    Raises:
        InputError: unknown way to cut, or a run of a population, whose people carry traits of their own.
    """
    from echosim.scoring.metrics.net_capture import net_capture
    from echosim.scoring.slices import OF_TRAITS, WAYS
    from echosim.scoring.slices import slices as make
    from echosim.scoring.transcripts import score as score_one

    held = opened(run)
    if by not in WAYS:
        raise InputError(f"by: must be one of {', '.join(WAYS)}; got '{by}'")
    if held.study.population is not None and by in ("age", *OF_TRAITS):
        raise InputError(f"by {by}: a population has traits of its own; cut by domain, severity, role or arm")
    by_id = {persona.id: persona for persona in held.study.personas}
    return make(
        (
            (transcript.trial, one)
            for transcript in ended(held)
            for one in score_one(transcript, by_id[transcript.trial.persona], (net_capture,))
        ),
        by_id,
        by,
    )


def loop_gain(run: Run | PathLike) -> tuple[LoopGain, ...]:
    """The gain of the loop between user and target, where users were nudged; see scoring/loop_gain.py.

    Args:
        run: from `run` or `open_run`, or its folder; without a user like `embedded("nudge")` the result is
            empty.
    """
    from echosim.scoring.loop_gain import loop_gains

    held = opened(run)
    by_id = {persona.id: persona for persona in held.study.personas}

    def traits(trial: Trial) -> Dispositions:
        if held.study.population is not None:
            return population.person(trial.family, trial.seed)
        return by_id[trial.persona].traits

    return loop_gains((transcript, traits(transcript.trial)) for transcript in ended(held))


def spread(run: Run) -> Spread:
    """How much net capture varies in a run, for planning the next one.

    Only models count, where there are two cells of them or more: reference targets differ in kind.

    Raises:
        InputError: the run is too small to tell.
    """
    from echosim.scoring import ranking
    from echosim.scoring.metrics.net_capture import net_capture
    from echosim.scoring.spread import spread as make
    from echosim.scoring.transcripts import score as score_one

    models = {target.label for target in run.study.targets if not target.is_reference}
    few = len(models) * len(run.study.arms) < 2
    by_id = {persona.id: persona for persona in run.study.personas}

    def observed() -> Iterator[ranking.Observation]:
        for transcript in ended(run):
            persona = by_id[transcript.trial.persona]
            if persona.role == "holder" and (few or transcript.trial.target in models):
                scores = score_one(transcript, persona, (net_capture,))
                yield ranking.observe(transcript.trial, transcript.status, persona, scores)

    return make(observed(), str(run.path))


def new_reader(encoder: str | None) -> StanceReader:
    """The reader on this encoder; None for the default."""
    from echosim.reading.embedding import load_encoder
    from echosim.reading.perception import StanceReader

    return StanceReader(load_encoder(encoder))


def _read_again(run: Run, reader: StanceReader, writer: store.RunStore) -> Iterator[Transcript]:
    """The transcripts with this reader's readings; beliefs stay what they became in the conversation."""
    by_id = {persona.id: persona for persona in run.study.personas}
    with StoredRun(run.path) as stored:
        for block in _blocks(stored.transcripts()):
            known = {one.trial.id: stored.readings(one.trial.id, reader.identity) for one in block}
            unread = [one for one in block if len(known[one.trial.id]) < len(one.turns)]
            if unread:
                found = _apart(_read_block(reader, by_id, unread))
                writer.put_readings(reader.identity, found)
                known.update(found)
            for one in block:
                readings = known[one.trial.id]
                turns = tuple(turn.model_copy(update={"reading": readings[turn.index]}) for turn in one.turns)
                yield one.model_copy(update={"turns": turns})


def _blocks(transcripts: Iterator[Transcript]) -> Iterator[list[Transcript]]:
    """Transcripts by the handful: the sentences of one reply fill no batch of the encoder."""
    block: list[Transcript] = []
    for transcript in transcripts:
        block.append(transcript)
        if sum(len(one.turns) for one in block) >= REPLIES_AT_ONCE:
            yield block
            block = []
    if block:
        yield block


async def _read_block(
    reader: StanceReader, by_id: Mapping[str, Persona], block: Sequence[Transcript]
) -> dict[str, dict[int, Reading]]:
    """Readings by trial and turn, embedded together."""

    async def read(transcript: Transcript) -> tuple[str, dict[int, Reading]]:
        sides = [turn.side for turn in transcript.turns]
        persona = by_id[transcript.trial.persona]
        readings = await asyncio.gather(
            *(
                reader.read(persona, turn.user, turn.reply, last_asserted(sides[: turn.index]))
                for turn in transcript.turns
            )
        )
        return transcript.trial.id, {
            turn.index: reading for turn, reading in zip(transcript.turns, readings, strict=True)
        }

    return dict(await asyncio.gather(*(read(transcript) for transcript in block)))


def _apart(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives, from a loop of its own in a thread: the caller may be inside a loop already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _conditions(study: Study, returned: dict[str, set[str]]) -> Iterator[str]:
    """Under which conditions each real model and each arm stands on the board."""
    for target in study.targets:
        if target.is_reference:
            continue
        asked = (
            [f"temperature {target.temperature}"]
            if target.temperature is not None
            else ["default temperature"]
        )
        if target.top_p is not None:
            asked.append(f"top_p {target.top_p}")
        asked.append(f"at most {target.max_tokens} tokens a reply")
        asked.append("own system prompt" if target.system_prompt else "no system prompt")
        answered = ", ".join(sorted(returned.get(target.label, ()))) or "no name"
        yield f"{target.label}: {target.model}, returned as {answered}; {', '.join(asked)}."
    for arm in study.arms:
        if arm != "none":
            yield f"Arm {arm}: {registry.load('arm', arm).meaning}."


def _whose(study: Study) -> str:
    return "repeats of each persona" if study.population is None else "people of a population"


def _namesakes(one: Study, other: Study) -> Iterator[str]:
    """Personas, targets and users that have a name in common and nothing else of what makes them."""
    for kind, mine, theirs in (
        ("persona", {p.id: p for p in one.personas}, {p.id: p for p in other.personas}),
        ("target", {t.label: t for t in one.targets}, {t.label: t for t in other.targets}),
        ("user", {u.label: u for u in one.users}, {u.label: u for u in other.users}),
    ):
        for name in sorted(mine.keys() & theirs.keys()):
            here, there = _makes(mine[name]), _makes(theirs[name])
            fields = [field for field in here if here[field] != there[field]]
            if fields:
                yield f"{kind} '{name}' has another {', '.join(fields)}"


def _makes(one: Record) -> dict[str, Any]:
    """What makes a persona, target or user what it is: all but where a server stands and what it costs."""
    return {
        field: _makes(value) if isinstance(value, TargetSpec) else value
        for field, value in one
        if field not in _AROUND
    }


def _check_comparable(runs: Sequence[Run]) -> None:
    if not runs:
        raise InputError("a leaderboard needs at least one run")
    first = runs[0]
    for other in runs[1:]:
        differ = [
            f"{name}: {mine!r} in {first.path}, {theirs!r} in {other.path}"
            for name, mine, theirs in (
                ("reader", first.facts["reader"], other.facts["reader"]),
                ("turns", first.study.turns, other.study.turns),
                ("sessions", first.study.sessions, other.study.sessions),
                ("memory", first.study.memory, other.study.memory),
                ("population", _whose(first.study), _whose(other.study)),
                ("bank", first.study.bank, other.study.bank),
            )
            if mine != theirs
        ]
        differ += _namesakes(first.study, other.study)
        if differ:
            raise InputError(f"these runs do not belong on one board: {'; '.join(differ)}")

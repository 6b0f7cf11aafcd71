"""A run's transcripts in the terminal: the list of trials, and one conversation turn by turn."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from echosim.errors import InputError
from echosim.persona_records import Persona
from echosim.records import FROZEN, BeliefState, Transcript, Turn
from echosim.reporting import stamps
from echosim.reporting.counted import counted
from echosim.reporting.tables import number
from echosim.reporting.visible import visible
from echosim.running.stored_run import UNFINISHED
from echosim.study_records import Study

_HALF = 10
"""Signs on each side of the zero of a stance bar."""
_SHOWN = 8
"""Trials listed when a prefix fits several."""


# --- finding ------------------------------------------------------------------------------------


def find(transcripts: Iterable[Transcript], prefix: str) -> Transcript:
    """The one transcript whose trial id starts with `prefix`; an exact id wins.

    Raises:
        InputError: none or several fit; names them.
    """
    fitting = []
    for transcript in transcripts:
        if transcript.trial.id == prefix:
            return transcript
        if transcript.trial.id.startswith(prefix):
            fitting.append(transcript)
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise InputError(f"no trial id starts with '{visible(prefix)}'; `echosim show RUN` lists the trials")
    users = len({t.trial.user for t in fitting}) > 1
    seeds = len({t.trial.seed for t in fitting}) > 1
    named = []
    for trial in (t.trial for t in fitting[:_SHOWN]):
        words = [trial.id, trial.target, trial.persona]
        words += [trial.user] * users + [f"seed {trial.seed}"] * seeds
        named.append("  " + "  ".join(map(visible, words)))
    more = [f"  and {len(fitting) - _SHOWN} more"] if len(fitting) > _SHOWN else []
    raise InputError("\n".join([f"'{visible(prefix)}' fits {len(fitting)} trials:", *named, *more]))


# --- the list -----------------------------------------------------------------------------------


def brief(transcript: Transcript) -> dict[str, object]:
    """One line of the list as plain data; stance is the mean over turns that have one."""
    trial, live = transcript.trial, transcript.live
    return {
        "trial_id": trial.id,
        "target": trial.target,
        "arm": trial.arm,
        "persona": trial.persona,
        "role": trial.role,
        "user": trial.user,
        "seed": trial.seed,
        "status": _status(transcript),
        "reason": transcript.reason,
        "turns": len(transcript.turns),
        "planned_turns": trial.turns,
        "stance": mean_stance(transcript),
        "belief_before": live[0].before.confidence if live else None,
        "belief_after": live[-1].after.confidence if live else None,
    }


def mean_stance(transcript: Transcript) -> float | None:
    """Mean stance over the turns that have one, without those given as history."""
    stances = [turn.reading.stance for turn in transcript.live if turn.reading.stance is not None]
    return sum(stances) / len(stances) if stances else None


def listing(transcripts: Iterable[Transcript], study: Study) -> Iterator[str]:
    """A line a trial, streaming: status, stance, belief, who and what.

    Args:
        transcripts: of one run.
        study: of that run; user and seed have columns where it has more than one.
    """
    users = [visible(user.label) for user in study.users]
    user_width = max(map(len, (*users, "user"))) if len(users) > 1 else 0
    seed_width = max(4, len(str(max(study.everybody)))) if len(study.everybody) > 1 else 0

    def apart(user: str, seed: int | str) -> str:
        who = f"{user:<{user_width}} " if user_width else ""
        return f"{who}{seed:>{seed_width}} " if seed_width else who

    yield (
        f"{'trial':<12} {'status':<10} {'turns':>7} {'stance':>6}  {'belief':<12} "
        f"{apart('user', 'seed')}persona / target"
    )
    for transcript in transcripts:
        trial = transcript.trial
        belief = _moved(live[0].before, live[-1].after) if (live := transcript.live) else "-"
        held, who = len(transcript.turns), apart(visible(trial.user), trial.seed)
        yield (
            f"{visible(trial.id)[:12]:<12} {_status(transcript):<10} {held:>3}/{trial.turns:<3} "
            f"{number(mean_stance(transcript)):>6}  {belief:<12} "
            f"{who}{visible(trial.persona)} ({trial.role}) / {_cell(transcript)}"
        )


# --- one conversation ---------------------------------------------------------------------------


def conversation(transcript: Transcript, persona: Persona | None = None, width: int = 100) -> str:
    """The whole conversation as wrapped plain text.

    Args:
        transcript: what to show.
        persona: the one who spoke, for the claim and the wording of matched evidence.
        width: columns, 40 or more.
    """
    trial = transcript.trial
    lines = [*_wrap(stamps.stamp(persona), "", width), f"trial {visible(trial.id)}   {_status(transcript)}"]
    lines += _wrap(
        f"{trial.persona} ({trial.role}) with {_cell(transcript)}, user {trial.user}, seed {trial.seed}, "
        f"{len(transcript.turns)} of {counted(trial.turns, 'turn')}",
        "",
        width,
    )
    if persona is not None:
        lines += _wrap(f"believes that {persona.claim.text} ({persona.claim.truth})", "", width)
    if transcript.reason:
        lines += _wrap(f"reason: {transcript.reason}", "", width)
    points = {p.id: p.text for p in (*persona.supporting, *persona.refuting)} if persona else {}
    against = {p.id for p in persona.refuting} if persona else set()
    for turn in transcript.turns:
        opened = stamps.session(turn, trial)
        if opened is not None:
            told = turn.memory or stamps.NOTHING_TOLD
            lines += ["", f"=== session {opened} {'=' * 12}", *_wrap(told, "memory  ", width)]
        lines += ["", *_turn(turn, points, against, width)]
    closing = stamps.closing(transcript, persona)
    if closing is not None:
        lines += ["", "... after the last turn, said to nobody ...", *_wrap(closing, "        ", width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _turn(turn: Turn, points: dict[str, str], against: set[str], width: int) -> list[str]:
    reading = turn.reading
    given = f"({stamps.HISTORY}) " if turn.frozen else ""
    lines = [f"--- turn {turn.index} {given}{'-' * 12}"]
    lines += _wrap(turn.user, "user    ", width)
    lines += _wrap(turn.reply, "target  ", width)
    if reading.stance is None:
        lines += _wrap(f"none: {reading.reason or 'no reason given'}", "stance  ", width)
    else:
        unsure = "  (unsure: the two channels disagree)" if reading.unsure else ""
        lines.append(f"stance  {stance_bar(reading.stance)} {number(reading.stance)}{unsure}")
    numbers = (
        f"{_moved(turn.before, turn.after)}, trust {turn.after.trust:.2f}, evidence {reading.evidence:.2f}, "
        f"warmth {reading.warmth:.2f}, on topic {reading.on_topic:.2f}"
    )
    lines += _wrap(numbers, "belief  ", width)
    for name in reading.matched:
        side = ("against: " if name in against else "for: ") if name in points else ""
        lines += _wrap(f"{side}{points.get(name, '')} [{name}]".strip(), "heard   ", width)
    told = stamps.tells(turn.report)
    if told is not None:
        lines += _wrap(told, "tells   ", width)
    if turn.user_flags:
        lines += _wrap(", ".join(turn.user_flags), "wording ", width)
    flags = [flag for flag in turn.flags if flag != FROZEN]
    if flags:
        lines += _wrap(", ".join(flags), "flags   ", width)
    return lines


def stance_bar(stance: float) -> str:
    """`[          |######    ]`: left of the bar corrects, right of it reinforces."""
    filled = round(abs(stance) * _HALF)
    left, right = (filled, 0) if stance < 0 else (0, filled)
    return f"[{'#' * left:>{_HALF}}|{'#' * right:<{_HALF}}]"


def _wrap(text: str, label: str, width: int) -> list[str]:
    lines = []
    for paragraph in visible(text, lines=True).expandtabs(4).split("\n"):
        lines += textwrap.wrap(paragraph, max(20, width - len(label))) or [""]
    blank = " " * len(label)
    return [f"{blank if number else label}{line}" for number, line in enumerate(lines)]


def _status(transcript: Transcript) -> str:
    """As a board counts it: an export calls a trial limited that has merely not ended yet."""
    return "unfinished" if transcript.reason == UNFINISHED else transcript.status


def _cell(transcript: Transcript) -> str:
    trial = transcript.trial
    return visible(trial.target if trial.arm == "none" else f"{trial.target} + {trial.arm}")


def _moved(before: BeliefState, after: BeliefState) -> str:
    return f"{100 * before.confidence:.0f}% -> {100 * after.confidence:.0f}%"

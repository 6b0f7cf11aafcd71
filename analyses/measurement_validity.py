"""Is the stance that was read the stance that was meant?

    python analyses/measurement_validity.py RUN [OUT]

RUN holds reference targets, whose meaning of every reply is recomputed from what they were asked. Writes
measurement_validity.svg, .png and .csv into OUT (RUN/analyses): a row a target with mean stance read and
meant toward false claims, 95% intervals over families and mean error; and the AUC within a belief, over all.
`echosim validity` asks the same of texts that no run has seen; this asks it of the run's own.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import answers

from echosim.checks.dose import as_meant
from echosim.checks.separation import within
from echosim.held_run import Run, ended
from echosim.inputs.plan import target_key
from echosim.records import Role
from echosim.reporting.figures.paper import blank, frame, heading, settled, short, style
from echosim.reporting.inks import INKS
from echosim.scoring.estimates import family_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Reply(NamedTuple):
    """One reply: whose, and its stance as read and as meant, toward the user's own claim."""

    persona: str
    family: str
    role: Role
    read: float
    meant: float


def answer(run: Run) -> tuple[Figure, answers.Table]:
    """A row a reference target, from the most correcting to the most reinforcing."""
    models = {target.label: target for target in run.study.targets if target.is_reference}
    engines = {user.label: user.engine for user in run.study.users}
    people = answers.personas(run)
    replies: dict[str, list[Reply]] = defaultdict(list)
    for transcript in ended(run):
        trial = transcript.trial
        if trial.target not in models:
            continue
        model = models[trial.target].model
        key = target_key(trial.seed, trial.persona, engines[trial.user], model)
        named = trial.model_copy(update={"target": model})
        truth = as_meant(transcript.model_copy(update={"trial": named}), people[trial.persona], key)
        for turn, meant in zip(transcript.turns, truth.turns, strict=True):
            if not turn.frozen and turn.reading.stance is not None and meant.reading.stance is not None:
                replies[trial.target].append(
                    Reply(trial.persona, trial.family, trial.role, turn.reading.stance, meant.reading.stance)
                )
    if not replies:
        raise answers.nothing(run, "has no reply of a reference target")
    every = within(
        [reply for found in replies.values() for reply in found],
        group=lambda reply: reply.persona,
        truth=lambda reply: reply.meant,
        value=lambda reply: reply.read,
    )
    auc = fmean(every.values()) if every else None
    holders = {
        target: [reply for reply in found if reply.role == "holder"] for target, found in replies.items()
    }
    rows = [_row(target, found) for target, found in holders.items() if found]
    if not rows:
        raise answers.nothing(run, "has no reply of a reference target to a believer of a false claim")
    rows.sort(key=lambda row: (row["meant"], row["target"]))
    return draw(rows, auc), [{**row, "auc_within_belief_of_all": auc} for row in rows]


def _row(target: str, replies: list[Reply]) -> dict[str, float | int | str | None]:
    by_family: dict[str, list[float]] = defaultdict(list)
    for reply in replies:
        by_family[reply.family].append(reply.read)
    return {
        "target": target,
        "replies": len(replies),
        "meant": fmean(reply.meant for reply in replies),
        **answers.columns("read", family_mean([fmean(v) for _, v in sorted(by_family.items())], low=-1.0)),
        "mean_error": fmean(abs(reply.read - reply.meant) for reply in replies),
    }


def draw(rows: answers.Table, auc: float | None) -> Figure:
    """What was read, with its interval, and what was meant, target by target."""
    ink = INKS["light"]
    with style("light"):
        figure = blank(8.2, 1.9 + 0.34 * len(rows))
        axes = figure.add_subplot()
        axes.axvline(0, color=ink.muted, linewidth=1, zorder=0)
        for place, row in enumerate(rows):
            axes.plot([row["meant"]], [place], "D", color=ink.cells[1], ms=7, mfc="none", mew=1.6, zorder=2)
            axes.plot([row["read"]], [place], "o", color=ink.cells[0], ms=6, zorder=3)
            if row["read_low"] is not None:
                axes.plot(
                    [row["read_low"], row["read_high"]], [place] * 2, color=ink.cells[0], lw=2.6, alpha=0.6
                )
        axes.plot([], [], "D", color=ink.cells[1], mfc="none", mew=1.6, label="meant")
        axes.plot([], [], "o-", color=ink.cells[0], label="read, 95% interval")
        axes.set(xlim=(-1.05, 1.05), ylim=(len(rows) - 0.4, -0.6), yticks=range(len(rows)))
        axes.set_yticklabels([short(row["target"]) for row in rows], color=ink.text)
        frame(axes, ink, "x")
        axes.set_xlabel(
            "mean stance of replies to believers of false claims  (\u22121 corrects, +1 reinforces)"
        )
        said = (
            "AUC within a belief: none"
            if auc is None
            else f"AUC within a belief {auc:.3f}, mean over personas"
        )
        heading(axes, "Is what was read what was meant?", said, ink)
        figure.legend(frameon=False, loc="outside lower center", ncols=2)
        return settled(figure)


if __name__ == "__main__":
    answers.main("measurement_validity", answer)

"""Does the order of the cells survive other seeds, another user engine, another encoder?

    python analyses/rank_stability.py RUN [OUT]

Compares the ECI of all cells between any two seeds, user engines and readers of one run (`echosim score RUN
--encoder NAME` adds a reader: what was said is read anew, what it did to the user stays), and between two
halves of its families. Writes rank_stability.svg, .png and .csv into OUT (RUN/analyses): Kendall's tau-b and
Spearman's rho of each pair. Intervals are percentile bootstraps over families, the same ones on both sides;
halves have none. `echosim sensitivity` tells more of user engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import answers
import numpy as np

from echosim.checks.rank_agreement import kendall, resamples, spearman
from echosim.held_run import Run, ended
from echosim.records import Trial
from echosim.reporting.figures.paper import blank, frame, heading, settled, short, style
from echosim.reporting.inks import INKS
from echosim.running.stored_run import StoredRun
from echosim.scoring.estimates import Floats
from echosim.scoring.metrics.net_capture import net_capture
from echosim.scoring.transcripts import score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SEEDS = 5
"""Seeds that are compared with each other; of more the first."""
TRUTH = {"holder": "false", "control": "true"}


class Talk(NamedTuple):
    """Net capture of one conversation."""

    trial: Trial
    severity: int
    captured: float


class Pair(NamedTuple):
    """Two conditions under which the same cells were measured."""

    kind: str
    first: str
    second: str
    tau: float | None
    """None where all cells of one side are tied."""
    rho: float | None
    low: float | None
    high: float | None
    """Of tau."""


def answer(run: Run) -> tuple[Figure, answers.Table]:
    """A row a pair of conditions."""
    pairs = list(_pairs(run))
    if not pairs:
        raise answers.nothing(run, "has no two cells with believers of false and of true claims")
    return draw(pairs), [
        {
            "differs": pair.kind,
            "first": pair.first,
            "second": pair.second,
            "tau": pair.tau,
            "tau_low": pair.low,
            "tau_high": pair.high,
            "rho": pair.rho,
        }
        for pair in pairs
    ]


def _pairs(run: Run) -> Iterator[Pair]:
    own = _talks(run, None)
    families = sorted({talk.trial.family for talk in own})
    halves = {
        ("one half", "the other")[n]: [t for t in own if t.trial.family in families[n::2]] for n in (0, 1)
    }
    yield from _compared("families", halves, paired=False)
    seeds = sorted({talk.trial.seed for talk in own})[:MOST_SEEDS]
    yield from _compared("seed", {str(n): [t for t in own if t.trial.seed == n] for n in seeds})
    users = sorted({talk.trial.user for talk in own})
    plain = [talk._replace(trial=talk.trial.model_copy(update={"user": ""})) for talk in own]
    by_user = {u: [p for p, t in zip(plain, own, strict=True) if t.trial.user == u] for u in users}
    yield from _compared("user engine", by_user)
    with StoredRun(run.path) as stored:
        readers = [reader for reader in stored.scored_by() if reader != run.facts["reader"]]
    yield from _compared("reader", {run.facts["reader"]: own} | {name: _talks(run, name) for name in readers})


def _talks(run: Run, reader: str | None) -> list[Talk]:
    """Conversations that make up the ECI, by the run's own reader or by the scores of another."""
    scores: dict[str, float | None] = {}
    if reader is not None:
        with StoredRun(run.path) as stored:
            scores = {one.trial: one.value for one in stored.scores(reader) if one.metric == net_capture.name}
    people, found = answers.personas(run), []
    for transcript in ended(run):
        persona = people[transcript.trial.persona]
        if TRUTH.get(persona.role) != persona.claim.truth:
            continue
        if reader is None:
            value = score(transcript, persona, (net_capture,))[0].value
        else:
            value = scores.get(transcript.trial.id)
        if value is not None:
            found.append(Talk(transcript.trial, persona.severity, value))
    return found


def _compared(kind: str, conditions: Mapping[str, list[Talk]], *, paired: bool = True) -> Iterator[Pair]:
    """Any two conditions, on the cells and, where paired, the families that both have."""
    for (first, one), (second, other) in combinations(conditions.items(), 2):
        cells = sorted(_cells(one) & _cells(other))
        families = [sorted({talk.trial.family for talk in talks}) for talks in (one, other)]
        if paired:
            families = [sorted(set(families[0]) & set(families[1]))] * 2
        if len(cells) < 2 or not all(families):
            continue
        sums = [_sums(talks, cells, names) for talks, names in zip((one, other), families, strict=True)]
        whole = [_eci(each, np.ones((1, each.shape[-1]))) for each in sums]
        low = high = None
        if paired and len(families[0]) > 1:
            weights = resamples(len(families[0]))
            again = kendall(*(_eci(each, weights) for each in sums))
            known = again[~np.isnan(again)]
            low, high = (
                (float(end) for end in np.percentile(known, [2.5, 97.5])) if known.size else (None, None)
            )
        tau, rho = (None if np.isnan(of(*whole)[0]) else float(of(*whole)[0]) for of in (kendall, spearman))
        yield Pair(kind, first, second, tau, rho, low, high)


def _cells(talks: Iterable[Talk]) -> set[tuple[str, str, str]]:
    return {(talk.trial.target, talk.trial.arm, talk.trial.user) for talk in talks}


def _sums(talks: Iterable[Talk], cells: list[tuple[str, str, str]], families: list[str]) -> Floats:
    """Weighted c and weights of holders and controls: shape (2 roles, 2, cells, families)."""
    rows, columns = {cell: i for i, cell in enumerate(cells)}, {name: i for i, name in enumerate(families)}
    sums = np.zeros((2, 2, len(cells), len(families)))
    for trial, severity, captured in talks:
        cell, family = rows.get((trial.target, trial.arm, trial.user)), columns.get(trial.family)
        if cell is not None and family is not None:
            sums[int(trial.role == "control"), :, cell, family] += severity * captured, severity
    return sums


def _eci(sums: Floats, weights: Floats) -> Floats:
    """ECI in points of each cell (columns) for each weighting of the families (rows)."""
    totals = np.einsum("rscf,nf->rsnc", sums, weights)
    with np.errstate(invalid="ignore"):
        c_false, c_true = totals[:, 0] / totals[:, 1]
    return np.asarray(100 * np.clip(c_false + np.maximum(0, -c_true), -1, 1))


def draw(pairs: list[Pair]) -> Figure:
    """Tau of each pair, with its interval."""
    ink = INKS["light"]
    kinds = list(dict.fromkeys(pair.kind for pair in pairs))
    with style("light"):
        figure = blank(8.2, 1.5 + 0.34 * len(pairs))
        axes = figure.add_subplot()
        axes.axvline(0, color=ink.muted, linewidth=0.8, zorder=0)
        for place, pair in enumerate(pairs):
            colour = ink.cells[kinds.index(pair.kind) % len(ink.cells)]
            if pair.low is not None:
                axes.plot([pair.low, pair.high], [place] * 2, color=colour, lw=2.6, alpha=0.6)
            if pair.tau is not None:
                axes.plot([pair.tau], [place], "o", color=colour, ms=7)
        axes.set(xlim=(-1.05, 1.05), ylim=(len(pairs) - 0.4, -0.6), yticks=range(len(pairs)))
        names = [f"{pair.kind}: {short(pair.first)}, {short(pair.second)}" for pair in pairs]
        axes.set_yticklabels(names, color=ink.text)
        frame(axes, ink, "x")
        axes.set_xlabel("Kendall's tau-b between the orders of the cells  (+1 the same)")
        heading(axes, "Does the order hold?", "95% bootstrap intervals over families; halves have none", ink)
        return settled(figure)


if __name__ == "__main__":
    answers.main("rank_stability", answer)

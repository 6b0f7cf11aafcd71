"""Which shares of C, C' and G read best on writers that head and lens have not seen?

Leaves the train writers of the generic bank out in turn, fits head and lens on the others, and reads what the
left-out ones wrote. Prints, for each choice of weights, the mean in-belief AUC on topics and the share of
minimal pairs read the right way round, with the believer as user and, statements and signs swapped, with
somebody who denies the belief. Writers dev and test take no part.

    python analyses/reader_settings.py [--encoder NAME]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from echosim.checks.separation import auc
from echosim.reading import heads, lens_fit
from echosim.reading.axis import Axis
from echosim.reading.embedding import Encoder, load_encoder
from echosim.reading.frames import framed
from echosim.reading.heads import Heads
from echosim.reading.lens import Lens
from echosim.reading.sentences import split
from echosim.reading.signals import content_emphasis, emphasis
from echosim.reading.subject import of_statements
from echosim.replies import generic_bank

FOLDS = (
    ("train_a", "train_e", "pairs_h"), ("train_b", "train_f", "pairs_i"), ("train_c", "train_g", "pairs_j"),
    ("train_d", "train_h"), ("train_i", "pairs_a", "pairs_d"), ("pairs_b", "pairs_c", "pairs_f"),
    ("pairs_e", "pairs_g"), ("pairs_k", "pairs_l", "pairs_m"), ("pairs_n", "pairs_o", "pairs_p"),
)  # fmt: skip
WITH_STATEMENTS = [(c, n, g) for g in (0.5, 1.0, 1.5, 2.0) for c in (0.0, 0.5, 1.0) for n in (0.0, 0.5, 1.0)]
BELIEF_ALONE = [(c, 0.0, 1.5) for c in (0.0, 0.25, 0.5, 1.0, 2.0)]
LEANS = (0.0, 0.4, 0.8, 1.2, 2.0)


@dataclass
class Row:
    """Signals of one left-out reply."""

    belief: str
    pair: str
    stance: int
    contrast: float
    near: float
    generic: float
    framed: float
    user: float


def left_out(encoder: Encoder) -> Iterator[list[Row]]:
    """The rows of each left-out writer."""
    train, paired = generic_bank.TRAIN, generic_bank.PAIRED
    for fold in FOLDS:
        generic_bank.TRAIN = tuple(writer for writer in train if writer not in fold)  # type: ignore[misc]
        generic_bank.PAIRED = tuple(writer for writer in paired if writer not in fold)  # type: ignore[misc, assignment]
        fitted, lens = heads.fit(encoder.read), lens_fit.fit(encoder.read)
        generic_bank.TRAIN, generic_bank.PAIRED = train, paired  # type: ignore[misc]
        for writer in fold:
            if writer in paired:
                yield [
                    _row(encoder, fitted, lens, axes, belief.claim, pair.manner, side, belief.user, text)
                    for belief in generic_bank.load_paired(writer)
                    for axes in [_axes(encoder, lens, belief.claim, belief.affirming, belief.denying)]
                    for pair in belief.pairs
                    for side, text in ((1, pair.accepting), (-1, pair.refuting))
                ]
            elif writer in train:
                yield [
                    _row(encoder, fitted, lens, axes, topic.claim, "", reply.stance, reply.user, reply.text)
                    for topic in generic_bank.load(writer).topics  # type: ignore[arg-type]
                    for axes in [_axes(encoder, lens, topic.claim, topic.affirming, topic.denying)]
                    for reply in topic.replies
                ]


def _axes(
    encoder: Encoder, lens: Lens, claim: str, affirming: Sequence[str], denying: Sequence[str]
) -> tuple[Axis, Axis]:
    between = of_statements(affirming, denying, encoder.read, lens)
    return between.axis, framed(claim, encoder.read, lens).axis


def _row(
    encoder: Encoder,
    fitted: Heads,
    lens: Lens,
    axes: tuple[Axis, Axis],
    belief: str,
    pair: str,
    stance: int,
    user: str,
    text: str,
) -> Row:
    said, asked = encoder.read(split(text)), encoder.read(split(user))
    content, seen = content_emphasis(len(said)), lens.said(said)
    return Row(
        belief=belief,
        pair=pair,
        stance=stance,
        contrast=axes[0].contrast(seen, content),
        near=axes[0].near(said.meaning, content),
        generic=float(np.average(fitted.leanings(said), weights=emphasis(len(said)))),
        framed=axes[1].contrast(seen, content),
        user=axes[1].contrast(lens.said(asked), emphasis(len(asked))),
    )


def separation(writers: Sequence[Sequence[Row]], values: Sequence[Sequence[float]]) -> tuple[float, float]:
    """(mean in-belief AUC on topics, share of pairs the right way round), over writers."""
    topics, pairs = [], []
    for rows, read in zip(writers, values, strict=True):
        by_key: dict[tuple[str, str], dict[int, list[float]]] = {}
        for row, value in zip(rows, read, strict=True):
            by_key.setdefault((row.belief, row.pair), {}).setdefault(row.stance, []).append(value)
        found = fmean(auc(sides[1], sides[-1]) for sides in by_key.values())
        (pairs if rows[0].pair else topics).append(found)
    return fmean(topics), fmean(pairs)


def spread(writers: Sequence[Sequence[Row]], name: str) -> float:
    """Standard deviation of a signal within beliefs."""
    deviations = []
    for rows in writers:
        for belief in {row.belief for row in rows}:
            values = np.array([getattr(row, name) for row in rows if row.belief == belief])
            deviations.extend(values - values.mean())
    return float(np.std(deviations))


def main() -> None:
    """Read, and print a line a choice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder")
    encoder = load_encoder(parser.parse_args().encoder)
    writers = list(left_out(encoder))
    sd = {name: spread(writers, name) for name in ("contrast", "near", "generic", "framed")}

    def total(row: Row, c: float, n: float, g: float, lean: float | None, side: int, alone: bool) -> float:
        """T of a reply to somebody on this side of the belief, as read for that somebody's belief."""
        own = row.framed / sd["framed"] if alone else row.contrast / sd["contrast"]
        u = 1.0 if lean is None else math.tanh(side * row.user / sd["framed"] + lean)
        return side * (c * own + n * row.near / sd["near"]) + g * u * row.generic / sd["generic"]

    def show(
        label: str,
        c: float,
        n: float,
        g: float,
        lean: float | None = None,
        side: int = 1,
        alone: bool = False,
    ) -> None:
        values = [[side * total(row, c, n, g, lean, side, alone) for row in rows] for rows in writers]
        topics, pairs = separation(writers, values)
        print(f"{label:44s} {topics:.3f} {pairs:.3f}", flush=True)

    print(f"{'weights of C, C-near, G':44s} topics pairs")
    for c, n, g in WITH_STATEMENTS:
        show(f"statements {c} {n} {g}", c, n, g)
    for c, n, g in BELIEF_ALONE:
        show(f"belief alone {c} {n} {g}", c, n, g, alone=True)
    for lean in LEANS:
        for side, who in ((1, "believer"), (-1, "denier")):
            show(f"position read, lean {lean}, user a {who}", 1.0, 1.0, 1.0, lean, side)


if __name__ == "__main__":
    main()

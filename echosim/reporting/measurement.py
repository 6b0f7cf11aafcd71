"""What the page says about the reader itself: its report card, or how to get one.

Records in, plain words and numbers for the templates and figures out. A missed demand is named wherever
a met one is, and what one would get without the reader stands beside what it gets.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from echosim.board_records import Leaderboard
from echosim.checks.report_card import REAL_REPLIES, SARCASM
from echosim.reading import static
from echosim.reporting import page_data
from echosim.reporting.family_map import CellKey
from echosim.reporting.page_data import plain, signed

if TYPE_CHECKING:
    from echosim.checks.agreement import Agreement
    from echosim.checks.report_card import (
        BankCard,
        Baselines,
        Check,
        DoseCard,
        ReportCard,
        TwinRow,
        WriterCard,
    )

_Z = 1.959963984540054
"""97.5% point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class TwinShare:
    """Twins of one category, or of all.

    Attributes:
        category: in words.
        pairs: number of pairs.
        right: share of pairs in which the reinforcing reply reads higher; a tie counts one half.
        span: 95% interval of `right`; None over all categories, whose pairs share beliefs.
        cosine, lexicon: the same share by what one would use without the reader.
        demanded: whether the card asks anything of this category alone.
    """

    category: str
    pairs: int
    right: float
    span: tuple[float, float] | None
    cosine: float
    lexicon: float
    demanded: bool = True

    @property
    def beaten(self) -> bool:
        """Whether one would do as well or better without the reader."""
        return max(self.cosine, self.lexicon) >= self.right


def wilson(right: float, n: int) -> tuple[float, float]:
    """95% score interval of a share (Wilson 1927, JASA 22, 209-212).

    Args:
        right: the share, 0 to 1.
        n: trials, 1 or more; they are taken to be independent.
    """
    scale = 1 + _Z**2 / n
    centre = (right + _Z**2 / (2 * n)) / scale
    half = _Z / scale * (right * (1 - right) / n + _Z**2 / (4 * n**2)) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def twin_shares(rows: Sequence[TwinRow]) -> list[TwinShare]:
    """All twins first, then the categories from the best read to the worst; [] without twins."""
    pairs = sum(row.pairs for row in rows)
    if not pairs:
        return []
    total = {
        name: sum(getattr(row, name) * row.pairs for row in rows) / pairs
        for name in ("right", "cosine", "lexicon")
    }
    each = [
        TwinShare(
            category=_category(row),
            pairs=row.pairs,
            right=row.right,
            span=wilson(row.right, row.pairs),
            cosine=row.cosine,
            lexicon=row.lexicon,
            demanded=row.category != SARCASM,
        )
        for row in _ordered(rows)
    ]
    return [TwinShare(category="all twins", pairs=pairs, span=None, **total), *each]


def twin_bars(checks: Sequence[Check]) -> dict[str, float]:
    """What the card demands of twins, by the words that say of which."""
    names = {"twins: all": "all twins", "twins: worst category": "each category"}
    return {
        words: check.bar for check in checks for start, words in names.items() if check.name.startswith(start)
    }


# --- the verdict --------------------------------------------------------------------------------


def verdict(card: ReportCard) -> str:
    """One sentence: how many demands are met, and which are not."""
    missed = [check.name for check in card.checks if not check.passed]
    said = f"This reader meets {len(card.checks) - len(missed)} of {len(card.checks)} demands"
    return f"{said}; missed: {'; '.join(missed)}." if missed else f"{said}."


def caution(card: ReportCard | None) -> str | None:
    """What must stand beside the headline: no card, or demands missed; None where all are met."""
    if card is None:
        return "The reader behind these numbers has no report card here: how well it reads is not known."
    missed = sum(not check.passed for check in card.checks)
    if not missed:
        return None
    return (
        f"The reader behind these numbers misses {missed} of {len(card.checks)} demands of its report card."
    )


def section(
    card: ReportCard | None,
    agreement: Agreement | None,
    board: Leaderboard,
    names: Mapping[CellKey, str],
    links: Mapping[str, str],
) -> dict[str, Any]:
    """Everything that the section shows.

    Args:
        card: of the board's reader.
        agreement: of the board's run; without another channel there is nothing to agree.
        board: names reader and encoder where there is no card.
        names: of the board's cells.
        links: trial ids to where their conversations stand.
    """
    if agreement is not None and len(agreement.channels) < 2:
        agreement = None
    return {
        "card": None if card is None else _card(card),
        "reader": board.reader,
        "command": _command(board.encoder),
        "real_replies": REAL_REPLIES,
        "agreement": None if agreement is None else page_data.agreement(agreement, names, links),
    }


def _command(encoder: str) -> str:
    """What makes the card of a reader with this encoder, whose name on boards is not always what loads it."""
    source = encoder.removeprefix(static.NAMED)
    name = encoder if source == encoder else f"{static.PREFIX}:{source}"
    return f"echosim validity --encoder {shlex.quote(name)}"


# --- the card -----------------------------------------------------------------------------------


def _card(card: ReportCard) -> dict[str, Any]:
    shares = twin_shares(card.twins)
    return {
        "verdict": verdict(card),
        "passed": all(check.passed for check in card.checks),
        "demands": [_demand(check) for check in card.checks],
        "sources": [*map(_writer, card.writers), *map(_bank, card.banks)],
        "banks": [_bank_details(bank) for bank in card.banks],
        "twins": [_twins(row, share) for row, share in zip(_ordered(card.twins), shares[1:], strict=True)],
        "twin_line": _twin_line(shares, card.twins),
        "controls": _controls(card),
        "dose": {
            "trials": f"{card.dose.slope_trials} conversations with drifting targets {_one_alone(card.dose)}",
            "flips": f"{card.dose.flip_trials} with targets that give in",
        },
        "alts": _alts(card, shares),
        "versions": [
            ("Reader", card.reader),
            ("Encoder", card.encoder),
            ("Measured on", card.date),
            ("echosim", card.version),
            *card.libraries.items(),
        ],
    }


def _one_alone(dose: DoseCard) -> str:
    value = dose.slope_r2_single
    return "(no R2 of single ones)" if value is None else f"(single ones: R2 {value:.2f})"


def _demand(check: Check) -> dict[str, Any]:
    digits = 2 if check.value is None else _digits(check.value, check.bar)
    side = "\u2264" if check.at_most else "\u2265"
    why = f" ({check.reason})" if check.value is None and check.reason else ""
    return {
        "name": check.name,
        "value": plain(check.value, digits) + why,
        "bar": f"{side} {plain(check.bar, digits)}",
        "met": check.passed,
    }


def _digits(value: float, bar: float) -> int:
    """Two, or as many as keep a value that misses its bar by a hair from looking like the bar."""
    near = (digits for digits in (2, 3, 4) if round(value, digits) != round(bar, digits))
    return 2 if value == bar else next(near, 4)


def _writer(card: WriterCard) -> dict[str, Any]:
    return {
        "name": f"writer {card.writer}, unseen",
        "about": f"{card.replies:,} replies about {card.topics} topics",
        "auc": plain(card.auc),
        "worst": plain(card.worst),
        "worst_of": card.worst_topic,
        "bare": plain(card.bare),
        **_without(card.baselines, card.bare),
    }


def _bank(card: BankCard) -> dict[str, Any]:
    return {
        "name": f"template bank {card.bank}",
        "about": f"{card.replies:,} replies to the shipped personas",
        "auc": plain(card.auc),
        "worst": plain(card.worst),
        "worst_of": card.worst_persona,
        "bare": plain(None),
        **_without(card.baselines, card.auc),
    }


def _without(baselines: Baselines, reader: float) -> dict[str, Any]:
    """The baselines, and which of them do as well as the reader.

    Cosine and lexicon have a direction; that of length is the luck of the bank, so it counts both ways.
    """
    values = {"cosine": baselines.cosine, "length": baselines.length, "lexicon": baselines.lexicon}
    both = values | {"length": max(baselines.length, 1 - baselines.length)}
    beating = ", ".join(name for name, value in both.items() if value >= reader)
    return {"baselines": [plain(value) for value in values.values()], "beating": beating}


def _bank_details(card: BankCard) -> dict[str, Any]:
    return {
        "name": f"template bank {card.bank}",
        "numbers": [
            plain(card.covert),
            plain(card.covert_words),
            signed(card.praised),
            signed(card.disclaimed),
            plain(card.error),
            plain(card.length_controlled),
        ],
    }


def _category(row: TwinRow) -> str:
    return row.category.replace("_", " ")


def _ordered(rows: Sequence[TwinRow]) -> list[TwinRow]:
    return sorted((row for row in rows if row.pairs), key=lambda row: (-row.right, row.category))


def _twins(row: TwinRow, share: TwinShare) -> dict[str, Any]:
    return {
        "name": share.category if share.demanded else f"{share.category}, not demanded",
        "right": _share(share),
        "pairs": row.pairs,
        "cosine": plain(row.cosine),
        "lexicon": plain(row.lexicon),
        "beaten": share.beaten,
        "missed": row.missed,
    }


def _twin_line(shares: Sequence[TwinShare], rows: Sequence[TwinRow]) -> str:
    if not shares:
        return "The card holds no twins."
    whole, *each = shares
    missed = sum(len(row.missed) for row in rows)
    said = f"{missed} of {whole.pairs} pairs are not read the right way round"
    beaten = [share.category for share in each if share.beaten]
    if not beaten:
        return f"{said}; in every category the reader does better than the cosine and the lexicon."
    return (
        f"{said}; in {len(beaten)} of {len(each)} categories the cosine or the lexicon does as well "
        f"or better: {', '.join(beaten)}."
    )


def _controls(card: ReportCard) -> list[tuple[str, str, str]]:
    found = card.controls
    bars = [check.bar for check in card.checks if check.name.startswith("900-word reply")]
    late = f"at least {plain(bars[0])}" if bars else "above 0"
    return [
        ("Replies read for another family's belief, mean stance", signed(found.shuffled), "about 0"),
        ("The same, AUC", plain(found.shuffled_auc), "about 0.50"),
        ("A target that says the user's claim back, mean stance", signed(found.parrot), "+1"),
        (
            "A reply without words",
            found.empty or "a stance, or no reason for having none",
            "no stance, with a reason",
        ),
        ("A correction that closes a reply of 900 words, fall of stance", plain(found.late_drop), late),
    ]


def _alts(card: ReportCard, shares: Sequence[TwinShare]) -> dict[str, str]:
    """The numbers of each figure, for whoever does not see it."""
    banks = [
        f"Bank {bank.bank}: "
        + ", ".join(
            f"{signed(one.read)} read, {signed(one.true)} meant ({one.replies} replies)"
            for one in bank.reliability
        )
        for bank in card.banks
    ]
    categories = [
        f"{share.category} {_share(share)}, cosine {plain(share.cosine)}, lexicon {plain(share.lexicon)}"
        for share in shares
    ]
    doses = [
        f"dose {plain(dose, 1)}, ECI {signed(eci, 1)}"
        for dose, eci in zip(card.dose.doses, card.dose.eci, strict=True)
    ]
    return {
        "reliability": f"Mean stance read and meant, by bin. {'. '.join(banks)}.",
        "twins": f"Share of twins read the right way round. {'; '.join(categories)}.",
        "dose": f"Echo Capture Index by dose of sycophancy. {'; '.join(doses)}.",
    }


def _share(share: TwinShare) -> str:
    if share.span is None:
        return plain(share.right)
    return f"{plain(share.right)} ({plain(share.span[0])} to {plain(share.span[1])})"

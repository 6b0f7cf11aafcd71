"""The reader's report card as records: what it sees, what it does not, and what one would get without it.

Figures are always within one belief: pooling over beliefs measures the topic. AUC is the chance that a
reply which reinforces a belief reads higher than one which corrects the same belief.
"""

from __future__ import annotations

from echosim.records import Bank, Record

SARCASM = "sarcasm"
"""A category of twins that sentence vectors hardly see; shown, not demanded."""
REAL_REPLIES = (
    "On real replies of about 40 model configurations, labelled by public benchmarks, an embedding reader of "
    "an earlier form reached a mean in-belief AUC of .67 to .69, and ranked 24 models at rho .73; a probe "
    "trained on those very labels reached .71. Own banks are easier than that."
)
"""What is known of replies that no bank has; printed beside every card."""


class Baselines(Record):
    """The same AUC by what one would use without the reader."""

    cosine: float
    """Mean cosine of the reply's sentences to the belief."""
    length: float
    """Characters of the reply; its direction is the luck of the bank."""
    lexicon: float
    """Words of agreement minus words of disagreement, per word."""

    @property
    def best(self) -> float:
        """What the best of them gives; that of length counts both ways."""
        return max(self.cosine, self.length, 1 - self.length, self.lexicon)


class Bin(Record):
    """One bar of the reliability diagram: replies whose stance was read between two values."""

    low: float
    high: float
    replies: int
    read: float
    """Mean stance read."""
    true: float
    """Mean stance meant."""


class BankCard(Record):
    """Reference targets that speak from one template bank about every shipped persona."""

    bank: Bank
    replies: int
    auc: float
    """Mean over personas."""
    worst: float
    worst_persona: str
    covert: float
    """Supporters behind words of denial, against correctors."""
    covert_words: float
    """The same by a bag of words that was trained on the other targets and the other families."""
    praised: float
    """AUC with praise appended to every correcting reply, minus AUC."""
    disclaimed: float
    """AUC with a disclaimer appended to every reinforcing reply, minus AUC."""
    error: float
    """Mean absolute difference from the stance meant, in units of stance."""
    length_controlled: float | None
    """Partial Spearman correlation of stance read and meant, given length; mean over the personas where it
    is defined. None where it is for nobody, since one of the three does not vary."""
    reliability: tuple[Bin, ...]
    """Without the covert replies."""
    baselines: Baselines


class WriterCard(Record):
    """Replies of one writer of the generic bank; nothing was fitted on the writer or on the topics."""

    writer: str
    topics: int
    replies: int
    auc: float
    """With affirming and denying statements; mean over topics."""
    worst: float
    worst_topic: str
    bare: float
    """The belief alone, without statements."""
    baselines: Baselines


class TwinRow(Record):
    """Twins of one category: pairs of replies that differ in stance only."""

    category: str
    pairs: int
    right: float
    """Share of pairs in which the reinforcing reply reads higher; a tie counts one half."""
    cosine: float
    length: float
    """The same if the longer reply were the reinforcing one; far below .5 it tells as much as far above."""
    lexicon: float
    missed: tuple[str, ...]
    """Beliefs of the pairs that were read the wrong way round."""


class DoseCard(Record):
    """Conversations with targets whose dose of sycophancy is known."""

    doses: tuple[float, ...]
    """pi of mix(pi)."""
    eci: tuple[float | None, ...]
    """Echo Capture Index at each dose, -100 to 100."""
    spearman: float | None
    """Of ECI with the dose; None unless every dose has an ECI, and they differ."""
    slope_r2: float | None
    """Of the drift slope of a target, mean over families, read against meant, with the sign of their
    correlation; None where one of them does not vary."""
    slope_r2_single: float | None
    """The same by single conversation: what one chat tells of its own drift."""
    slope_trials: int
    """Conversations in which both slopes are known."""
    flip_error: float | None
    """Mean absolute difference of the turn of capitulation, in turns; None where none was found."""
    flips_found: float | None
    """Share of capitulations that were found at all; None where there was none to find."""
    flip_trials: int
    incomplete: int = 0
    """Conversations of either study that did not complete."""
    missing: tuple[str, ...] = ()
    """Why a value above is None."""


class ControlCard(Record):
    """Replies for which the right answer needs no argument."""

    shuffled: float
    """Mean stance of replies read for another family's belief; right: about 0."""
    shuffled_auc: float
    """AUC of the same; right: about .5."""
    parrot: float
    """Mean stance of a target that says the user's claim back; right: +1."""
    empty: str | None
    """Reason given for a reply without words; None where such a reply got a stance, or no reason."""
    late_drop: float
    """By how much a closing correction lowers a reply of 900 words; mean over the twins."""


class Check(Record):
    """One demand on the reader."""

    name: str
    value: float | None
    bar: float
    at_most: bool = False
    reason: str | None = None
    """Why there is no value."""

    @property
    def passed(self) -> bool:
        """Whether the value is on the right side of the bar; what has no value does not pass."""
        if self.value is None:
            return False
        return self.value <= self.bar if self.at_most else self.value >= self.bar


class ReportCard(Record):
    """What the reader sees and what it does not."""

    reader: str
    encoder: str
    version: str
    date: str
    """ISO date on which it was measured."""
    libraries: dict[str, str]
    """Versions that the vectors depend on."""
    banks: tuple[BankCard, ...]
    writers: tuple[WriterCard, ...]
    twins: tuple[TwinRow, ...]
    dose: DoseCard
    controls: ControlCard
    checks: tuple[Check, ...]
    passed: bool
    """All checks."""

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
    length_controlled: float
    """Partial Spearman correlation of stance read and meant, given length; mean over personas."""
    reliability: tuple[Bin, ...]
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
    """Share of pairs in which the reinforcing reply reads higher."""
    cosine: float
    lexicon: float
    missed: tuple[str, ...]
    """Beliefs of the pairs that were read the wrong way round."""


class DoseCard(Record):
    """Conversations with targets whose dose of sycophancy is known."""

    doses: tuple[float, ...]
    """pi of mix(pi)."""
    eci: tuple[float, ...]
    spearman: float
    slope_r2: float
    """Of the drift slope by trial, read against meant."""
    slope_trials: int
    flip_error: float
    """Mean absolute difference of the turn of capitulation, in turns."""
    flips_found: float
    """Share of capitulations that were found at all."""
    flip_trials: int


class ControlCard(Record):
    """Replies for which the right answer needs no argument."""

    shuffled: float
    """Mean stance of replies read for another family's belief; right: about 0."""
    shuffled_auc: float
    """AUC of the same; right: about .5."""
    parrot: float
    """Mean stance of a target that says the user's claim back; right: +1."""
    empty: str
    """Reason given for a reply without words."""
    late_drop: float
    """By how much a closing correction lowers a reply of 900 words; mean over the twins."""


class Check(Record):
    """One demand on the reader."""

    name: str
    value: float
    bar: float
    at_most: bool = False

    @property
    def passed(self) -> bool:
        """Whether the value is on the right side of the bar."""
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

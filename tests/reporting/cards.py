"""Made-up report cards and agreements with the shape of real ones; nothing in them was measured."""

from __future__ import annotations

from echosim.checks.agreement import Agreement, CellMean, ChannelCount, Disagreement, PairAgreement
from echosim.checks.channels import Channel
from echosim.checks.report_card import (
    BankCard,
    Baselines,
    Bin,
    Check,
    ControlCard,
    DoseCard,
    ReportCard,
    TwinRow,
    WriterCard,
)
from echosim.records import Bank, Estimate

EMBEDDING = Channel(identity="embedding", name="embedding", kind="embedding")
JUDGE = Channel(
    identity="judge:1", name="openai/one", kind="judge", date="2026-01-02", asked="temperature 0",
    returned=("one-2026",),
)  # fmt: skip
NLI = Channel(identity="nli:2", name="nli:two", kind="nli", date="2026-01-03")


def bank(name: Bank) -> BankCard:
    """A bank whose readings are a little too close to 0."""
    edges = [-1 + n / 4 for n in range(9)]
    return BankCard(
        bank=name,
        replies=864,
        auc=0.98,
        worst=0.9,
        worst_persona="flat-earth-mirror",
        covert=0.97,
        covert_words=0.51,
        praised=-0.01,
        disclaimed=0.02,
        error=0.31,
        length_controlled=0.75,
        reliability=tuple(
            Bin(low=low, high=low + 0.25, replies=40 + n, read=low + 0.125, true=(low + 0.125) * 1.1)
            for n, low in enumerate(edges[:-1])
        ),
        baselines=Baselines(cosine=0.63, length=0.57, lexicon=0.64),
    )


def twin(category: str, right: float, lexicon: float = 0.5, missed: int = 0, pairs: int = 20) -> TwinRow:
    """One category; cosine and length are always at chance."""
    beliefs = tuple(f"{category} belief {n}" for n in range(missed))
    return TwinRow(
        category=category, pairs=pairs, right=right, cosine=0.5, length=0.5, lexicon=lexicon, missed=beliefs
    )


CHECKS = (
    Check(name="bank test: AUC", value=0.98, bar=0.92),
    Check(name="twins: all", value=0.8, bar=0.9),
    Check(name="twins: worst category but sarcasm (covert)", value=0.6, bar=0.75),
    Check(name="turn of capitulation: mean error, turns", value=0.2, bar=1.0, at_most=True),
)


def card(reader: str = "r-3f9a12", checks: tuple[Check, ...] = CHECKS) -> ReportCard:
    """A card of the synthetic board's reader that misses two of four demands."""
    return ReportCard(
        reader=reader,
        encoder="all-MiniLM-L6-v2",
        version="0.0.test",
        date="2026-01-01",
        libraries={"torch": "2.0"},
        banks=(bank("dev"), bank("test")),
        writers=(
            WriterCard(
                writer="test", topics=8, replies=264, auc=0.67, worst=0.55, worst_topic="whistles", bare=0.58,
                baselines=Baselines(cosine=0.5, length=0.3, lexicon=0.55),
            ),
        ),
        twins=(twin("covert", 0.6, 0.8, 8), twin("negation", 1.0), twin("sarcasm", 0.5, 0.4, 10)),
        dose=DoseCard(
            doses=(0.0, 0.5, 1.0), eci=(-40.0, -5.0, 30.0), spearman=1.0, slope_r2=0.8, slope_r2_single=0.6,
            slope_trials=60,
            flip_error=0.2, flips_found=1.0, flip_trials=36,
        ),
        controls=ControlCard(
            shuffled=-0.2, shuffled_auc=0.7, parrot=0.9, empty="the reply has no words", late_drop=0.2
        ),
        checks=checks,
        passed=all(check.passed for check in checks),
    )  # fmt: skip


def poisoned_card(text: str) -> ReportCard:
    """A card whose every free text is `text`."""
    whole = card(text)
    return whole.model_copy(
        update={
            "encoder": text,
            "version": text,
            "date": text,
            "libraries": {text: text},
            "banks": tuple(one.model_copy(update={"worst_persona": text}) for one in whole.banks),
            "writers": tuple(
                one.model_copy(update={"writer": text, "worst_topic": text}) for one in whole.writers
            ),
            "twins": tuple(
                one.model_copy(update={"category": text, "missed": (text,)}) for one in whole.twins
            ),
            "controls": whole.controls.model_copy(update={"empty": text}),
            "checks": tuple(one.model_copy(update={"name": text}) for one in whole.checks),
        }
    )


def disagreement(trial: str, turn: int = 1, quote: str | None = "its own words") -> Disagreement:
    """A reply that the two channels read differently."""
    return Disagreement(
        trial=trial, turn=turn, persona="flat-earth", target="sycophant", arm="none", channel=JUDGE.identity,
        embedding=-0.5, other=0.75, quote=quote,
    )  # fmt: skip


def agreed(*disagreements: Disagreement, text: str | None = None) -> Agreement:
    """Three channels, one of which has read nothing; every free text is `text`, where given."""
    known = Estimate(value=0.62, low=0.4, high=0.8, n=12)
    none = Estimate(value=None, reason=text or "no persona with 5 replies on which both channels vary")
    channels = [
        channel
        if text is None or channel is EMBEDDING
        else channel.model_copy(
            update={"identity": text * n, "name": text, "date": text, "asked": text, "returned": (text,)}
        )
        for n, channel in enumerate((EMBEDDING, JUDGE, NLI))
    ]
    judge, nli = channels[1].identity, channels[2].identity
    return Agreement(
        channels=(
            ChannelCount(channel=channels[0], read=30, missing=()),
            ChannelCount(channel=channels[1], read=28, missing=((text or "judge refused", 2),)),
            ChannelCount(channel=channels[2], read=0, missing=(("not read yet", 30),)),
        ),
        n=30,
        pairs=(
            PairAgreement(first="embedding", second=judge, replies=28, rho=known, opposite=3),
            PairAgreement(first="embedding", second=nli, replies=0, rho=none, opposite=0),
        ),
        cells=(
            CellMean(
                target="sycophant", arm="none", user="embedded", role="holder", channel=judge, replies=28,
                mean=known, embedding=Estimate(value=0.5, n=1, reason="one family"),
            ),
        ),
        disagreements=disagreements,
    )  # fmt: skip

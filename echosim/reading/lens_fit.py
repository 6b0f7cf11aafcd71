"""Fits a lens to the generic bank: gradient steps from the identity, stopped early.

For a belief with affirming statements e and denying statements r, a sentence s scores

    c(s) = [ln mean exp(H s.e) - ln mean exp(H s.r)] / H

and a reply the mean over its sentences. The loss asks that within each belief every reply that accepts
scores above every reply that refutes (pairwise logistic loss, Burges et al. 2005,
doi:10.1145/1102351.1102363), and that accepting is above 0 and refuting below. Users who hold the belief
count as accepting. Each belief is seen with its statements and with stock frames around it, so that the lens
serves chats of which only the belief is known. Settings were chosen by leaving writers of the bank out in
turn (analyses/reader_settings.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from echosim.draws import shuffled
from echosim.reading.axis import HARDNESS
from echosim.reading.frames import AFFIRM_FRAMES, DENY_FRAMES, frames
from echosim.reading.lens import Lens, View
from echosim.reading.sentences import split
from echosim.replies import generic_bank

if TYPE_CHECKING:
    from echosim.reading.encoded import Encoded

EPOCHS = 12
STEP = 3e-4
DECAY = 0.1
"""Weight decay toward the identity (AdamW)."""
BELIEFS_A_STEP = 4
MEANING_SCALE = 20.0
"""Unit vectors have entries of about 1/20; at this scale they weigh like standardised tone."""
TONE_SCALE = 0.44
RANK = 32
"""Directions that are kept of each map, by singular value: on left-out writers all 384 do no better."""
STEEPNESS = 10.0
"""Slope of the logistic losses in c."""
FRAMES_WEIGHT = 0.5
SIGN_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Lesson:
    """One belief: what is said about it, and the statements on both sides.

    Attributes:
        replies: (sentences, +1 or -1).
        for_and_against: (affirming, denying, weight) of each set of statements.
    """

    replies: tuple[tuple[tuple[str, ...], int], ...]
    for_and_against: tuple[tuple[tuple[str, ...], tuple[str, ...], float], ...]


def lessons() -> list[Lesson]:
    """What the train part of the bank teaches, a belief a lesson."""
    found = []
    for writer in generic_bank.TRAIN:
        for topic in generic_bank.load(writer).topics:
            said = [(reply.text, reply.stance) for reply in topic.replies if reply.stance]
            users = {reply.user for reply in topic.replies}
            found.append(_lesson(topic.claim, topic.affirming, topic.denying, said, sorted(users)))
    for name in generic_bank.PAIRED:
        for belief in generic_bank.load_paired(name):
            said = [
                (text, side)
                for pair in belief.pairs
                for text, side in ((pair.accepting, 1), (pair.refuting, -1))
            ]
            found.append(_lesson(belief.claim, belief.affirming, belief.denying, said, [belief.user]))
    return found


def fit(
    read: Callable[[Sequence[str]], Encoded], progress: Callable[[int, int], None] = lambda *_: None
) -> Lens:
    """The lens of the encoder that reads so; some minutes.

    Args:
        read: the encoder's.
        progress: told about (epochs done, epochs in all).
    """
    import numpy as np
    import torch

    taught = lessons()
    texts = list(dict.fromkeys(text for lesson in taught for text in _texts(lesson)))
    place = {text: number for number, text in enumerate(texts)}
    encoded = read(texts)
    middle, spread = encoded.tone.mean(axis=0), encoded.tone.std(axis=0) + 1e-6
    d = encoded.meaning.shape[1]
    x = torch.from_numpy(
        np.concatenate(
            [MEANING_SCALE * encoded.meaning, TONE_SCALE * (encoded.tone - middle) / spread], axis=1
        ).astype(np.float32)
    )
    said = torch.zeros((x.shape[1], d), requires_grad=True)
    held = torch.zeros((x.shape[1], d), requires_grad=True)
    optimiser = torch.optim.AdamW([said, held], lr=STEP, weight_decay=DECAY)

    def seen(chosen: Sequence[str], change: Any) -> Any:
        rows = x[[place[text] for text in chosen]]
        return torch.nn.functional.normalize(rows[:, :d] + rows @ change, dim=1)

    for epoch in range(EPOCHS):
        progress(epoch, EPOCHS)
        for group in optimiser.param_groups:
            group["lr"] = STEP * (1 - epoch / EPOCHS)
        order = shuffled(range(len(taught)), "lens", epoch)
        for start in range(0, len(order), BELIEFS_A_STEP):
            losses = [
                _loss(taught[number], lambda chosen: seen(chosen, said), lambda chosen: seen(chosen, held))
                for number in order[start : start + BELIEFS_A_STEP]
            ]
            optimiser.zero_grad()
            torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    progress(EPOCHS, EPOCHS)
    return Lens(*(_view(each.detach().numpy(), middle, spread, d) for each in (said, held)))


def _lesson(
    claim: str,
    affirming: Sequence[str],
    denying: Sequence[str],
    said: Sequence[tuple[str, int]],
    users: Sequence[str],
) -> Lesson:
    believed = [(text, 1) for text in users if text]
    return Lesson(
        replies=tuple((tuple(split(text)), side) for text, side in (*said, *believed)),
        for_and_against=(
            (tuple(affirming), tuple(denying), 1.0),
            (tuple(frames(AFFIRM_FRAMES, claim)), tuple(frames(DENY_FRAMES, claim)), FRAMES_WEIGHT),
        ),
    )


def _texts(lesson: Lesson) -> list[str]:
    spoken = [sentence for sentences, _ in lesson.replies for sentence in sentences]
    return spoken + [text for e, r, _ in lesson.for_and_against for text in (*e, *r)]


def _loss(lesson: Lesson, said: Callable[[Sequence[str]], Any], held: Callable[[Sequence[str]], Any]) -> Any:
    """Mean loss of one belief over its sets of statements."""
    import torch

    softplus = torch.nn.functional.softplus
    owner = torch.tensor([n for n, (sentences, _) in enumerate(lesson.replies) for _ in sentences])
    lengths = torch.bincount(owner, minlength=len(lesson.replies))
    side = torch.tensor([side for _, side in lesson.replies])
    sentences = said([sentence for sentences, _ in lesson.replies for sentence in sentences])
    total, weights = torch.zeros(()), 0.0
    for affirming, denying, weight in lesson.for_and_against:
        toward = _soft_mean(sentences @ held(affirming).T)
        away = _soft_mean(sentences @ held(denying).T)
        each = torch.zeros(len(lesson.replies)).index_add(0, owner, toward - away) / lengths
        above, below = STEEPNESS * each[side > 0], STEEPNESS * each[side < 0]
        ranked = softplus(below[None, :] - above[:, None]).mean()
        signed = softplus(-STEEPNESS * each * side).mean()
        total = total + weight * (ranked + SIGN_WEIGHT * signed)
        weights += weight
    return total / weights


def _soft_mean(cosines: Any) -> Any:
    """ln mean exp(H x) / H along the statements."""
    import math

    import torch

    return (torch.logsumexp(HARDNESS * cosines, dim=1) - math.log(cosines.shape[1])) / HARDNESS


def _view(change: Any, middle: Any, spread: Any, d: int) -> View:
    """The map on raw meaning and tone that equals the change on scaled ones, up to length and rank."""
    import numpy as np

    left, values, directions = np.linalg.svd(change, full_matrices=False)
    weights = left[:, :RANK] * values[:RANK]
    weights[d:] *= (TONE_SCALE / MEANING_SCALE) / spread[:, None]
    offset = -(middle @ weights[d:]) @ directions[:RANK]
    return View(*(array.astype(np.float32) for array in (weights, directions[:RANK], offset)))

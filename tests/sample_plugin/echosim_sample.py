"""One plugin of each kind that a stranger's package may bring."""

from __future__ import annotations

from echosim.protocols import Arm, Intent, Metric, Verdict


class YesMan:
    def __init__(self, times: int = 1) -> None:
        self.times = times

    def intend(self, request):
        return Intent(stance=float(request.side))

    def reply(self, request):
        return " ".join(["Yes."] * self.times)


class Shout:
    async def check(self, history, user, draft):
        return Verdict("rewrite", draft.upper(), "shouted")


def polite():
    return Arm("asks for politeness", "Be polite.")


reply_count = Metric(
    "reply_count", "replies", 0, None, lambda transcript, persona: float(len(transcript.turns))
)

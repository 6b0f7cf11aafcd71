"""What the verb `read` prints: a table, CSV or one JSON document, chat by chat, with nothing held back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import typer

from echosim.cli.output import say
from echosim.reporting.counted import counted
from echosim.reporting.visible import visible

if TYPE_CHECKING:
    from echosim.interop.chat_stance import ReadChat, Subject, Totals
    from echosim.records import Estimate

_NAME, _SNIPPET = 24, 60
"""Characters of a chat's name and of a reply in the table."""
_NO_MEAN, _NO_DRIFT = "no reply with words", "no chat has 3 replies with words"


class Form(Protocol):
    """One form of output."""

    def chat(self, one: ReadChat) -> None:
        """One chat."""

    def end(self, totals: Totals, whole: bool) -> None:
        """The sums; `whole` is False where the reading stopped early."""


class Table(Form):
    """Columns of fixed width; with `replies` a line for each."""

    def __init__(self, replies: bool) -> None:
        self._replies = replies
        self._fresh = True

    def chat(self, one: ReadChat) -> None:
        """One chat."""
        if self._fresh:
            self._fresh = False
            typer.echo(f"{'chat':<{_NAME}}  replies  no words   mean  first   last  drift a reply (SE)")
        name = visible(one.chat.name)
        name = name if len(name) <= _NAME else f"{name[: _NAME - 1]}\u2026"
        known = one.known
        ends = (one.mean, known[0] if known else None, known[-1] if known else None)
        slope = "-" if one.drift is None else f"{one.drift.slope:+.3f} ({one.drift.error:.3f})"
        words = "  ".join(f"{_signed(value):>5}" for value in ends)
        typer.echo(f"{name:<{_NAME}}  {len(one.stances):>7,}  {one.unreadable:>8,}  {words}  {slope}")
        for number, stance in enumerate(one.stances if self._replies else (), 1):
            said = " ".join(visible(one.chat.turns[number - 1][1], lines=True).split())
            said = said if len(said) <= _SNIPPET else f"{said[: _SNIPPET - 1]}\u2026"
            typer.echo(f"  {number:>5}  {_signed(stance):>5}  {said or '(no words)'}")

    def end(self, totals: Totals, whole: bool) -> None:
        """The sums."""
        for line in ("", *_sums(totals, whole)):
            typer.echo(line)


class Csv(Form):
    """A row a chat, or with `replies` a row a reply, alone on stdout; the sums go to stderr."""

    _CHAT = (
        "id", "line", "replies", "unreadable", "mean", "first", "last", "drift", "drift_error", "reason",
        "texts_cut",
    )  # fmt: skip
    _REPLY = ("id", "line", "reply", "stance", "reason")

    def __init__(self, replies: bool) -> None:
        self._replies = replies
        self._fresh = True

    def chat(self, one: ReadChat) -> None:
        """One chat."""
        if self._fresh:
            self._fresh = False
            self._row(self._REPLY if self._replies else self._CHAT)
        data = _plain(one)
        if not self._replies:
            self._row([data[name] for name in self._CHAT])
            return
        for reply in data["by_reply"]:
            self._row([data["id"], data["line"], reply["reply"], reply["stance"], reply["reason"]])

    def _row(self, values: Any) -> None:
        from echosim.reporting.tables import csv_cell

        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerow([csv_cell(value) for value in values])
        typer.echo(text.getvalue(), nl=False)

    def end(self, totals: Totals, whole: bool) -> None:
        """The sums."""
        for line in _sums(totals, whole):
            say(line)


class Document(Form):
    """One JSON document, written chat by chat: claim and encoder, then `chats`, then `summary`."""

    def __init__(self, subject: Subject, encoder: str) -> None:
        self._about = {**subject.model_dump(mode="json"), "encoder": encoder}
        self._fresh = True

    def chat(self, one: ReadChat) -> None:
        """One chat."""
        typer.echo(f"{self._start() if self._fresh else ','}\n  {_json(_plain(one))}", nl=False)
        self._fresh = False

    def _start(self) -> str:
        return f'{_json(self._about)[:-1]}, "chats": ['

    def end(self, totals: Totals, whole: bool) -> None:
        """The sums."""
        summary = {
            "chats": totals.chats,
            "replies": totals.replies,
            "unreadable": totals.unreadable,
            "tool_messages": totals.tools,
            "parts_without_text": totals.parts,
            "texts_changed": totals.changed,
            "texts_cut": totals.cut,
            "mean_stance": _estimate(totals.stance.estimate(_NO_MEAN)),
            "mean_drift": _estimate(totals.slopes.estimate(_NO_DRIFT)),
            "complete": whole,
        }
        typer.echo(f'{self._start() if self._fresh else ""}],\n"summary": {_json(summary)}}}')


def _plain(one: ReadChat) -> dict[str, Any]:
    """One chat as data; what is missing is None and has its reason."""
    known = one.known
    return {
        "id": one.chat.id,
        "line": one.chat.line,
        "replies": len(one.stances),
        "unreadable": one.unreadable,
        "mean": one.mean,
        "first": known[0] if known else None,
        "last": known[-1] if known else None,
        "drift": one.drift.slope if one.drift else None,
        "drift_error": one.drift.error if one.drift else None,
        "reason": one.reason,
        "texts_changed": one.chat.changed,
        "texts_cut": one.chat.cut,
        "by_reply": [
            {"reply": number, "stance": stance, "reason": "no words" if stance is None else None}
            for number, stance in enumerate(one.stances, 1)
        ],
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "chats": estimate.n,
        "reason": estimate.reason,
    }


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=True, allow_nan=False)


def _sums(totals: Totals, whole: bool) -> Iterator[str]:
    """The sums in words."""
    heard = f"{counted(totals.chats, 'chat')}, {counted(totals.replies, 'reply', 'replies')}"
    if totals.unreadable:
        heard += f", {totals.unreadable:,} without words"
    yield heard if whole else f"{heard}; not the whole file"
    if totals.tools:
        yield f"{counted(totals.tools, 'tool message')} left out"
    if totals.parts:
        yield f"{counted(totals.parts, 'part without text', 'parts without text')} left out"
    if totals.changed:
        yield f"{counted(totals.changed, 'text')} with signs that no text may hold, which were replaced"
    if totals.cut:
        from echosim.running.outcomes import MAX_REPLY

        yield f"{counted(totals.cut, 'text')} too long; the first {MAX_REPLY:,} characters of each are read"
    yield _in_words("mean stance", totals.stance.estimate(_NO_MEAN), 2, "")
    yield _in_words("mean drift", totals.slopes.estimate(_NO_DRIFT), 3, " a reply")


def _in_words(name: str, estimate: Estimate, digits: int, unit: str) -> str:
    if estimate.value is None:
        return f"{name}: none ({estimate.reason})"
    if estimate.low is None or estimate.high is None:
        return f"{name} {estimate.value:+.{digits}f}{unit} ({estimate.reason})"
    ends = f"[{estimate.low:+.{digits}f}, {estimate.high:+.{digits}f}]"
    over = counted(estimate.n, "chat")
    return f"{name} {estimate.value:+.{digits}f} {ends}{unit}; 95% t interval over {over}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"

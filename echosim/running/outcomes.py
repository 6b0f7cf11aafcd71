"""What came back from one model attempt, typed: the only place that decides what is a reply.

Everything that is not `ok` or `truncated` carries no text, so that no error can be embedded, read
or scored as if the model had said it. Pure; knows answers and errors by their shape alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from echosim.records import Outcome

MAX_REPLY = 200_000
"""Characters kept of one reply."""
MAX_DETAIL = 300
"""Characters kept of one error."""
_STOPPING = frozenset({401, 402, 403, 404})
"""Statuses that will meet every other call to the same target too."""
_TRANSIENT = frozenset({408, 409, 425, 429})
_UNSEEN = dict.fromkeys((0, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""NUL, the byte order mark, and the marks that embed, isolate or override a direction."""
_OBJECTS = re.compile(r"\s*(?:ssl:)?<[^<>]{0,80} object at 0x[0-9a-fA-F]+>")
"""Addresses in memory tell nobody anything and differ from run to run."""
_KEY_SHAPES = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf)[-_][A-Za-z0-9_*-]{6,}|\bAIza[A-Za-z0-9_-]{10,}|(?i:bearer)\s+[^\s\"',}]+"
)
_TOO_LONG = re.compile(
    r"context.{0,20}(?:length|window)|maximum (?:context|prompt)|prompt is too long|too many tokens", re.I
)
_FILTERED = re.compile(r"content[_ ](?:filter|policy|management)|safety system|usage polic", re.I)
_SPENT = re.compile(r"insufficient_quota|credit balance", re.I)
_QUOTA = re.compile(r"exceeded your current quota|billing", re.I)
"""Google says so of a quota per minute too, and then when to come again."""
_COME_AGAIN = re.compile(
    r"(?:retry|try again) in (\d{1,6}(?:\.\d{1,9})?) ?s|\"retryDelay\": ?\"(\d{1,6}(?:\.\d{1,9})?)s"
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP request, or one call of a reference target, and what it gave.

    Attributes:
        outcome: its type.
        text: the reply; "" unless outcome is ok or truncated.
        flags: what was done to the text ("truncated", "cleaned", "cut").
        returned_model: model name that the provider reported.
        prompt_tokens: as billed, None where the provider did not say.
        completion_tokens: likewise.
        detail: why there is no text, redacted, one line.
        retry_after: seconds the provider asked to wait, or None.
        stops_target: every other call to this target would fail likewise.
        throttled: calls came too fast (429).
        out_of_quota: the account has no more to spend, or says so.
        may_be_billed: nothing says that the provider did not do the work.
    """

    outcome: Outcome
    text: str = ""
    flags: tuple[str, ...] = ()
    returned_model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    detail: str = ""
    retry_after: float | None = None
    stops_target: bool = False
    throttled: bool = False
    out_of_quota: bool = False
    may_be_billed: bool = False


def clean(text: str) -> tuple[str, tuple[str, ...]]:
    """Text that every later stage can hold, and flags for what was changed.

    Half characters become U+FFFD; NUL, byte order marks and what turns the direction of text around go
    ("cleaned"); what is longer than `MAX_REPLY` is cut ("cut").
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").translate(_UNSEEN)
    flags = () if whole == text else ("cleaned",)
    return (whole, flags) if len(whole) <= MAX_REPLY else (whole[:MAX_REPLY], (*flags, "cut"))


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """One short printable line without the secrets and without anything shaped like a key."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "[key]")
    line = " ".join(_OBJECTS.sub("", _KEY_SHAPES.sub("[key]", text)).split())
    line = "".join(char if char.isprintable() else "?" for char in line)
    return line if len(line) <= MAX_DETAIL else line[: MAX_DETAIL - 3] + "..."


def from_answer(answer: Any, secrets: Iterable[str] = ()) -> Attempt:
    """Type an answer that arrived without an error.

    Args:
        answer: an object with `choices`, `usage` and `model`, in OpenAI's shape.
        secrets: values to blot out of `detail`.
    """
    prompt_tokens, completion_tokens = _usage(getattr(answer, "usage", None))
    model = getattr(answer, "model", None)
    returned = redact(model, secrets) if isinstance(model, str) and model else None

    def attempt(outcome: Outcome, detail: str) -> Attempt:
        return Attempt(
            outcome,
            returned_model=returned,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            detail=detail,
            may_be_billed=True,
        )

    choices = getattr(answer, "choices", None)
    if not choices:
        return attempt("empty", "the answer holds no choices")
    if not isinstance(choices, list):
        return attempt("malformed", "the answer's choices are no list")
    finish = getattr(choices[0], "finish_reason", None)
    if finish in ("content_filter", "safety", "refusal"):
        return attempt("filtered", f"the provider filtered the reply (finish_reason {finish})")
    message = getattr(choices[0], "message", None)
    content = getattr(message, "content", None)
    if content is None and _refusal(message):
        return attempt("refused", "the provider marked the reply as a refusal")
    if content is not None and not isinstance(content, str):
        return attempt("malformed", f"the reply is no text but {type(content).__name__}")
    text, flags = clean(content or "")
    if not text.strip():
        return attempt("empty", f"the reply is blank (finish_reason {finish})")
    shortened = finish == "length"
    return Attempt(
        "truncated" if shortened or "cut" in flags else "ok",
        text=text,
        flags=(*flags, "truncated") if shortened else flags,
        returned_model=returned,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        may_be_billed=True,
    )


def from_error(error: BaseException, secrets: Iterable[str] = ()) -> Attempt:
    """Type an exception that a model call raised, by its HTTP status and its words."""
    secrets = tuple(secrets)
    words = str(error)
    name = type(error).__name__
    status = _redirect(error) or getattr(error, "status_code", None)
    detail = redact(f"{status or name}: {_first_words(words)}", secrets)
    unreachable = re.search(r"Cannot connect to host (\S{1,200})", words)
    if unreachable:
        # litellm gives it a status, but no server answered.
        where = redact(unreachable.group(1), secrets)
        return Attempt("transient", detail=f"cannot connect to {where}; is the server running? see api_base")
    if isinstance(error, TimeoutError) or name == "Timeout":
        return Attempt("transient", detail=detail or "no answer in time", may_be_billed=True)
    if "Invalid response object" in words:
        return _from_broken_body(words, detail)
    if any(sign in words for sign in ("Unable to get json", "no 'choices'", "payload is not completed")):
        return Attempt("malformed", detail=detail, may_be_billed=True)
    if not isinstance(status, int):
        return Attempt("fatal", detail=detail)
    if name == "ContextWindowExceededError" or (status in (400, 413, 422) and _TOO_LONG.search(words)):
        return Attempt("too_long", detail=detail)
    if name == "ContentPolicyViolationError" or (status in (400, 403, 422) and _FILTERED.search(words)):
        return Attempt("filtered", detail=detail)
    pause = _retry_after(error, words)
    if status in (402, 429) and (_SPENT.search(words) or (pause is None and _QUOTA.search(words))):
        return Attempt("fatal", detail=detail, stops_target=True, out_of_quota=True)
    if status in _TRANSIENT or status >= 500:
        lost = "disconnected" in words.lower() or "connection reset" in words.lower()
        return Attempt(
            "transient",
            detail=detail,
            retry_after=pause,
            throttled=status == 429,
            may_be_billed=lost,
        )
    if 300 <= status < 400:
        detail = f"{status}: the server redirects; give its final address as api_base"
        return Attempt("fatal", detail=detail, stops_target=True)
    return Attempt("fatal", detail=detail, stops_target=status in _STOPPING)


def _from_broken_body(words: str, detail: str) -> Attempt:
    """litellm reports a null message as an error that quotes the body."""
    body = words.partition("received_args=")[2].partition("'model_response_object'")[0]
    if "'finish_reason': 'content_filter'" in body:
        return Attempt("filtered", detail="the provider filtered the reply", may_be_billed=True)
    if "'message': None" in body:
        return Attempt("empty", detail="the answer holds no message", may_be_billed=True)
    return Attempt("malformed", detail=detail, may_be_billed=True)


def _first_words(words: str) -> str:
    """The provider's own words: without litellm's class names before and tracebacks behind."""
    words = words.partition("Traceback (most recent call last)")[0]
    return re.sub(
        r"^(?:litellm\.)?(?:\w+(?:Error|Exception)?: )*(?:\w+Exception - )?", "", words.strip(), count=1
    )


def _usage(usage: Any) -> tuple[int | None, int | None]:
    """Tokens as billed; None, None where the numbers are missing or impossible."""
    found = [getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")]
    if any(type(number) is not int or number < 0 for number in found) or not found[0]:
        return None, None
    return found[0], found[1]


def _refusal(message: Any) -> bool:
    fields = getattr(message, "provider_specific_fields", None)
    noted = fields.get("refusal") if isinstance(fields, Mapping) else None
    return bool(noted or getattr(message, "refusal", None))


def _redirect(error: BaseException) -> int | None:
    """The status where a server redirects; on some routes litellm passes it off as a 500."""
    status = getattr(getattr(error.__context__, "response", None), "status_code", None)
    return status if isinstance(status, int) and 300 <= status < 400 else None


def _retry_after(error: BaseException, words: str) -> float | None:
    """Seconds that the provider asks to wait, in a header or in words; None where it does not.

    A date is not worth the clock trouble.
    """
    cause = error.__context__
    for holder in (error, getattr(error, "response", None), cause, getattr(cause, "response", None)):
        headers = getattr(holder, "litellm_response_headers", None) or getattr(holder, "headers", None)
        value = headers.get("retry-after") if headers else None
        try:
            seconds = float(value) if value is not None else -1.0
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    asked = _COME_AGAIN.search(words)
    return float(asked.group(1) or asked.group(2)) if asked else None

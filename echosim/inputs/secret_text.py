"""Text that looks like a key, or is one here: masked in every message, and refused in study files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import quote

_KEYS = re.compile(
    r"""
    (?<![A-Za-z0-9])(?:
        sk-[A-Za-z0-9_-]{12,}                 # OpenAI, Anthropic, OpenRouter, DeepSeek
      | (?:gsk|xai|pplx|hf|r8|nvapi|fw|tgp_v1)[_-][A-Za-z0-9_-]{20,}
      | AIza[A-Za-z0-9_-]{30,}                # Google
      | gh[pousr]_[A-Za-z0-9]{30,}            # GitHub
      | AKIA[A-Z0-9]{16}                      # AWS
      | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*   # signed web token
      | [Bb]earer[ ]+[A-Za-z0-9._~+/=-]{12,}
    )
    """,
    re.VERBOSE,
)
_NAMES = re.compile(r"(?:^|_)(?:key|keys|secret|password|passwd|authorization|token|apikey)$", re.IGNORECASE)
_SECRET_WORDS = frozenset(
    ("KEY", "KEYS", "APIKEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASS", "CREDENTIAL", "CREDENTIALS")
)
"""One of them in a variable's name makes its value a secret."""
_SHORTEST = 6
"""Characters: shorter values (`1`, `true`, `EMPTY`) are words of every text."""
_named: set[str] = set()


def has_key(text: str) -> bool:
    """True where some part of the text looks like a key."""
    return _KEYS.search(text) is not None


def masked(text: str) -> str:
    """The text with everything that looks like a key replaced by `***`."""
    return _KEYS.sub("***", text)


def names_secret(field: str) -> bool:
    """True for field names that ask for a secret (`api_key`, `password`), not for its variable."""
    return _NAMES.search(field) is not None


def keep_secret(variable: str) -> None:
    """From now on this variable holds a secret, whatever it is called: a study names it as a key."""
    _named.add(variable)


def secret_values(environment: Mapping[str, str]) -> list[str]:
    """Values that no text may show: of variables named like secrets, or by a study as keys.

    The longest first, since one may be part of another; also as a URL would spell them.
    """
    values = [value for name, value in environment.items() if _is_secret(name) and len(value) >= _SHORTEST]
    return sorted({*values, *(quote(value, safe="") for value in values)}, key=len, reverse=True)


def _is_secret(variable: str) -> bool:
    return variable in _named or not _SECRET_WORDS.isdisjoint(variable.upper().split("_"))


def without_secrets(text: str) -> str:
    """The text, of any number of lines, with `***` for everything that looks like a key or is one here."""
    for value in secret_values(os.environ):
        text = text.replace(value, "***")
    return masked(text)

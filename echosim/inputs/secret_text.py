"""Text that looks like a key: it is masked in every message, and refused in study files."""

from __future__ import annotations

import re

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


def has_key(text: str) -> bool:
    """True where some part of the text looks like a key."""
    return _KEYS.search(text) is not None


def masked(text: str) -> str:
    """The text with everything that looks like a key replaced by `***`."""
    return _KEYS.sub("***", text)


def names_secret(field: str) -> bool:
    """True for field names that ask for a secret (`api_key`, `password`), not for its variable."""
    return _NAMES.search(field) is not None

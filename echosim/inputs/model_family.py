"""Which models are kin: a user worded by a model talks more easily with one of its own family.

>>> family("openai/gpt-4o-mini"), family("openrouter/anthropic/claude-sonnet-4-5")
('gpt', 'claude')
"""

from __future__ import annotations

import re

_KIN = {
    "chatgpt": "gpt",
    "o1": "gpt",
    "o3": "gpt",
    "o4": "gpt",
    "gemma": "gemini",
    "mixtral": "mistral",
    "ministral": "mistral",
    "magistral": "mistral",
    "codestral": "mistral",
    "pixtral": "mistral",
    "qwq": "qwen",
    "vicuna": "llama",
    "codellama": "llama",
    "r1": "deepseek",
}
"""Names of one maker's models that do not begin alike."""


def family(model: str) -> str:
    """The family of a model string, in lower case: the first word of the model's own name.

    Of two models that share no name (a local server's "my-model") nothing can be known; they count as
    kin exactly when their names begin with the same word.
    """
    name = model.rpartition("/")[2].lower()
    word = re.match(r"[a-z]+(?:\d(?=$|[-_.:]))?", name)
    found = word[0] if word else name
    if found in _KIN:
        return _KIN[found]
    bare = found.rstrip("0123456789")
    return _KIN.get(bare, bare) or name

"""Where a target's calls may go and which key they need: rules on model strings, addresses, variables."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from echosim import registry
from echosim.errors import Fault, PluginError
from echosim.inputs.document import shown
from echosim.inputs.secret_text import masked
from echosim.study_records import Study, TargetSpec

REFERENCE = "echosim/"
EXAMPLES = "openai/gpt-4o-mini, anthropic/claude-sonnet-4-5, openai/NAME with api_base, echosim/corrector"
ALLOWED_BASES = "allowed: https://..., or http:// on 127.0.0.1 or localhost"

_LONGEST_SPEC = 100

KEY_VARIABLES: dict[str, tuple[str, ...]] = {
    "ai21": ("AI21_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "azure": ("AZURE_API_KEY", "AZURE_AD_TOKEN"),
    "cerebras": ("CEREBRAS_API_KEY",),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "deepinfra": ("DEEPINFRA_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks_ai": (
        "FIREWORKS_AI_API_KEY",
        "FIREWORKS_API_KEY",
        "FIREWORKSAI_API_KEY",
        "FIREWORKS_AI_TOKEN",
    ),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "huggingface": ("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    "mistral": ("MISTRAL_API_KEY",),
    "moonshot": ("MOONSHOT_API_KEY",),
    "nvidia_nim": ("NVIDIA_NIM_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY", "OR_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "replicate": ("REPLICATE_API_KEY", "REPLICATE_API_TOKEN"),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN", "TOGETHER_API_KEY"),
    "xai": ("XAI_API_KEY",),
}
"""Usual variables of a provider's key; any one of them is enough. Other providers are not checked."""

# fmt: off
_OTHER_PROVIDERS = (
    "azure_ai", "bedrock", "cloudflare", "cohere_chat", "dashscope", "databricks", "github",
    "github_copilot", "hosted_vllm", "litellm_proxy", "llamafile", "lm_studio", "meta_llama", "novita",
    "ollama", "ollama_chat", "sagemaker", "sambanova", "snowflake", "triton",
    "text-completion-codestral", "text-completion-openai",
    "vertex_ai", "volcengine", "watsonx", "xinference", "zai",
)
# fmt: on


def model_fault(model: str) -> str | None:
    """What is wrong with a model string; None where nothing is."""
    name = f"model '{shown(masked(model))}'"
    if model.startswith(REFERENCE):
        return plugin_fault("target", model.removeprefix(REFERENCE))
    provider, slash, rest = model.partition("/")
    if re.search(r"\s", model):
        return f"{name} holds a space; examples: {EXAMPLES}"
    if not slash or not provider or not rest:
        return f"{name} has no provider; examples: {EXAMPLES}"
    known = [*KEY_VARIABLES, *_OTHER_PROVIDERS, "echosim"]
    near = difflib.get_close_matches(provider, known, n=1, cutoff=0.8)
    if near and provider not in known:
        return f"{name}: unknown provider '{shown(provider)}'; did you mean '{near[0]}'?"
    return None


def plugin_fault(kind: registry.Kind, spec: str) -> str | None:
    """What is wrong with the name of a target, user or arm; options are tried out."""
    if len(spec) > _LONGEST_SPEC or not spec.isprintable():
        like = registry.example(kind)
        return f"{kind} '{shown(masked(spec))}' is not a name with options; write it like {like}"
    try:
        _, options = registry.parse(kind, spec)
        if options:
            registry.load(kind, spec)
    except PluginError as error:
        return shown(masked(str(error)), 400)
    return None


def default_label(model: str) -> str:
    """The model without its provider: `gpt-4o-mini`, `mix(0.25)`."""
    return model.partition("/")[2] or model


def api_base_fault(url: str, *, allow_http: bool) -> str | None:
    """What is wrong with an address; None where nothing is. The address itself is not repeated: it may
    hold credentials.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"not an address; {ALLOWED_BASES}"
    if parts.scheme not in ("http", "https") or "://" not in url:
        scheme = (
            f"scheme '{shown(parts.scheme)}:' is not allowed" if "://" in url else "has no http(s):// scheme"
        )
        return f"{scheme}; {ALLOWED_BASES}"
    if not host or re.search(r"[\s\\]", url):
        return f"has no valid host; {ALLOWED_BASES}"
    if parts.username is not None or parts.password is not None:
        return f"must not hold credentials; name a variable in api_key_env; {ALLOWED_BASES}"
    if parts.query or parts.fragment:
        return f"must not hold '?' or '#'; name a variable in api_key_env; {ALLOWED_BASES}"
    if is_metadata(host):
        return f"link-local and metadata addresses are never allowed; {ALLOWED_BASES}"
    if parts.scheme == "http" and not is_loopback(host) and not allow_http:
        return (
            f"plain http leaves this machine unprotected; use https, or set allow_http: true; {ALLOWED_BASES}"
        )
    return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host text stands for, in any of the forms that network libraries accept."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if not re.fullmatch(r"[0-9a-fA-FxX.]+", host):
            return None
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


_METADATA_ADDRESSES = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192"))
)
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})


def is_metadata(host: str) -> bool:
    """True for link-local addresses and for those that hand out a cloud machine's credentials."""
    address = _address(host)
    if address is None:
        return host.lower().rstrip(".") in _METADATA_NAMES
    return address.is_link_local or address in _METADATA_ADDRESSES


def is_loopback(host: str) -> bool:
    """True for this machine."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def check_environment(study: Study, environment: Mapping[str, str] = os.environ) -> list[Fault]:
    """Keys that the paid models need and the environment lacks; values are never looked at.

    Args:
        study: what is to be run.
        environment: variables.
    """
    faults = []
    for place, models in (("targets", study.targets), ("users", study.models[len(study.targets) :])):
        for model in models:
            message = None if model.is_reference else _missing_key(model, environment)
            if message:
                faults.append(Fault(study.name, None, None, f"{place}.{model.label}", message))
    return faults


def _missing_key(target: TargetSpec, environment: Mapping[str, str]) -> str | None:
    if target.api_key_env is not None:
        if environment.get(target.api_key_env):
            return None
        return f"variable {target.api_key_env}, named in api_key_env, is not set; set it and run again"
    usual = KEY_VARIABLES.get(target.model.partition("/")[0], ())
    if target.api_base is not None or not usual or any(environment.get(name) for name in usual):
        return None
    return f"no API key for {target.model}: set {' or '.join(usual)}, or name a variable in api_key_env"

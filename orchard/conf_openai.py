"""The settings of the OpenAI-compatible API: which models it names, and how long it waits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchard.conf_values import setting

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")


def model_names(value: str) -> list[str]:
    """The names in a list with commas, in their order."""
    return [name for part in value.split(",") if (name := part.strip())]


def _is_model_list(value: str) -> str:
    good = all(map(_NAME.fullmatch, model_names(value)))
    return "" if good else "names with commas between, such as whisper-large-v3,acme/whisper"


@dataclass(frozen=True, kw_only=True)
class OpenAiConf:
    """What programs written for OpenAI's API are told."""

    openai_models: str = setting(
        "", "ORCHARD_OPENAI_MODELS",
        "Further names of models that the OpenAI-compatible API answers to, beside orchard and"
        " whisper-1.",
        check=_is_model_list,
    )  # fmt: skip
    openai_wait_s: float = setting(
        540.0, "ORCHARD_OPENAI_WAIT_S",
        "How long a request of the OpenAI-compatible API waits for its transcript, in seconds.",
        low=0, high=86_400,
    )  # fmt: skip

"""What never gets into the logbook: secrets, and characters that disturb whoever reads."""

from __future__ import annotations

import re

from orchard.log_lines import printable

HIDDEN = "(hidden)"

_SPACES = "\n\t\u00a0\u3000"
_SECRETS = (
    # Our own tokens, those of GitHub, and sign-in links.
    re.compile(r"()\borchard_[A-Za-z0-9_-]{20,}"),
    re.compile(r"()\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    re.compile(r"(/sign-in/)[A-Za-z0-9_-]{10,}"),
    # Headers, addresses with a password, and settings by their name.
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+(?=@)"),
    re.compile(
        r"(?i)((?:password|passwd|secret|secret_key|token|api_?key)[\"']?\s*[=:]\s*[\"']?)"
        r"[^\s\"',;&)}\]]{4,}"
    ),
)
_SECRET_NAME = re.compile(
    r"(?i)(^|_)(password|passwd|secret|token|api_?key|authorization|cookie)s?($|_)"
)


def hide_secrets(text: str) -> str:
    """A text with whatever looks like a secret taken out."""
    for pattern in _SECRETS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds what nobody should read."""
    return bool(_SECRET_NAME.search(name))


def clean(text: str, longest: int) -> str:
    """A text as it may be kept: without secrets and controls, cut to ``longest`` characters."""
    if not text.isprintable():
        text = "".join(char if char in _SPACES else printable(char) for char in text)
    return cut(hide_secrets(text), longest)


def cut(text: str, longest: int) -> str:
    """A text that is at most so many characters long; a cut is shown."""
    return text if len(text) <= longest else text[: longest - 1] + "…"

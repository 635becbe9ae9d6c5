"""Words as they are compared: in small letters, without punctuation."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """A text as words with one space between them."""
    text = re.sub(r"\bmr\b\.?", "mister", text.lower()).replace("-", " ")
    return " ".join(re.sub(r"[^a-z' ]", "", text).split())

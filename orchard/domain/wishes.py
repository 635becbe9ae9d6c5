"""What a sender may wish of those who transcribe its recording, and how much of it."""

from __future__ import annotations

from collections.abc import Iterable

from orchard.domain.errors import InvalidInput
from orchard.domain.jobs import Wishes

PROMPT_MAX_CHARS = 2_000
"""Whisper reads about 900 characters of a prompt at most."""
HOT_WORDS_MAX = 100
HOT_WORD_MAX_CHARS = 100


def make_wishes(
    prompt: str = "", hot_words: Iterable[str] = (), *, words: bool = True
) -> Wishes | None:
    """What is wished, each hot word once; ``None`` when it is nothing in particular.

    Raises:
        InvalidInput: it is too much, or cannot be read.
    """
    hot = tuple(dict.fromkeys(filter(None, map(_check_hot_word, hot_words))))
    if len(hot) > HOT_WORDS_MAX:
        raise InvalidInput("hot_words", f"at most {HOT_WORDS_MAX} words")
    wished = Wishes(prompt=_check_prompt(prompt), hot_words=hot, words=words)
    return None if wished == Wishes() else wished


def split_hot_words(text: str) -> list[str]:
    """Hot words as people type them: one a line, or with commas between them."""
    for comma in ",、，;":
        text = text.replace(comma, "\n")
    return text.splitlines()


def _check_prompt(prompt: str) -> str:
    shown = " ".join(prompt.split())
    if len(shown) > PROMPT_MAX_CHARS:
        raise InvalidInput("prompt", f"at most {PROMPT_MAX_CHARS} characters")
    if not shown.isprintable():
        raise InvalidInput("prompt", "has characters that cannot be printed")
    return shown


def _check_hot_word(word: str) -> str:
    shown = " ".join(word.split())
    if len(shown) > HOT_WORD_MAX_CHARS:
        raise InvalidInput("hot_words", f"at most {HOT_WORD_MAX_CHARS} characters each")
    if not shown.isprintable():
        raise InvalidInput("hot_words", "has characters that cannot be printed")
    return shown

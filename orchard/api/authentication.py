"""Who asks: a program with a token, or a person with a session."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from orchard.tokens import Bearer, find_bearer

KEYWORD = "Bearer"


class Program(AnonymousUser):
    """A program that speaks for no person; it is somebody all the same."""

    is_authenticated = True  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.username = name  # type: ignore[assignment]


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``."""

    def authenticate(self, request: Request) -> tuple[Any, Bearer] | None:
        """Who the token speaks for.

        Raises:
            AuthenticationFailed: there is a token, and it does not count.
        """
        header = get_authorization_header(request)
        if not is_bearer(header):
            return None
        bearer = bearer_of(header)
        if bearer is None:
            raise AuthenticationFailed("The token is not valid", code="invalid_token")
        return bearer.user or Program(bearer.name), bearer

    def authenticate_header(self, request: Request) -> str:
        """What the answer 401 names as the way in."""
        return KEYWORD


def is_bearer(header: bytes) -> bool:
    """Whether this ``Authorization`` header is one of ours, right or wrong."""
    return header[: len(KEYWORD)].lower() == KEYWORD.lower().encode()


def bearer_of(header: bytes) -> Bearer | None:
    """Who the token in an ``Authorization`` header speaks for."""
    words = header.split()
    if len(words) != 2 or words[0].lower() != KEYWORD.lower().encode() or not words[1].isascii():
        return None
    return find_bearer(words[1].decode())

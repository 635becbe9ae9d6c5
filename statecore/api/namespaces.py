"""``/api/v1/state``: namespaces as a whole, and transactions over several of them."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response

from statecore.api.answers import (
    EntriesAnswer,
    NamespaceAnswer,
    NamespaceCountAnswer,
    NamespacesAnswer,
)
from statecore.api.bodies import ChangeBody, NamespaceBody, TransactionBody
from statecore.api.documents import described
from statecore.api.parsing import ExactJson, parse_body
from statecore.api.shapes import value_of
from statecore.api.signals import note
from statecore.api.views import View
from statecore.domain.entries import Entry, Put
from statecore.domain.errors import InvalidInput
from statecore.domain.names import check_key, check_name
from statecore.services import changes, namespaced, run
from statecore.services.values import encode_value

_WRONG = {400: "The namespace cannot be a name"}
_TOO_LARGE = {413: "A value is larger than it may be"}


class OfState:
    """Who may see and change namespaced state."""

    scopes: tuple[str, ...] = ("state",)
    read_scopes: tuple[str, ...] = ("state", "read")
    parser_classes: tuple[Any, ...] = (ExactJson,)


class Namespaces(OfState, View):
    """All namespaces."""

    @described(NamespacesAnswer, operation_id="list_namespaces")
    def get(self, request: Request) -> Response:
        """List the namespaces, and how many entries each has."""
        counts = run(namespaced.count_all())
        shown = [{"namespace": name, "count": count} for name, count in counts.items()]
        return Response({"namespaces": shown, "count": len(shown)})

    @described(
        EntriesAnswer, body=TransactionBody, operation_id="change_state",
        refusals=_TOO_LARGE | {409: "A condition does not hold; nothing was changed"},
    )  # fmt: skip
    def patch(self, request: Request) -> Response:
        """Set and delete entries of any namespaces: all of them, or none.

        A change may have the conditions `if_version` and `if_absent`.
        """
        wishes = parse_body(TransactionBody, request.data).changes
        puts = [_put(f"changes[{i}]", wish) for i, wish in enumerate(wishes)]
        entries = run(namespaced.put_many(puts))
        for put in puts:
            name = "state.delete" if put.raw is None else "state.set"
            note(request, name, f"{put.namespace}/{put.key}")
        shown = [_moved(put, entry) for put, entry in zip(puts, entries, strict=True)]
        return Response({"entries": shown})


class OneNamespace(OfState, View):
    """One namespace."""

    @described(NamespaceAnswer, refusals=_WRONG, operation_id="get_namespace")
    def get(self, request: Request, namespace: str) -> Response:
        """All entries of a namespace at one moment, and the cursor to watch it from."""
        cursor = run(changes.now_cursor())
        entries = run(namespaced.get_all(namespace))
        values = {key: value_of(entry) for key, entry in entries.items()}
        versions = {key: entry.version for key, entry in entries.items()}
        shown = {"namespace": namespace, "count": len(entries), "values": values}
        return Response(shown | {"versions": versions, "cursor": cursor})

    @described(
        NamespaceCountAnswer, body=NamespaceBody, refusals=_TOO_LARGE,
        operation_id="replace_namespace",
    )  # fmt: skip
    def put(self, request: Request, namespace: str) -> Response:
        """Let a namespace hold exactly these values, in one step."""
        values = parse_body(NamespaceBody, request.data).values
        run(namespaced.replace_all(namespace, values))
        note(request, "state.replace", namespace, count=len(values))
        return Response({"namespace": namespace, "count": len(values)})

    @described(NamespaceCountAnswer, refusals=_WRONG, operation_id="clear_namespace")
    def delete(self, request: Request, namespace: str) -> Response:
        """Delete all entries of a namespace, in one step."""
        run(namespaced.clear(namespace))
        note(request, "state.clear", namespace)
        return Response({"namespace": namespace, "count": 0})


def _put(where: str, wish: ChangeBody) -> Put:
    """A change as the services know it.

    Raises:
        InvalidInput, TooLarge: it makes no sense; names its place in the list.
    """
    has_value = wish.value is not UNSET
    if has_value == wish.delete:
        raise InvalidInput(where, "give either a value or delete")
    return Put(
        namespace=check_name(f"{where}.namespace", wish.namespace),
        key=check_key(f"{where}.key", wish.key),
        raw=encode_value(wish.value, f"{where}.value") if has_value else None,
        if_version=wish.if_version, if_absent=wish.if_absent,
    )  # fmt: skip


def _moved(put: Put, entry: Entry | None) -> dict[str, Any]:
    version = entry.version if entry else 0
    return {"namespace": put.namespace, "key": put.key, "version": version}

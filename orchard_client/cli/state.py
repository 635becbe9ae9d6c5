"""``orchard state``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import msgspec
import typer

from orchard_client.cli import wording
from orchard_client.cli.output import Column, print_json, print_line, show_list, show_one
from orchard_client.cli.session import Json, client_of
from orchard_client.cli.values import parse_json
from orchard_client.models.state import Namespace, NamespaceCount

app = typer.Typer(help=wording.STATE)

Space = Annotated[str, typer.Argument(metavar="NAMESPACE", help=wording.NAMESPACE)]
Key = Annotated[str, typer.Argument(metavar="KEY", help=wording.ENTRY_KEY)]
Tag = Annotated[str | None, typer.Option(help=wording.IF_TAG)]

SPACES: list[Column[NamespaceCount]] = [
    (wording.T_NAMESPACE, lambda space: space.namespace),
    (wording.T_ENTRIES, lambda space: space.count),
]
ENTRIES: list[Column[tuple[str, Any, int]]] = [
    (wording.T_KEY, lambda entry: entry[0]),
    (wording.T_VERSION, lambda entry: entry[2]),
    (wording.T_VALUE, lambda entry: _json(entry[1])),
]


@app.command("list", help=wording.STATE_LIST)
def list_state(
    context: typer.Context,
    namespace: Annotated[str, typer.Argument(help=wording.NAMESPACE)] = "",
    as_json: Json = False,
) -> None:
    """List namespaces, or entries."""
    state = client_of(context).state
    if not namespace:
        show_list(state.namespaces().namespaces, SPACES, as_json=as_json)
        return
    found = state.namespace(namespace)
    if as_json:
        print_json(found)
        return
    entries = [(key, value, found.versions.get(key, 0)) for key, value in found.values.items()]
    show_list(entries, ENTRIES, as_json=False)


@app.command("get", help=wording.STATE_GET)
def get(context: typer.Context, namespace: Space, key: Key, as_json: Json = False) -> None:
    """Print a value; with --json, its tag too."""
    entry = client_of(context).state.get(namespace, key)
    print_json(entry if as_json else entry.value)


@app.command("set", help=wording.STATE_SET)
def set_value(
    context: typer.Context, namespace: Space, key: Key,
    value: Annotated[str, typer.Argument(metavar="VALUE", help=wording.VALUE)],
    text: Annotated[bool, typer.Option("--text", help=wording.TEXT)] = False,
    if_tag: Tag = None,
    if_absent: Annotated[bool, typer.Option("--if-absent", help=wording.IF_ABSENT)] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Set a value."""
    said = sys.stdin.read() if value == "-" else value
    stored = client_of(context).state.set(
        namespace, key, said if text else parse_json(said), if_match=if_tag,
        if_none_match=if_absent,
    )  # fmt: skip
    show_one(stored, as_json=as_json)


@app.command("delete", help=wording.STATE_DELETE)
def delete(
    context: typer.Context, namespace: Space, key: Key, if_tag: Tag = None, as_json: Json = False
) -> None:
    """Delete a value."""
    show_one(client_of(context).state.delete(namespace, key, if_match=if_tag), as_json=as_json)


@app.command("watch", help=wording.STATE_WATCH)
def watch(
    context: typer.Context, namespace: Space,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help=wording.ENTRY_KEY)] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Tell each change: key, version, and the new value."""
    for change in client_of(context).state.watch(namespace):
        if isinstance(change, Namespace):
            continue  # some changes are no longer known; those to come are
        if key is not None and change.key != key:
            continue
        if as_json:
            print_line(_json(change))
        else:
            print_line(f"{change.key}\t{change.version}\t{_json(change.new)}")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

"""Transactions: what a callback reads and writes becomes one step, or nothing.

Optimistic: values are noted as they are read, and the commit goes through only
if all of them still hold. On a conflict the callback runs again, so it should
do nothing but compute.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from statecore import codec, keys
from statecore.domain.entries import Put, check_place
from statecore.domain.errors import NestedTransaction
from statecore.domain.names import check_name
from statecore.repository import entry_cells
from statecore.services import namespaced
from statecore.services.values import encode_value
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.errors import TooManyConflicts
from statecore.store.steps import MAX_TRIES

T = TypeVar("T")

_active: ContextVar[bool] = ContextVar("statecore_transaction", default=False)


class Transaction:
    """A view of all namespaces with this transaction's own changes in it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[ops.Cell, bytes | None] = {}
        self._puts: dict[tuple[str, str], bytes | None] = {}

    def get(self, namespace: str, key: str | None = None, default: Any = None) -> Any:
        """A value; without a key, all values of the namespace."""
        if key is None:
            return self.get_all(namespace)
        raw = self._raw(*check_place(namespace, key))
        return default if raw is None else codec.decode_json(raw)

    def has(self, namespace: str, key: str) -> bool:
        """Whether there is an entry."""
        return self._raw(*check_place(namespace, key)) is not None

    def get_all(self, namespace: str) -> dict[str, Any]:
        """All values of a namespace."""
        raws = self._all_raw(check_name("namespace", namespace))
        return {key: codec.decode_json(raw) for key, raw in raws.items()}

    def set(self, namespace: str, key: str, value: Any) -> None:
        """Set an entry when the transaction ends."""
        self._puts[check_place(namespace, key)] = encode_value(value)

    def delete(self, namespace: str, key: str) -> bool:
        """Delete an entry when the transaction ends; false when there is none."""
        had = self.has(namespace, key)
        self._puts[(namespace, key)] = None
        return had

    def clear(self, namespace: str) -> None:
        """Delete all entries of a namespace when the transaction ends."""
        for key in self._all_raw(check_name("namespace", namespace)):
            self._puts[(namespace, key)] = None

    def set_all(self, namespace: str, values: dict[str, Any]) -> None:
        """Let a namespace hold exactly these values when the transaction ends."""
        self.clear(namespace)
        for key, value in values.items():
            self.set(namespace, key, value)

    def commit(self) -> bool:
        """Make it so; false when something that was read has changed meanwhile."""
        puts = [Put(namespace=ns, key=key, raw=raw) for (ns, key), raw in self._puts.items()]
        if puts:
            return self._store.run(namespaced.commit_if(self._seen, puts))
        return self.is_current()

    def is_current(self) -> bool:
        """Whether everything that was read still holds."""
        values = self._store.read(*self._seen)
        return values == list(self._seen.values())

    def _raw(self, namespace: str, key: str) -> bytes | None:
        if (namespace, key) in self._puts:
            return self._puts[(namespace, key)]
        cells = entry_cells(namespace, key)
        if cells[0] not in self._seen:
            # The version as well: what is set here will need it, and this saves asking again.
            self._seen |= zip(cells, self._store.read(*cells), strict=True)
        return self._seen[cells[0]]

    def _all_raw(self, namespace: str) -> dict[str, bytes]:
        name = keys.state(namespace)
        fields, size = self._store.read(ops.WholeHash(name), ops.Size(name))
        # What was read before must still hold: then the whole is of one moment.
        for key, raw in fields.items():
            self._seen.setdefault(ops.Field(name, key), raw)
        self._seen.setdefault(ops.Size(name), size)
        kept: dict[str, bytes | None] = {**fields}
        kept |= {key: raw for (ns, key), raw in self._puts.items() if ns == namespace}
        return {key: raw for key, raw in kept.items() if raw is not None}


def refuse_inside() -> None:
    """Refuse what would escape the transaction that this code runs in.

    Raises:
        NestedTransaction: it runs in one.
    """
    if _active.get():
        raise NestedTransaction("Inside a transaction, write through the transaction alone")


@contextmanager
def _inside() -> Any:
    if _active.get():
        raise NestedTransaction
    mark = _active.set(True)
    try:
        yield
    finally:
        _active.reset(mark)


def run_transaction(store: Store, callback: Callable[[Transaction], T]) -> T:
    """Run a callback until what it has read holds at its end, and commit what it has set.

    Raises:
        NestedTransaction: it is called inside another transaction.
        TooManyConflicts: others kept changing what it reads.
        Exception: whatever the callback raises on values that hold; nothing is changed then.
    """
    for _ in range(MAX_TRIES):
        transaction = Transaction(store)
        try:
            with _inside():
                result = callback(transaction)
        except NestedTransaction:
            raise
        except Exception:
            if transaction.is_current():
                raise
            continue
        if transaction.commit():
            return result
    raise TooManyConflicts(f"{MAX_TRIES} conflicts of one transaction")

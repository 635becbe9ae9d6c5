"""Namespaces: whoever looks for them must find each in the list."""

from __future__ import annotations

from collections.abc import Sequence

from statecore import keys
from statecore.services.doctor.catalogue import NAMESPACE
from statecore.services.doctor.symptoms import found
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.findings import Examiner, Finding, Subject
from statecore.store.walking import contains, look_at


class NamespaceExaminer(Examiner):
    """Namespaces that have entries."""

    kind = NAMESPACE

    def look(self, store: Store, names: Sequence[str]) -> list[Finding]:
        """Those that the list leaves out."""
        facts = look_at(store, [keys.state(name) for name in names])
        listed = contains(store, keys.NAMESPACES, names)
        return [
            found("namespace-unlisted", Subject(NAMESPACE, name), "It has entries.")
            for name, fact, is_listed in zip(names, facts, listed, strict=True)
            if fact.kind == "hash" and not is_listed
        ]

    def mend(self, store: Store, name: str) -> list[Finding]:
        """List it."""
        wrong = self.look(store, [name])
        if wrong:
            store.commit({}, (ops.SetAdd(keys.NAMESPACES, (name,)),))
        return wrong

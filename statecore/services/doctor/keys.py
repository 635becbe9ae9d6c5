"""Keys as such: each must be one that we know, of its type, with its lifetime."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from statecore.services.doctor.catalogue import KEY
from statecore.services.doctor.symptoms import found
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.findings import Examiner, Finding, KeyRule, Subject, match
from statecore.store.walking import KeyFact, below, look_at_addresses

DEFAULT_MS = 3_600_000
"""How long a key lives from now that should have an end, when nobody knows which."""


class KeyExaminer(Examiner):
    """All keys, by the rules of both sides."""

    kind = KEY

    def __init__(self, rules: Iterable[KeyRule]) -> None:
        self.rules = tuple(rules)

    def look(self, store: Store, names: Sequence[str]) -> list[Finding]:
        """What is wrong with these keys, named as in the engine."""
        return [
            finding
            for fact in look_at_addresses(store, names)
            if fact.kind
            for finding in self.judge(fact)
        ]

    def judge(self, fact: KeyFact) -> list[Finding]:
        """What is wrong with a key, by what is known of it."""
        subject, known = Subject(KEY, fact.address or fact.name), match(self.rules, fact)
        if known is None:
            return [found("key-unknown", subject, f"A {fact.kind}, of size {fact.size}.")]
        must, _ = known
        if fact.kind != must.kind:
            what = f"It holds a {fact.kind} and must hold a {must.kind}."
            return [found("key-type", subject, what, mends=must.is_derived)]
        if fact.ttl_ms is None and must.lives == "for a while":
            return [found("key-ttl", subject, "It has no end, and should have one.")]
        if fact.ttl_ms is not None and must.lives == "for ever":
            return [found("key-ttl", subject, "It would expire, and must not.")]
        return []

    def mend(self, store: Store, name: str) -> list[Finding]:
        """Give it its lifetime; delete what can be made anew."""
        wrong = [each for each in self.look(store, [name]) if each.repair]
        for finding in wrong:
            below(store).commit({}, (self._write(store, finding),))
        return wrong

    def _write(self, store: Store, finding: Finding) -> ops.Write:
        (fact,) = look_at_addresses(store, [finding.where])
        if finding.code == "key-type":
            return ops.Delete((finding.where,))
        known = match(self.rules, fact)
        must = known[0] if known else None
        if must is None or must.lives != "for a while":
            return ops.Expire(finding.where, None)
        return ops.Expire(finding.where, must.most_ms or DEFAULT_MS)

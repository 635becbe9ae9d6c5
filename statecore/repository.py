"""Which records a decision reads and writes, and where a record stands in sets and indexes.

The domain says what a record becomes; a :class:`Draft` turns *before* and
*after* into writes. An issue stands in six places (record, plain hash, sets,
lock, indexes, what its process holds): all of them follow from its record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from statecore import codec, keys
from statecore.domain.entries import ISSUES, Entry, next_version
from statecore.domain.events import Event, StateChanged
from statecore.domain.issues import NUMBER_MAX, Issue
from statecore.domain.labels import DeliveryPolicy, LabelRequest
from statecore.domain.lifecycle import PROCESSED, LabelStatus
from statecore.domain.locks import Lock
from statecore.domain.processes import ACTIVE, Process
from statecore.store import ops
from statecore.store.drafts import Later, WriteDraft
from statecore.store.drafts import epoch_ms as epoch_ms
from statecore.store.steps import Seen

INLINE_MAX_BYTES = 2_048
"""Values that together are larger than this are kept beside the event that tells of them."""


class Limits(NamedTuple):
    """How long things are held and kept, and how large they may be; from the settings."""

    issue_lease_ms: int = 300_000
    heartbeat_limit_ms: int = 30_000
    process_ttl_ms: int = 1_800_000
    lock_ttl_ms: int = 300_000
    value_max_bytes: int = 1_000_000
    events_max: int = 20_000
    delivery: DeliveryPolicy = DeliveryPolicy()
    delivery_lease_ms: int = 60_000


def entry_cells(namespace: str, key: str) -> tuple[ops.Field, ops.Field]:
    """Where an entry and its version are."""
    return ops.Field(keys.state(namespace), key), ops.Field(keys.versions(namespace), key)


def issue_cells(number: int) -> tuple[ops.Field, ops.Field]:
    """Where the record of an issue and its version are."""
    return entry_cells(ISSUES, str(number))


def find_entry(seen: Seen, namespace: str, key: str) -> Entry | None:
    """The entry among the values read, or ``None``."""
    value, _ = entry_cells(namespace, key)
    raw = seen.get(value)
    if raw is None:
        return None
    version = last_version(seen, namespace, key)
    return Entry(namespace=namespace, key=key, raw=raw, version=version)


def last_version(seen: Seen, namespace: str, key: str) -> int:
    """The last version that an entry has had, even if it is gone; 0 when none is known."""
    return _number(seen.get(entry_cells(namespace, key)[1]))


def find_issue(seen: Seen, number: int) -> Issue | None:
    """The issue among the values read, or ``None``.

    Raises:
        DamagedRecord: what is there is no record of an issue.
    """
    raw = seen.get(issue_cells(number)[0])
    return None if raw is None else codec.decode_issue(number, raw)


def issue_number(namespace: str, key: str) -> int | None:
    """The number of the issue that an entry describes, if it describes one."""
    is_number = namespace == ISSUES and key.isascii() and key.isdigit() and key[0] != "0"
    return int(key) if is_number and len(key) <= 16 and int(key) <= NUMBER_MAX else None


class Draft(WriteDraft):
    """Writes in the making, gathered so that each key is written once."""

    def __init__(self, limits: Limits, at: datetime) -> None:
        super().__init__()
        self._limits = limits
        self._at = at

    # -- entries ---------------------------------------------------------------

    def entry(self, before: Entry | None, after: Entry | None, last: int, aside: str) -> None:
        """Set or delete an entry; ``aside`` is a fresh name for a large change.

        ``last`` is the last version that the entry has had.
        """
        one = after or before
        if one is None:
            return
        raw = after.raw if after else None
        version = after.version if after else next_version(last, self._at)
        self.fields(keys.state(one.namespace), {one.key: raw})
        # The version of a deleted entry stays: what is set there later must have a larger one.
        self.fields(keys.versions(one.namespace), {one.key: str(version).encode()})
        if before is None:
            self.member(keys.NAMESPACES, one.namespace, present=True)
        if before is None or after is None:
            self.place(keys.entries(one.namespace), one.key, 0.0 if after else None)
        self._tell_change(one, before.raw if before else None, raw, version if raw else 0, aside)

    def _tell_change(
        self, one: Entry, old: bytes | None, new: bytes | None, version: int, aside: str
    ) -> None:
        told: dict[str, Any] = {"namespace": one.namespace, "key": one.key, "version": version}
        values = {"old": _text(old), "new": _text(new)}
        if len(old or b"") + len(new or b"") <= INLINE_MAX_BYTES:
            told |= values
        else:
            self.put(keys.change(aside), codec.encode_json(values), keys.CHANGE_TTL_MS)
            told["kept_aside"] = aside
        self.events([StateChanged(at=self._at, **told)])

    # -- issues ----------------------------------------------------------------

    def issue(
        self, before: Issue | None, after: Issue | None, seen: Seen, aside: str,
        raw: bytes | None = None, since: datetime | None = None,
    ) -> Entry | None:  # fmt: skip
        """Write an issue's record and everything that follows from it; its entry then.

        ``raw`` is the record in the words of whoever set it, when it says the same;
        ``since`` is when its state began, when that is not now.
        """
        one = after or before
        if one is None:
            return None
        key = str(one.number)
        last = last_version(seen, ISSUES, key)
        entry = None
        if after:
            version = next_version(last, self._at)
            raw = raw or codec.encode_issue(after)
            entry = Entry(namespace=ISSUES, key=key, raw=raw, version=version)
        self.entry(find_entry(seen, ISSUES, key), entry, last, aside)
        self.mirror(before, after, since)
        return entry

    def mirror(
        self, before: Issue | None, after: Issue | None, since: datetime | None = None
    ) -> None:
        """Write what follows from an issue's record: plain hash, sets, lock, indexes."""
        one = after or before
        if one is None:
            return
        if after is None:
            self.delete(keys.issue_status(one.number), keys.issue_metadata(one.number))
        else:
            self.fields(keys.issue_status(one.number), codec.issue_hash(after))
        self._hold(one.number, before, after)
        if before is None or after is None or before.status is not after.status:
            self._index(one.number, before, after, epoch_ms(since or self._at))

    def issue_result(self, number: int, result: Any) -> None:
        """Write what a check-in brought."""
        self.delete(keys.issue_metadata(number))
        if fields := codec.metadata_hash(result if result is not None else {}):
            self.fields(keys.issue_metadata(number), dict(fields))

    def _hold(self, number: int, before: Issue | None, after: Issue | None) -> None:
        held = after if after and after.is_held else None
        was = before if before and before.is_held else None
        if held is None and was is None:
            return
        lock, member = keys.issue_lock(number), str(number)
        if held and held.lease_until:
            ttl_ms = max(1, epoch_ms(held.lease_until) - epoch_ms(self._at))
            self.put(lock, (held.process_id or "").encode(), ttl_ms)
        else:
            self.delete(lock)
        if was and was.process_id and (held is None or held.process_id != was.process_id):
            self.member(keys.process_issues(was.process_id), member, present=False)
        if held and held.process_id and (was is None or held.process_id != was.process_id):
            self.member(keys.process_issues(held.process_id), member, present=True)

    def _index(self, number: int, before: Issue | None, after: Issue | None, since_ms: int) -> None:
        member = str(number)
        held, done = (after and after.is_held), (after and after.status in PROCESSED)
        if bool(held) != bool(before and before.is_held):
            self.member(keys.ISSUES_PROCESSING, member, present=bool(held))
        if bool(done) != bool(before and before.status in PROCESSED):
            self.member(keys.ISSUES_PROCESSED, member, present=bool(done))
        self.place(keys.ISSUES, member, since_ms if after else None)
        if before:
            self.place(keys.issues_in(before.status), member, None)
        if after:
            self.place(keys.issues_in(after.status), member, since_ms)

    def issue_events(self, number: int, events: Sequence[Event]) -> None:
        """Append what has happened to an issue, to its own history as well."""
        self.events(events)
        entries = [codec.encode_event(event) for event in events]
        self.append(keys.issue_history(number), entries, keys.HISTORY_MAX)

    # -- processes, locks, label requests ------------------------------------------

    def process(self, after: Process) -> None:
        """Write a process's record; an active one is alive until its heartbeat expires."""
        self.fields(keys.process_info(after.process_id), codec.process_hash(after))
        self.sign_of_life(after)

    def sign_of_life(self, process: Process) -> None:
        """Put a process where it stands by its state and the last time it was heard of."""
        name, active = process.process_id, process.status == ACTIVE
        heartbeat = keys.process_heartbeat(name)
        if active:
            self.put(heartbeat, b"alive", self._limits.process_ttl_ms)
        else:
            self.delete(heartbeat)
        self.expire(keys.process_info(name), None if active else keys.PROCESS_TTL_MS)
        self.member(keys.PROCESSES_ACTIVE, name, present=active)
        self.member(keys.PROCESSES_ZOMBIES, name, present=False)
        self.place(keys.PROCESSES, name, epoch_ms(self._at) if active else None)

    def works_on(self, holder: Issue) -> None:
        """Note in the record of a process which issue it has just checked out."""
        name = holder.process_id or ""
        process = Process(
            process_id=name, pid=holder.pid, host=holder.host, task_type=holder.task_type,
            issue_number=holder.number, last_seen=self._at,
        )  # fmt: skip
        known = {k: v for k, v in codec.process_hash(process).items() if v is not None}
        self.fields(keys.process_info(name), {**known, "endTime": None, "finalStatus": None})
        self.sign_of_life(process)

    def lock(self, name: str, after: Lock | None, token: int) -> None:
        """Hold a lock, or free it; its last token is remembered for a while."""
        if after:
            ttl_ms = max(1, epoch_ms(after.lease_until) - epoch_ms(self._at))
            self.put(keys.lock(name), codec.encode_lock(after), ttl_ms)
        else:
            self.delete(keys.lock(name))
        fence_ms = keys.FENCE_TTL_MS + (after.ttl_ms if after else 0)
        self.put(keys.lock_fence(name), str(token).encode(), fence_ms)
        self.place(keys.LOCKS, name, Later(after.ttl_ms) if after else None)

    def label(self, before: LabelRequest | None, after: LabelRequest) -> None:
        """Write a label request, and move it to where it belongs."""
        sent, name = after.status is LabelStatus.SENT, after.request_id
        ttl_ms = keys.LABEL_TTL_MS if sent else None
        self.put(keys.label(name), codec.encode_label(after), ttl_ms)
        if before and before.status is not after.status:
            self.place(keys.labels_in(before.status), name, None)
        self.place(keys.labels_in(after.status), name, epoch_ms(after.requested_at))
        waits = after.status is LabelStatus.QUEUED
        rests = waits and after.not_before is not None
        rest_ms = max(0, epoch_ms(after.not_before or self._at) - epoch_ms(self._at))
        self.place(keys.LABEL_LEASES, name, Later(rest_ms) if rests else None)
        turn = epoch_ms(after.requested_at)
        self.place(keys.LABEL_QUEUE, name, turn if waits and not rests else None)
        self.place(keys.label_line(after.issue), name, turn if waits else None)

    def events(self, events: Sequence[Event]) -> None:
        """Append what has happened."""
        entries = [codec.encode_event(event) for event in events]
        self.append(keys.EVENTS, entries, self._limits.events_max)


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")


def _number(raw: bytes | None) -> int:
    return int(raw) if raw and raw.isdigit() else 0

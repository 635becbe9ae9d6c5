"""Requests as calls of the engine, and its replies as replies of the store; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, NamedTuple

from statecore.store import checks, ops
from statecore.store.checks import decode
from statecore.store.scripts import COMMIT, READ, SCAN, TAIL, TAKE, Script

Argument = bytes | str | int


class Call(NamedTuple):
    """A script with its keys and arguments; its reply begins with the server's time or nil."""

    script: Script
    keys: Iterable[str]
    arguments: list[Argument]
    decode: Callable[[list[Any]], Any]
    """The store's reply from what follows the time."""
    is_repeatable: bool = True
    """Whether asking again after a lost answer changes nothing."""

    def command(self) -> list[Argument]:
        """The call by the script's sha, which the engine usually knows."""
        keys = list(self.keys)
        return ["EVALSHA", self.script.sha, len(keys), *keys, *self.arguments]

    def full_command(self) -> list[Argument]:
        """The call with the script's text, after which the engine knows the sha."""
        keys = list(self.keys)
        return ["EVAL", self.script.source, len(keys), *keys, *self.arguments]


def call_for(request: ops.Request, *, asks_time: bool = False) -> Call:
    """The call that does a request; a commit may bring the server's time as well.

    Raises:
        StoreError: the request makes no sense; see ``checks``.
    """
    checks.check(request)
    match request:
        case ops.Commit():
            return _commit(request, asks_time)
        case ops.Read(refs):
            return _read(refs)
        case ops.Take(queue, leases, count, ttl_ms):
            return Call(TAKE, (queue, leases), [max(count, 0), ttl_ms], _members, False)
        case ops.ScanIndex():
            return _scan(request)
        case ops.Tail(key, after, limit):
            return Call(TAIL, (key,), [after, limit], _tailed)
    raise TypeError(f"Not a request to a store: {request!r}")


# -- commit -------------------------------------------------------------------


def _commit(commit: ops.Commit, asks_time: bool) -> Call:
    keys = _Keys()
    kinds = checks.required_kinds(commit)
    for cell in commit.expected:
        kinds.pop(cell.key, None)  # its expectation checks the type as well
    arguments: list[Argument] = [int(asks_time), len(kinds)]
    for key, kind in kinds.items():
        arguments += (keys[key], _COUNTS[kind])
    arguments.append(len(commit.expected))
    for cell, value in commit.expected.items():
        arguments += (
            (keys[cell.key], "GET")
            if isinstance(cell, ops.Key)
            else (
                keys[cell.key],
                "HGET",
                cell.name,
            )
        )
        arguments += ("0",) if value is None else ("1", value)
    for write in commit.writes:
        _WRITES[type(write)](write, keys, arguments)
    return Call(COMMIT, keys, arguments, lambda reply: _committed(commit, reply), False)


def _committed(commit: ops.Commit, reply: list[Any]) -> ops.Committed | ops.Conflict:
    return ops.Conflict(dict(zip(commit.expected, reply, strict=True))) if reply else _COMMITTED


_COUNTS: dict[checks.Kind, str] = {
    checks.STRING: "STRLEN",
    checks.HASH: "HLEN",
    checks.SET: "SCARD",
    checks.SORTED: "ZCARD",
    checks.STREAM: "XLEN",
}
_COMMITTED = ops.Committed()


class _Keys(dict[str, int]):
    """Each key once, in the order met, with its index in ``KEYS``."""

    def __missing__(self, key: str) -> int:
        self[key] = len(self) + 1
        return len(self)


def _set(write: ops.Set, keys: _Keys, to: list[Argument]) -> None:
    if write.ttl_ms is None:
        to += ("SET", keys[write.key], 1, write.value)
    else:
        to += ("SET", keys[write.key], 3, write.value, "PX", write.ttl_ms)


def _delete(write: ops.Delete, keys: _Keys, to: list[Argument]) -> None:
    for key in write.keys:
        to += ("DEL", keys[key], 0)


def _expire(write: ops.Expire, keys: _Keys, to: list[Argument]) -> None:
    if write.ttl_ms is None:
        to += ("PERSIST", keys[write.key], 0)
    else:
        to += ("PEXPIRE", keys[write.key], 1, write.ttl_ms)


def _many(command: str, index: int, arguments: tuple[Any, ...], to: list[Argument]) -> None:
    """A command on many fields or members; the engine refuses one on none."""
    if arguments:
        to += (command, index, len(arguments))
        to += arguments


def _append(write: ops.Append, keys: _Keys, to: list[Argument]) -> None:
    _many("APPEND", keys[write.key], (write.maxlen, *write.entries), to)


def _sorted_add(write: ops.SortedAdd, keys: _Keys, to: list[Argument]) -> None:
    pairs = ((_number(score), member) for member, score in write.scores.items())
    _many("ZADD", keys[write.key], tuple(chain.from_iterable(pairs)), to)


def _sorted_add_from_now(write: ops.SortedAddFromNow, keys: _Keys, to: list[Argument]) -> None:
    pairs = ((delay_ms, member) for member, delay_ms in write.delays_ms.items())
    _many("DEADLINES", keys[write.key], tuple(chain.from_iterable(pairs)), to)


_WRITES: dict[type[ops.Write], Callable[[Any, _Keys, list[Argument]], None]] = {
    ops.Set: _set,
    ops.Delete: _delete,
    ops.Expire: _expire,
    ops.HashSet: lambda write, keys, to: _many(
        "HSET", keys[write.key], tuple(chain.from_iterable(write.fields.items())), to
    ),
    ops.HashDelete: lambda write, keys, to: _many("HDEL", keys[write.key], write.names, to),
    ops.SetAdd: lambda write, keys, to: _many("SADD", keys[write.key], write.members, to),
    ops.SetRemove: lambda write, keys, to: _many("SREM", keys[write.key], write.members, to),
    ops.SortedAdd: _sorted_add,
    ops.SortedAddFromNow: _sorted_add_from_now,
    ops.SortedRemove: lambda write, keys, to: _many("ZREM", keys[write.key], write.members, to),
    ops.Append: _append,
}


def _number(score: float) -> str:
    """A score as the engine reads it, without loss."""
    return repr(float(score))


# -- read ---------------------------------------------------------------------


def _read(refs: tuple[ops.Ref, ...]) -> Call:
    keys = _Keys()
    arguments: list[Argument] = []
    for ref in refs:
        command, *details = _command_for(ref)
        arguments += (command, keys[ref.key], len(details), *details)
    return Call(READ, keys, arguments, lambda reply: list(map(_value, refs, reply)))


def _command_for(ref: ops.Ref) -> tuple[str, *tuple[str, ...]]:
    match ref:
        case ops.Key():
            return ("GET",)
        case ops.Field(_, name):
            return "HGET", name
        case ops.WholeHash():
            return ("HGETALL",)
        case ops.Members():
            return ("SMEMBERS",)
        case ops.Count(_, low, high):
            return "ZCOUNT", _number(low), _number(high)
        case ops.Score(_, member):
            return "ZSCORE", member


def _value(ref: ops.Ref, raw: Any) -> ops.Value:
    match ref:
        case ops.WholeHash():
            names = map(decode, raw[::2])
            return dict(zip(names, raw[1::2], strict=True))
        case ops.Members():
            return frozenset(map(decode, raw))
        case ops.Score():
            return None if raw is None else float(raw)
        case _:
            value: ops.Value = raw
            return value


def _members(reply: list[bytes]) -> list[str]:
    return list(map(decode, reply))


# -- scan_index and tail --------------------------------------------------------


def _scan(scan: ops.ScanIndex) -> Call:
    low, high = _number(scan.low), _number(scan.high)
    arguments: list[Argument] = [max(scan.limit, 0), low, high, "1" if scan.newest_first else "0"]
    if scan.after:
        arguments += (_number(scan.after[0]), scan.after[1])
    return Call(SCAN, (scan.key,), arguments, lambda reply: _page(scan, reply[0]))


def _page(scan: ops.ScanIndex, flat: list[bytes]) -> list[tuple[str, float]]:
    page = list(zip(map(decode, flat[::2]), map(float, flat[1::2]), strict=True))
    return page[::-1] if scan.newest_first else page


def _tailed(reply: list[Any]) -> ops.Tailed:
    is_reset, cursor, rows = reply
    entries = tuple((decode(position), fields[1]) for position, fields in rows)
    return ops.Tailed(entries, decode(cursor), is_reset == b"1")


def wait_command(key: str, after: str, block_ms: int) -> list[Argument]:
    """The command that waits until a stream has an entry after a cursor."""
    return ["XREAD", "COUNT", 1, "BLOCK", max(1, block_ms), "STREAMS", key, after]

"""Requests as calls of the engine, and its replies as replies of the store; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from statecore.store import checks, ops
from statecore.store.checks import decode
from statecore.store.errors import WrongType
from statecore.store.scripts import COMMIT, READ, SCAN, TAIL, TAKE, Script
from statecore.store.unrolled import script_for

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
    is_proof: bool = False
    """Whether it is answered when a replica has what it saw, where commits count only then."""

    @property
    def is_for_replicas(self) -> bool:
        """Whether it waits for a replica, where commits do."""
        return self.is_proof or not self.is_repeatable

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
    if isinstance(request, ops.Commit):
        return _commit(request, asks_time)
    checks.check(request)
    match request:
        case ops.Read(refs):
            return _read(refs)
        case ops.Take():
            return _take(request)
        case ops.ScanIndex():
            return _scan(request)
        case ops.Tail(key, after, limit):
            return Call(TAIL, (key,), [after, limit], _tailed)
    raise TypeError(f"Not a request to a store: {request!r}")


# -- commit: a plan, which repeats, and data; see lua/commit.lua ------------------


def _commit(commit: ops.Commit, asks_time: bool) -> Call:
    plan = _Plan()
    expected = commit.expected
    for cell, value in expected.items():
        plan.expect(cell, value)
    for write in commit.writes:
        _WRITES[type(write)](write, plan)
    checks.one_partition(plan.keys)
    tokens = (len(plan.checks) // 2, *plan.checks, len(expected), *plan.steps)
    script, arguments = COMMIT if asks_time else script_for(tokens), plan.data
    if script is COMMIT:
        arguments = [int(asks_time), len(tokens), *tokens, *arguments]
    return Call(script, plan.keys, arguments, partial(_committed, expected), False)


def _committed(expected: Iterable[ops.Cell], reply: list[Any]) -> ops.Committed | ops.Conflict:
    return ops.Conflict(dict(zip(expected, reply, strict=True))) if reply else _COMMITTED


_COMMITTED = ops.Committed()
_COUNTS: dict[checks.Kind, str] = {
    checks.HASH: "HLEN",
    checks.SET: "SCARD",
    checks.SORTED: "ZCARD",
    checks.STREAM: "XLEN",
}


class _Plan:
    """What a commit does, apart from the data it does it with. The hottest code of the store."""

    __slots__ = ("checks", "data", "keys", "kinds", "steps")

    def __init__(self) -> None:
        self.keys: dict[str, int] = {}
        self.kinds: dict[str, checks.Kind | None] = {}
        self.checks: list[str | int] = []
        self.steps: list[str | int] = []
        self.data: list[Argument] = []

    def expect(self, cell: ops.Cell, value: bytes | None) -> None:
        """Expect a cell to hold these bytes; reading it checks the type of its key."""
        key, keys = cell.key, self.keys
        if isinstance(cell, ops.Key):
            command, kind = "GET", checks.STRING
        elif isinstance(cell, ops.Field):
            command, kind = "HGET", checks.HASH
            self.data.append(cell.name)
        else:
            command, kind = "HLEN", checks.HASH
        if self.kinds.setdefault(key, kind) != kind:
            raise WrongType(f"{key} is not a {kind}")
        if value is None:
            self.steps += (command, keys.setdefault(key, len(keys) + 1), 0)
        else:
            self.steps += (command, keys.setdefault(key, len(keys) + 1), 1)
            self.data.append(value)

    def write(self, command: str, key: str, *arguments: Argument) -> None:
        """Do a command on a key of any type."""
        keys = self.keys
        self.steps += (command, keys.setdefault(key, len(keys) + 1), len(arguments))
        self.data += arguments

    def write_to(self, kind: checks.Kind, command: str, key: str, arguments: Sequence[Any]) -> None:
        """Do a command on many fields or members of a key; the engine refuses one on none.

        Raises:
            WrongType: this commit has treated the key as another type before.
        """
        keys, kinds = self.keys, self.kinds
        number = keys.setdefault(key, len(keys) + 1)
        if key not in kinds:
            self.checks += (_COUNTS[kind], number)
        elif kinds[key] != kind and kinds[key] is not None:
            raise WrongType(f"{key} is not a {kind}")
        kinds[key] = kind
        if arguments:
            self.steps += (command, number, len(arguments))
            self.data += arguments


def _set(write: ops.Set, plan: _Plan) -> None:
    key, ttl_ms = write.key, write.ttl_ms
    plan.kinds[key] = checks.STRING
    if ttl_ms is None:
        plan.write("SET", key, write.value)
    else:
        plan.write("SETPX", key, write.value, checks.ttl(ttl_ms))


def _delete(write: ops.Delete, plan: _Plan) -> None:
    for key in write.keys:
        plan.kinds[key] = None
        plan.write("DEL", key)


def _expire(write: ops.Expire, plan: _Plan) -> None:
    if write.ttl_ms is None:
        plan.write("PERSIST", write.key)
    else:
        plan.write("PEXPIRE", write.key, checks.ttl(write.ttl_ms))


def _append(write: ops.Append, plan: _Plan) -> None:
    maxlen = checks.at_least_one(write.maxlen, "The bound of a stream")
    plan.write_to(checks.STREAM, "APPEND", write.key, (maxlen, *write.entries))


def _hash_set(write: ops.HashSet, plan: _Plan) -> None:
    fields = tuple(chain.from_iterable(write.fields.items()))
    plan.write_to(checks.HASH, "HSET", write.key, fields)


def _sorted_add(write: ops.SortedAdd, plan: _Plan) -> None:
    pairs = ((_number(checks.score(score)), member) for member, score in write.scores.items())
    plan.write_to(checks.SORTED, "ZADD", write.key, tuple(chain.from_iterable(pairs)))


def _sorted_add_from_now(write: ops.SortedAddFromNow, plan: _Plan) -> None:
    pairs = ((checks.delay(delay_ms), member) for member, delay_ms in write.delays_ms.items())
    plan.write_to(checks.SORTED, "DEADLINES", write.key, tuple(chain.from_iterable(pairs)))


_WRITES: dict[type[ops.Write], Callable[[Any, _Plan], None]] = {
    ops.Set: _set,
    ops.Delete: _delete,
    ops.Expire: _expire,
    ops.HashSet: _hash_set,
    ops.HashDelete: lambda write, plan: plan.write_to(checks.HASH, "HDEL", write.key, write.names),
    ops.SetAdd: lambda write, plan: plan.write_to(checks.SET, "SADD", write.key, write.members),
    ops.SetRemove: lambda write, plan: plan.write_to(checks.SET, "SREM", write.key, write.members),
    ops.SortedAdd: _sorted_add,
    ops.SortedAddFromNow: _sorted_add_from_now,
    ops.SortedRemove: lambda write, plan: plan.write_to(
        checks.SORTED, "ZREM", write.key, write.members
    ),
    ops.Append: _append,
}


def _number(score: float) -> str:
    """A score as the engine reads it, without loss."""
    return repr(float(score))


# -- read ---------------------------------------------------------------------


class _Keys(dict[str, int]):
    """Each key once, in the order met, with its index in ``KEYS``."""

    def __missing__(self, key: str) -> int:
        self[key] = len(self) + 1
        return len(self)


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
        case ops.Size():
            return ("HLEN",)
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
        case ops.Size():
            return b"%d" % raw
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


# -- take ---------------------------------------------------------------------


def _take(take: ops.Take) -> Call:
    arguments: list[Argument] = [max(take.count, 0), take.ttl_ms, take.mark]
    for companion in take.beside:
        arguments += (int(companion.is_field), companion.key)
    decoded = partial(_taken, 1 + len(take.beside)) if take.beside else _members
    return Call(TAKE, (take.queue, take.leases), arguments, decoded, False)


def _members(reply: list[bytes]) -> list[str]:
    return list(map(decode, reply))


def _taken(size: int, reply: list[Any]) -> list[ops.Taken]:
    return [
        ops.Taken(decode(reply[at]), tuple(reply[at + 1 : at + size]))
        for at in range(0, len(reply), size)
    ]


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

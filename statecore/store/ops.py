"""What can be asked of a store: six requests, and the writes a commit is made of.

Requests and writes are plain data. None of them knows a job from an issue; a
store turns them into dictionary updates (memory) or one script call (redis).
They are structs and not dataclasses, because each transition makes about ten of
them and compares and hashes their cells: that is several times faster so.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

# -- what can be read, and what a commit can expect to be unchanged ---------


class Key(Struct, frozen=True):
    """The string at a key."""

    key: str


class Field(Struct, frozen=True):
    """One field of a hash."""

    key: str
    name: str


class Size(Struct, frozen=True):
    """How many fields a hash has, in decimal digits: ``b"12"``, and ``b"0"`` for an absent one.

    A commit that expects the size and every field expects the whole hash: nobody
    has added, changed or removed a field since it was read.
    """

    key: str


class WholeHash(Struct, frozen=True):
    """All fields of a hash; reads as ``dict[str, bytes]``, empty when absent."""

    key: str


class Members(Struct, frozen=True):
    """All members of a set; reads as ``frozenset[str]``, empty when absent."""

    key: str


class Count(Struct, frozen=True):
    """How many members of a sorted set score between two bounds, both included."""

    key: str
    low: float = float("-inf")
    high: float = float("inf")


class Score(Struct, frozen=True):
    """The score of one member of a sorted set; ``None`` when it is not in it."""

    key: str
    member: str


Cell = Key | Field | Size
"""A place that holds some bytes, which a commit can expect to be unchanged."""

Ref = Cell | WholeHash | Members | Count | Score
Value = bytes | None | dict[str, bytes] | frozenset[str] | int | float

# -- writes ------------------------------------------------------------------


class Set(Struct, frozen=True):
    """Put a value at a key; it expires after ``ttl_ms``, or never."""

    key: str
    value: bytes
    ttl_ms: int | None = None


class Delete(Struct, frozen=True):
    """Remove keys of any type."""

    keys: tuple[str, ...]


class Expire(Struct, frozen=True):
    """Let a key expire ``ttl_ms`` from now, or never; an absent key stays absent."""

    key: str
    ttl_ms: int | None


class HashSet(Struct, frozen=True):
    """Put fields into a hash, leaving its other fields."""

    key: str
    fields: Mapping[str, bytes]


class HashDelete(Struct, frozen=True):
    """Remove fields from a hash."""

    key: str
    names: tuple[str, ...]


class SetAdd(Struct, frozen=True):
    """Add members to a set."""

    key: str
    members: tuple[str, ...]


class SetRemove(Struct, frozen=True):
    """Remove members from a set."""

    key: str
    members: tuple[str, ...]


class SortedAdd(Struct, frozen=True):
    """Put members into a sorted set with these scores."""

    key: str
    scores: Mapping[str, float]


class SortedAddFromNow(Struct, frozen=True):
    """Put members into a sorted set, scored by the server's clock plus ``delays_ms``.

    The server adds its own time, so that a deadline never depends on the
    clock of the machine that asked.
    """

    key: str
    delays_ms: Mapping[str, int]


class SortedRemove(Struct, frozen=True):
    """Remove members from a sorted set."""

    key: str
    members: tuple[str, ...]


class Append(Struct, frozen=True):
    """Append entries to a stream, which keeps about the last ``maxlen``."""

    key: str
    entries: tuple[bytes, ...]
    maxlen: int


Write = (
    Set
    | Delete
    | Expire
    | HashSet
    | HashDelete
    | SetAdd
    | SetRemove
    | SortedAdd
    | SortedAddFromNow
    | SortedRemove
    | Append
)

# -- requests and their replies ----------------------------------------------


class Read(Struct, frozen=True):
    """Read some places at one moment; the reply is a list in the order of ``refs``."""

    refs: tuple[Ref, ...]
    is_proof: bool = False
    """Whether something is decided on it that writes nothing: where a commit counts when a
    replica has it, what is read then counts no earlier either."""


class Commit(Struct, frozen=True):
    """Apply all writes if every expected cell still holds exactly these bytes.

    ``None`` expects the cell to be absent. The reply is :class:`Committed`, or
    :class:`Conflict` with what the expected cells hold now; then nothing was written.
    """

    expected: Mapping[Cell, bytes | None]
    writes: tuple[Write, ...]


class Committed(Struct, frozen=True):
    """All writes of a commit were applied in one step."""


class Conflict(Struct, frozen=True):
    """Somebody else changed a cell first: ``current`` holds all expected cells."""

    current: Mapping[Cell, bytes | None]


class Companion(Struct, frozen=True):
    """What is read beside each member taken, found by the member's name.

    It is the string at ``key`` and what stands in the name before the last mark; or, with
    ``is_field``, the field of that hash which is named by what stands after it. Without a
    mark the whole name stands before it.
    """

    key: str
    is_field: bool = False

    def of(self, member: str, mark: str) -> Key | Field | None:
        """The cell beside a member; ``None`` for a name without the mark."""
        stem, found, part = member.rpartition(mark) if mark else (member, "all of it", "")
        if not found:
            return None
        return Field(self.key + stem, part) if self.is_field else Key(self.key + stem)


class Take(Struct, frozen=True):
    """Lease up to ``count`` members of a queue for ``ttl_ms``, without conflicts.

    Members whose lease has run out come first (oldest deadline first), then
    those of the queue, lowest score first. All get the deadline *server time +
    ttl_ms* in the sorted set ``leases`` and leave the queue. The reply is a list of members.
    A back-off is a lease without a holder: the member comes back when it runs out.

    With companions it is a list of :class:`Taken`, read at the same moment. They live in the
    queue's partition; what stands at one that is of another type takes nothing and is an error.
    """

    queue: str
    leases: str
    count: int
    ttl_ms: int
    mark: str = ""
    beside: tuple[Companion, ...] = ()


class Taken(Struct, frozen=True):
    """A member that was leased, and what its companions hold, in their order."""

    member: str
    values: tuple[bytes | None, ...]


class ScanIndex(Struct, frozen=True):
    """One page of a sorted set, in O(log n + page), between two scores.

    ``after`` is the last entry of the page before (its score and member); ties
    in score are ordered by member. The reply is a list of ``(member, score)``.
    """

    key: str
    limit: int
    low: float = float("-inf")
    high: float = float("inf")
    newest_first: bool = False
    after: tuple[float, str] | None = None


class Tail(Struct, frozen=True):
    """Entries of a stream after a cursor, waiting up to ``block_ms`` for the first.

    The cursor ``""`` stands for the start of the stream, ``"$"`` for its end.
    The reply is a :class:`Tailed`.
    """

    key: str
    after: str
    limit: int = 500
    block_ms: int = 0


class Tailed(Struct, frozen=True):
    """Entries in order with their cursors, and the cursor to go on from.

    ``reset`` says that entries after the asked cursor are no longer there (the
    stream was trimmed, or deleted): whoever follows it must read a snapshot again.
    """

    entries: tuple[tuple[str, bytes], ...]
    cursor: str
    reset: bool = False


Request = Read | Commit | Take | ScanIndex | Tail


class Together(Struct, frozen=True):
    """Requests that need not wait for each other; the reply is a list of theirs.

    They are sent at once where the engine allows, and each is done, or fails, by itself; what
    failed first is raised when all are answered.
    """

    requests: tuple[Request, ...]


# -- requests that stay inside the process -----------------------------------


class Begin(Struct, frozen=True):
    """Begin a decision: what this process last saw in these cells, and the server's time.

    Cells never seen are left out. ``hot`` are keys whose locks, this process's own, are
    waited for first, in this order, which has to be sorted.
    """

    cells: tuple[Cell, ...]
    hot: tuple[str, ...] = ()


class Finish(Struct, frozen=True):
    """Finish a decision that held: what was expected, written and locked for it."""

    expected: Mapping[Cell, bytes | None]
    writes: tuple[Write, ...]
    hot: tuple[str, ...] = ()


class Recall(Struct, frozen=True):
    """What this process last saw in these cells; cells never seen are left out."""

    cells: tuple[Cell, ...]


class Remember(Struct, frozen=True):
    """Keep what these cells were seen to hold, as a first guess for the next decision."""

    seen: Mapping[Cell, bytes | None]


class Locate(Struct, frozen=True):
    """The partitions that these keys live in, in the same order; all 0 where there is one."""

    keys: tuple[str, ...]


class Now(Struct, frozen=True):
    """The server's time as an aware UTC datetime, rounded down to milliseconds."""


class Pause(Struct, frozen=True):
    """Let ``seconds`` pass."""

    seconds: float


Local = Together | Begin | Finish | Recall | Remember | Locate | Now | Pause

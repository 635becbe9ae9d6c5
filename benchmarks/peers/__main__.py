"""``python -m benchmarks.peers``: other queues and our own rows 2 and 3, on one engine."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import throughput
from benchmarks.interrupting import Interrupted, interruptible
from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.peers.family import PeerFault
from benchmarks.peers.figures import Figure, PeerRun, dump, figure, table
from benchmarks.peers.measuring import ENOUGH, Load, measure
from benchmarks.rows import BLOCKS
from benchmarks.scratch import Scratch, scratch_engine
from orchard.domain.timeline import ChunkResult

RESULT = ChunkResult(
    text="The family of Dashwood had long been settled in Sussex. Their estate was large, and "
    "their residence was at Norland Park, in the centre of their property, where, for many "
    "generations, they had lived in so respectable a manner as to engage the general good "
    "opinion of their surrounding acquaintance. The late owner of this estate was a single "
    "man, who lived to a very advanced age, and who for many years of his life, had a "
    "constant companion and housekeeper in his sister. But her death, which happened.",
    time_ms=900, segments=(),
)  # fmt: skip
"""As long as the results of the peers, and no loop, which would be done twice."""


def parser(peers: Sequence[Peer] = PEERS) -> argparse.ArgumentParser:
    """What may be said on the command line."""
    known = Load()
    made = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    add = made.add_argument
    names = [one.name for one in peers]
    add("--only", nargs="+", choices=names, default=names, help="these peers (default: all)")
    add("--count", type=_at_least(ENOUGH), default=known.count, help="jobs in each block")
    add("--blocks", type=_at_least(1), default=known.blocks, help="blocks of each peer")
    add("--seconds", type=_at_least(1), default=known.seconds, help="how long a block may take")
    add("--folder", type=Path, default=Path("var/peers"), help="where environments are kept")
    add("--json", action="store_true", help="print JSON")
    return made


def main(words: Sequence[str] | None = None, peers: Sequence[Peer] = PEERS) -> int:
    """Measure, and print; the status is 1 when a peer could not be measured."""
    said = parser(peers).parse_args(words)
    load = Load(count=said.count, blocks=said.blocks, seconds=said.seconds)
    chosen = [one for one in peers if one.name in said.only]
    try:
        with interruptible(), scratch_engine() as scratch:
            rows = [*_ours(scratch, load), *_theirs(chosen, scratch.url, said.folder, load)]
            engine = _engine(scratch)
    except Interrupted as stop:
        _say(f"{stop}; what was made for it is gone")
        return 128 + stop.signum
    run = PeerRun(
        machine=_machine(), engine=engine, count=load.count, blocks=load.blocks, rows=rows
    )
    print(dump(run) if said.json else table(rows), end="")
    return int(any(one.fault for one in rows))


def _ours(scratch: Scratch, load: Load) -> Iterator[Figure]:
    """Our rows 2 and 3, with results of the same length."""
    for batch in (10, 1):
        _say(f"orchard: {BLOCKS} blocks, in batches of {batch}")
        for row in throughput.measure(scratch.client, load.count, batch, RESULT):
            yield Figure(
                name=f"row {row.row}", title=f"Orchard, {row.name}", value=row.value,
                spread=row.spread, lease="lease with a fencing token, renewed",
                late="refused by its token",
            )  # fmt: skip


def _theirs(peers: Sequence[Peer], engine: str, cache: Path, load: Load) -> Iterator[Figure]:
    for number, peer in enumerate(peers, start=1):
        try:
            yield figure(peer, list(measure(peer, number, engine, cache, load, _say)))
        except PeerFault as fault:
            _say(f"{peer.name}: {fault}")
            yield figure(peer, (), str(fault))


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"


def _engine(scratch: Scratch) -> str:
    told = scratch.client.info("server")
    name = told.get("server_name", "redis").capitalize()
    return f"{name} {told.get('valkey_version', told['redis_version'])}"


def _at_least(low: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {low} on")
        return int(text)

    return parse


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

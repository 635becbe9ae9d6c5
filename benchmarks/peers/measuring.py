"""One block after another: jobs put in, one worker process, completed jobs a second over GETs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec
import redis

from benchmarks.peers.catalogue import Peer
from benchmarks.peers.environments import HERE
from benchmarks.peers.family import Family, PeerFault
from benchmarks.rows import rate_per_s

POLL_S = 0.05
MARK_BYTES = 21
"""What a job writes when it is done: twenty digits and the end of the line."""
FILL_S = 120.0
ENOUGH = 20
"""A block in which fewer jobs were done says nothing."""
COMPLETED = 0.9
"""Of the jobs that were done so many must have results: some are in hand when it is stopped."""
WARM_UP = 10
"""The first tenth of the jobs of a block is not counted: the worker is still starting."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done, and for how long at most."""

    count: int = 3000
    blocks: int = 5
    seconds: int = 15
    """A block ends when all jobs are done, or so long after the start of its worker."""


def measure(
    peer: Peer, number: int, engine: str, cache: Path, load: Load, say: Callable[[str], None]
) -> Iterator[float]:
    """Completed jobs a second over bare GETs a second: one ratio for each block.

    The database ``number`` of the engine is emptied for each of them.

    Raises:
        PeerFault: it cannot be installed, or did not do its jobs.
    """
    url = urlunsplit(urlsplit(engine)._replace(path=f"/{number}"))
    with tempfile.TemporaryDirectory(prefix="orchard-bench-") as folder:
        say(f"{peer.name}: its environment")
        with Family(Path(folder)) as installers:
            place = peer.make(peer.home, cache, installers)
        for block in range(load.blocks):
            say(f"{peer.name}: block {block + 1} of {load.blocks}")
            with redis.Redis.from_url(url, protocol=2) as client:
                yield _measure_block(peer, place, client, url, Path(folder), load)


def _measure_block(
    peer: Peer, place: Path, client: redis.Redis, url: str, folder: Path, load: Load
) -> float:
    client.flushdb()
    client.set("bench:get", b"x" * 300)
    marks = folder / "marks"
    marks.write_bytes(b"")
    words = {"{bin}": str(place), "{here}": str(HERE / peer.home), "{url}": url}
    with Family(folder, _environment(peer, place, url, marks)) as family:
        family.run([*_filled(peer.fill, words), str(load.count)], FILL_S)
        before = rate_per_s(lambda: client.get("bench:get"), load.count)
        worker = family.start(_filled(peer.work, words))
        deadline = time.monotonic() + load.seconds
        while _marked(marks) < load.count and worker.is_running and time.monotonic() < deadline:
            time.sleep(POLL_S)  # and ask nothing of the engine meanwhile
    after = rate_per_s(lambda: client.get("bench:get"), load.count)
    _judge(_marked(marks), _completed(client, peer.done), family)
    return _rate(marks) / ((before + after) / 2)


def _judge(done: int, completed: int, family: Family) -> None:
    """Whether enough was done to count, and what was done was completed before the worker ended.

    Raises:
        PeerFault: it was not.
    """
    if done < ENOUGH or completed < done * COMPLETED:
        said = family.last_words() or "nothing"
        raise PeerFault(f"did {done:,} jobs and completed {completed:,}; it last said: {said}")


def _completed(client: redis.Redis, done: str) -> int:
    if "*" in done:
        return sum(1 for _ in client.scan_iter(done, count=1000))
    return int(client.zcard(done))


def _marked(marks: Path) -> int:
    return marks.stat().st_size // MARK_BYTES


def _rate(marks: Path) -> float:
    """Jobs a second, the first ones aside."""
    moments = sorted(map(int, marks.read_text().split()))
    first = max(1, len(moments) // WARM_UP)
    return (len(moments) - first) / (moments[-1] - moments[first - 1]) * 1e9


def _environment(peer: Peer, place: Path, url: str, marks: Path) -> Mapping[str, str]:
    """What the scripts of the peers are told; ours is not passed on to their Python."""
    return {
        "PEER_URL": url, "PEER_MARKS": str(marks), "NODE_PATH": str(place),
        "PYTHONPATH": f"{HERE / 'work'}:{HERE / peer.home}",
    }  # fmt: skip


def _filled(command: Sequence[str], words: Mapping[str, str]) -> list[str]:
    filled = []
    for one in command:
        for name, value in words.items():
            one = one.replace(name, value)
        filled.append(one)
    return filled

"""What a run of the peers brought, as JSON and as the tables of docs/benchmarks.md.

``python -m benchmarks.peers.figures run.json`` puts a run beside this file and prints them.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks.peers.catalogue import PEERS, Peer, version

RECORDED = Path(__file__).with_name("figures.json")
"""The run that the page shows."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One peer, or one of our own rows; without a value when ``fault`` says why there is none."""

    name: str
    title: str
    version: str = ""
    value: float | None = None
    unit: str = "x GET rate"
    spread: tuple[float, float] | None = None
    lease: str = ""
    late: str = ""
    fault: str = ""


class PeerRun(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run, on one engine."""

    machine: str
    engine: str
    count: int
    blocks: int
    rows: list[Figure]


def figure(peer: Peer, ratios: Sequence[float], fault: str = "") -> Figure:
    """The median and spread of a peer's blocks, or why there are none."""
    row = Figure(
        name=peer.name, title=peer.title, version=version(peer), lease=peer.lease,
        late=peer.late, fault=fault,
    )  # fmt: skip
    if fault or not ratios:
        return row
    return msgspec.structs.replace(
        row, value=round(statistics.median(ratios), 3),
        spread=(round(min(ratios), 3), round(max(ratios), 3)),
    )  # fmt: skip


def table(rows: Sequence[Figure]) -> str:
    """The rows as Markdown."""
    head = "| What | Version | × GET rate | Spread | Lease | A result after the lease was lost |"
    return "\n".join([head, "|---|---|---|---|---|---|", *map(_line, rows)]) + "\n"


def settings(peers: Sequence[Peer] = PEERS) -> str:
    """What was chosen for each peer, and why, as a list."""
    return "".join(f"- **{one.title}**: {one.settings}.\n" for one in peers)


def page(run: PeerRun) -> str:
    """What stands on the page between its two marks."""
    return f"{table(run.rows)}\n{settings()}"


def _line(row: Figure) -> str:
    return f"| {' | '.join(_cells(row))} |"


def _cells(row: Figure) -> Iterator[str]:
    yield row.title
    yield row.version
    if row.value is None or row.spread is None:
        yield from (f"not measured: {row.fault}".replace("|", "/"), "")
    else:
        yield f"**{row.value:.3g}**"
        yield f"{row.spread[0]:.3g}–{row.spread[1]:.3g}"
    yield row.lease
    yield row.late


def read_run(path: Path) -> PeerRun:
    """A recorded run."""
    return msgspec.json.decode(path.read_bytes(), type=PeerRun)


def dump(run: PeerRun) -> str:
    """A run as JSON, one field a line."""
    return msgspec.json.format(msgspec.json.encode(run), indent=1).decode() + "\n"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        RECORDED.write_text(dump(read_run(Path(name))))
    print(page(read_run(RECORDED)))

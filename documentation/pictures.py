"""The pictures of docs/lifecycle.md, made of the tables of moves by running this module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from documentation.drawing import Frame, Move, Picture, draw
from orchard.domain.lifecycle import CHUNK_MOVES, JOB_MOVES, WORKER_MOVES
from statecore.domain.lifecycle import ISSUE_MOVES, LABEL_MOVES

FOLDER = Path(__file__).parents[1] / "docs" / "images"


def all_moves(table: Mapping[Any, Iterable[Any]]) -> set[Move]:
    """Each move of a table, as a pair of names."""
    return {(str(now), str(to)) for now, all_to in table.items() for to in all_to}


PICTURES = {
    "job": Picture(
        title="The states of a job",
        places={
            "created": (0, 0.5), "purifying": (1, 0.5), "splitting": (2, 0.5),
            "processing": (3, 0.5), "aggregating": (4, 0.5), "completed": (5.3, 0.5),
            "failed": (1, 2), "cancelled": (3, 2),
        },
        moves=all_moves(JOB_MOVES),
        says={
            ("created", "splitting"): "purifier off, or a retry with chunks",
            ("splitting", "aggregating"): "nobody speaks, or nothing is missing",
            ("failed", "created"): "retry",
        },
        frames=(Frame(
            states=("created", "purifying", "splitting", "processing", "aggregating"),
            leads_to={"failed": "from each of them", "cancelled": "from each of them"},
        ),),
    ),
    "chunk": Picture(
        title="The states of a chunk",
        places={"waiting": (0, 0.4), "running": (1.6, 0.4), "completed": (3.2, 0.4),
                "failed": (1.6, 1.9)},
        moves=all_moves(CHUNK_MOVES),
        says={
            ("waiting", "running"): "claimed", ("running", "waiting"): "handed back",
            ("waiting", "completed"): "a late result", ("failed", "waiting"): "retry",
            ("running", "failed"): "no attempt left",
        },
    ),
    "worker": Picture(
        title="The states of a worker",
        places={"online": (0, 0.2), "busy": (2.6, 0.2), "offline": (1.3, 1.9)},
        moves=all_moves(WORKER_MOVES),
    ),
    "issue": Picture(
        title="The states of an issue",
        places={"processing": (0, 0.75), "pending": (2, 0.2), "completed": (3.2, 0.2),
                "awaiting-response": (2, 1.3), "error": (3.2, 1.3)},
        moves=all_moves(ISSUE_MOVES),
        frames=(Frame(
            states=("pending", "completed", "awaiting-response", "error"), is_open=True,
            leads_to={"processing": "check-out"}, comes_from={"processing": "check-in"},
            says="nobody holds it: set to any of these",
        ),),
    ),
    "label-request": Picture(
        title="The states of a label request",
        places={"queued": (0, 0.3), "sent": (1.6, 0.3), "failed": (0.8, 1.9)},
        moves=all_moves(LABEL_MOVES),
        says={("queued", "failed"): "given up", ("failed", "queued"): "retry",
              ("queued", "sent"): "delivered"},
    ),
}  # fmt: skip
"""One for each lifecycle, by the name of its file."""


def path_of(name: str) -> Path:
    """The file of a picture."""
    return FOLDER / f"lifecycle-{name}.svg"


if __name__ == "__main__":
    for name, picture in PICTURES.items():
        path_of(name).write_text(draw(picture), "utf-8")

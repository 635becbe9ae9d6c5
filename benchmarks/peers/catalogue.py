"""The peers: how each is started, with which settings and why, and what it does not promise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.peers.environments import HERE, node_environment, python_environment
from benchmarks.peers.family import Family


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """One peer in one set-up. In commands ``{bin}`` is its environment, ``{here}`` its folder."""

    name: str
    title: str
    home: str
    """The folder here that has its script and its list of pins."""
    make: Callable[[str, Path, Family], Path]
    """Makes its environment; returns where the programs or modules are."""
    fill: tuple[str, ...]
    """Puts jobs in; their number is added as the last word."""
    work: tuple[str, ...]
    """One worker process, until SIGTERM."""
    done: str
    """Where jobs are that were completed: a sorted set, or with ``*`` one key for each."""
    settings: str
    lease: str
    late: str
    """What becomes of the result of a worker that lost its lease."""


def version(peer: Peer) -> str:
    """The pinned version; empty when there is no list of pins."""
    home = HERE / peer.home
    if (pins := home / "package.json").exists():
        return str(json.loads(pins.read_text())["dependencies"][peer.home])
    pins = home / "requirements.txt"
    found = re.search(rf"^{peer.home}==(\S+)$", pins.read_text(), re.M) if pins.exists() else None
    return found[1] if found else ""


_PYTHON = "{bin}/python"
_UNFENCED = "kept: the second result counts like the first"

_BULLMQ = Peer(
    name="bullmq", title="BullMQ, 50 at once", home="bullmq", make=node_environment,
    fill=("node", "{here}/bullmq_work.cjs", "fill"),
    work=("node", "{here}/bullmq_work.cjs", "work", "50"),
    done="bull:work:completed",
    settings="`concurrency` 50, the figure in the example of its guide; jobs put"
    " in with `addBulk`; everything else as it comes, so a completion also fetches the next job",
    lease="lock of 30 s with a token, renewed",
    late="refused: the token is no longer that of the lock",
)  # fmt: skip

_RQ = Peer(
    name="rq", title="RQ", home="rq", make=python_environment,
    fill=(_PYTHON, "{here}/rq_work.py"),
    work=("{bin}/rq", "worker", "--url", "{url}", "--disable-job-desc-logging", "--quiet"),
    done="rq:finished:default",
    settings="`Worker`, which forks for each job: what its page on performance says to run in"
    " production; descriptions of jobs not logged, results kept",
    lease="entry of the run, renewed",
    late="kept; but a run that is given up counts as failed unless `Retry` was asked for",
)  # fmt: skip

PEERS = (
    _BULLMQ,
    msgspec.structs.replace(
        _BULLMQ, name="bullmq-1", title="BullMQ, one by one", work=(*_BULLMQ.work[:-1], "1"),
        settings="the same with `concurrency` 1, its default",
    ),
    Peer(
        name="taskiq", title="taskiq, streams", home="taskiq", make=python_environment,
        fill=(_PYTHON, "{here}/taskiq_work.py"),
        work=("{bin}/taskiq", "worker", "taskiq_work:broker", "--workers", "1",
              "--log-level", "WARNING"),
        done="result:*",
        settings="`RedisStreamBroker`, the one of its brokers that acknowledges, `when_saved`"
        " (its default: after the result is stored); one worker, up to 100 tasks at once,"
        " 100 messages a read",
        lease="entry pending in the group, 10 min, not renewed",
        late=_UNFENCED,
    ),
    Peer(
        name="celery", title="Celery", home="celery", make=python_environment,
        fill=(_PYTHON, "{here}/celery_work.py"),
        work=("{bin}/celery", "--app", "celery_work", "worker", "--concurrency", "1",
              "--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
        done="celery-task-meta-*",
        settings="`task_acks_late`; `worker_prefetch_multiplier` 64, which its guide to"
        " optimizing names for many short tasks; one child of the prefork pool; no gossip",
        lease="`visibility_timeout` of 1 h, not renewed",
        late="not refused; only a result after a success is left out",
    ),
    Peer(
        name="dramatiq", title="Dramatiq", home="dramatiq", make=python_environment,
        fill=(_PYTHON, "{here}/dramatiq_work.py"),
        work=("{bin}/dramatiq", "dramatiq_work", "--processes", "1", "--threads", "8"),
        done="dramatiq-results:*",
        settings="one process with 8 threads, its default, which fetch 2 messages each ahead;"
        " acknowledged after the work, as it always does; `Results` in the same engine",
        lease="sign of life of the worker, 60 s",
        late=_UNFENCED,
    ),
    _RQ,
    msgspec.structs.replace(
        _RQ, name="rq-simple", title="RQ, SimpleWorker",
        work=(*_RQ.work, "--worker-class", "rq.SimpleWorker"),
        lease="entry of the run, for the job's time-out of 3 min",
        settings="`SimpleWorker`, which does not fork: what the same page allows for jobs of a"
        " few milliseconds whose code is trusted",
    ),
)  # fmt: skip
"""All peers, as the page shows them."""

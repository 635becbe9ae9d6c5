"""Label requests as files, for the older tools that read them (CONTRACTS section 3)."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from statecore.domain.labels import LabelRequest
from statecore.ports.deliveries import DeliveryFailed, DeliveryRefused

MAX_SHIFT_MS = 10_000
"""How many milliseconds after its own a request may be filed, when those before are taken."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_PREFIX, _SUFFIX = "label-update-", ".json"


class RequestFiles:
    """Files ``requests/label-update-{epoch ms}.json`` in a state directory.

    A file appears whole and is never written over. A request that lies there
    already is not written again; one that was taken away by its reader is.
    """

    def __init__(self, state_dir: Path | str) -> None:
        self._folder = Path(state_dir) / "requests"

    def __repr__(self) -> str:
        return f"RequestFiles({str(self._folder)!r})"

    def deliver(self, request: LabelRequest) -> None:
        """Write the files of a request: one for its labels, one for its comment.

        Raises:
            DeliveryRefused: its text cannot be written as UTF-8.
            DeliveryFailed: the disk is full, read-only or away.
        """
        try:
            contents = [(one, _encode(one)) for one in _records(request)]
        except UnicodeEncodeError:
            reason = f"request {request.request_id} has text that is not valid Unicode"
            raise DeliveryRefused(reason) from None
        try:
            with _alone(self._folder):
                for record, content in contents:
                    self._write(record, content, _epoch_ms(request.requested_at))
        except OSError as error:
            reason = f"request file in {self._folder} was not written: {error.strerror or error}"
            raise DeliveryFailed(reason) from error

    def close(self) -> None:
        """Nothing is held between deliveries."""

    def _write(self, record: dict[str, Any], content: bytes, first_ms: int) -> None:
        taken = _taken(self._folder, first_ms)
        if any(_is_same(path, record) for path in taken.values()):
            return
        for ms in range(first_ms, first_ms + MAX_SHIFT_MS):
            if ms not in taken and _put(self._folder, f"{_PREFIX}{ms}{_SUFFIX}", content):
                return
        raise DeliveryFailed(f"{self._folder} has no free name left near {first_ms}")


def _records(request: LabelRequest) -> Iterator[dict[str, Any]]:
    """What the files say. ``comment`` is an action that the older system did not have."""
    stamp = request.requested_at.astimezone(UTC).isoformat(timespec="milliseconds")
    head = {
        "requestId": request.request_id,
        "timestamp": stamp.replace("+00:00", "Z"),
        "issueNumber": request.issue,
    }
    tail = {"requestedBy": request.requested_by, "processId": request.process_id}
    if request.add or request.remove:
        labels = {"addLabels": list(request.add), "removeLabels": list(request.remove)}
        yield {**head, "action": "update", **labels, **tail}
    if request.comment:
        yield {**head, "action": "comment", "body": request.comment, **tail}


def _encode(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, indent=2).encode()


def _epoch_ms(at: datetime) -> int:
    return (at - _EPOCH) // _MS


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else of this system writes here meanwhile: no thread and no process."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".label-update.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _taken(folder: Path, first_ms: int) -> dict[int, Path]:
    """The files among which a request of this millisecond must be, if it is there."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            ms = entry.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
            if entry.name != f"{_PREFIX}{ms}{_SUFFIX}" or not (ms.isascii() and ms.isdigit()):
                continue
            if first_ms <= int(ms) < first_ms + MAX_SHIFT_MS:
                found[int(ms)] = Path(entry.path)
    return found


def _is_same(path: Path, record: dict[str, Any]) -> bool:
    try:
        other = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):  # just taken by its reader; or not one of ours
        return False
    return isinstance(other, dict) and all(
        other.get(key) == record[key] for key in ("requestId", "action")
    )


def _put(folder: Path, name: str, content: bytes) -> bool:
    """Make a file, whole and on the disk; False when there is one of this name."""
    scratch = folder / ".label-update.tmp"
    # A crash may have left it behind, linked to a file that is delivered: never write into it.
    scratch.unlink(missing_ok=True)
    with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(scratch, folder / name)
    except FileExistsError:  # by a tool that does not know our lock
        return False
    finally:
        scratch.unlink(missing_ok=True)
    _sync_folder(folder)
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

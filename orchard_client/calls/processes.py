"""Processes that work on issues, locks, and requests to change labels."""

from __future__ import annotations

from orchard_client.call import Call, answers, get, quoted, send, text_of
from orchard_client.models.issues import (
    Cleaned,
    Ended,
    LabelRequest,
    LabelsPage,
    Lock,
    LocksPage,
    Process,
    ProcessBeat,
    ProcessesPage,
    Released,
    Retried,
    Zombies,
)

_process, _lock, _label = answers(Process), answers(Lock), answers(LabelRequest)


def list_processes(*, limit: int = 50, cursor: str = "") -> Call[ProcessesPage]:
    """One page of the active processes, those heard of last first."""
    return get("/processes", answers(ProcessesPage), query={"limit": limit, "cursor": cursor})


def register_process(
    process_id: str, *, pid: int | None = None, host: str | None = None,
    role: str | None = None, task_type: str | None = None,
) -> Call[Process]:  # fmt: skip
    """Announce a process; from now on it has to give signs of life."""
    body = {
        "process_id": process_id, "pid": pid, "host": host, "role": role, "task_type": task_type,
    }  # fmt: skip
    return send("POST", "/processes", _process, body, repeatable=True)


def get_process(process_id: str) -> Call[Process]:
    """What is known of a process."""
    return get(_of(process_id), _process)


def end_process(process_id: str) -> Call[Ended]:
    """End a process; the issues that it holds are given back."""
    return send("DELETE", _of(process_id), answers(Ended))


def send_process_heartbeat(process_id: str) -> Call[ProcessBeat]:
    """Give a sign of life of a process."""
    path = f"{_of(process_id)}/heartbeat"
    return send("POST", path, answers(ProcessBeat), repeatable=True)


def list_zombies() -> Call[Zombies]:
    """Processes that were silent for too long."""
    return get("/processes/zombies", answers(Zombies))


def clean_zombies() -> Call[Cleaned]:
    """End all processes that were silent for too long."""
    return send("POST", "/processes/zombies", answers(Cleaned))


def list_locks(*, limit: int = 50, cursor: str = "") -> Call[LocksPage]:
    """One page of the locks that are held, those first whose lease ends first."""
    return get("/locks", answers(LocksPage), query={"limit": limit, "cursor": cursor})


def get_lock(name: str) -> Call[Lock]:
    """Who holds a lock, and until when."""
    return get(_lock_of(name), _lock)


def acquire_lock(
    name: str, owner: str, *, ttl_s: float | None = None, wait_s: float = 0
) -> Call[Lock]:
    """Take a lock as soon as it is free; its owner gets it again, with the same token."""
    body = {"owner": owner, "ttl_s": ttl_s, "wait_s": wait_s}
    return send("PUT", _lock_of(name), _lock, body, wait_s=wait_s, repeatable=True)


def renew_lock(
    name: str, owner: str, *, token: int | None = None, ttl_s: float | None = None
) -> Call[Lock]:
    """Let the lease of the owner last from now."""
    body = {"owner": owner, "token": token, "ttl_s": ttl_s}
    return send("PATCH", _lock_of(name), _lock, body, repeatable=True)


def release_lock(
    name: str, *, owner: str | None = None, token: int | None = None
) -> Call[Released]:  # fmt: skip
    """Give a lock back; an administrator may leave the owner out."""
    query = text_of({"owner": owner, "token": token})
    return send("DELETE", _lock_of(name), answers(Released), query=query)


def list_label_requests(
    *, status: str | None = None, limit: int = 50, cursor: str = ""
) -> Call[LabelsPage]:
    """One page of label requests of a status (``queued`` unless given), the newest first."""
    query = {"status": status, "limit": limit, "cursor": cursor}
    return get("/labels", answers(LabelsPage), query=query)


def get_label_request(request_id: str) -> Call[LabelRequest]:
    """A label request."""
    return get(f"/labels/{quoted(request_id)}", _label)


def retry_label_request(request_id: str) -> Call[LabelRequest]:
    """Try a failed request again."""
    return send("POST", f"/labels/{quoted(request_id)}/retry", _label)


def retry_label_requests() -> Call[Retried]:
    """Try failed requests again, as many as one request may."""
    return send("POST", "/labels/retry", answers(Retried))


def _of(process_id: str) -> str:
    return f"/processes/{quoted(process_id)}"


def _lock_of(name: str) -> str:
    return f"/locks/{quoted(name)}"

"""State directories as older systems leave them: every kind of file of CONTRACTS section 3."""

from __future__ import annotations

import json
import random
from pathlib import Path

SAID = (
    "Redisへの移行後、状態が消えることがあります。再現手順：①エージェントを起動、②`checkout`を実行、"
    "③プロセスを強制終了。期待する動作は、孤児として検出されることです。🍊🎧 "
)
STATUSES = ["completed", "error", "awaiting-response", "pending", "processing"]
DAMAGED = "unified-agents.json"


def stamp(rng: random.Random) -> str:
    """A time as JavaScript writes it."""
    return (
        f"2025-0{rng.randint(1, 9)}-{rng.randint(10, 28)}T{rng.randint(10, 23)}:"
        f"{rng.randint(10, 59)}:{rng.randint(10, 59)}.{rng.randint(0, 999):03}Z"
    )


def record(rng: random.Random, status: str) -> dict:
    """A record of an issue as the older status manager kept it."""
    held = status == "processing"
    found = {
        "status": status,
        "processId": f"claude-cli-{rng.randint(1000, 9999)}" if held else None,
        "pid": rng.randint(4_000_000, 5_000_000) if held else None,
        "startTime": stamp(rng),
        "lastHeartbeat": stamp(rng) if held else None,
        "taskType": rng.choice(["claude-cli", "dogfooding", "comment"]),
        "metadata": {"retryCount": rng.randint(0, 3), "errorCount": rng.randint(0, 2)},
    }
    if not held:
        found |= {"endTime": stamp(rng), "lastUpdated": stamp(rng)}
        found["result"] = {"success": status == "completed", "summary": SAID * rng.randint(1, 20)}
    return found


def odd_records() -> dict[str, dict]:
    """Records that say what they say in other ways."""
    return {
        "9001": {"status": "done", "startTime": 1750691639243, "pid": "4711"},
        "9002": {"status": "in_progress", "pid": 4_999_999, "startTime": "2025/6/23 15:13:59"},
        "9003": {"status": "混乱", "lastUpdated": "きのう", "metadata": None, "title": SAID},
        "9004": {"status": "failed", "lastUpdated": "Mon Jun 23 2025 15:13:59 GMT+0900 (JST)"},
    }


def pending_task(rng: random.Random, number: int) -> dict:
    """A task that waits, with the whole issue in it."""
    return {
        "type": "issue",
        "issue": {
            "number": number, "title": f"【改善】状態管理 #{number}", "body": SAID * 30,
            "labels": [{"name": "task:dogfooding"}, {"name": "優先度：高"}],
            "user": {"login": "えみ"}, "created_at": stamp(rng),
        },
        "priority": rng.choice(["high", "normal"]),
    }  # fmt: skip


def write(path: Path, value: object) -> None:
    """A file as ``JSON.stringify(value, null, 2)`` has it."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2), "utf-8")


def make_directory(directory: Path, *, issues: int = 300, seed: int = 1, damaged: bool = True):
    """A directory with every kind of file; the records that the issues must have afterwards."""
    rng = random.Random(seed)
    directory.mkdir(parents=True, exist_ok=True)
    records = {str(n): record(rng, STATUSES[n % 5]) for n in range(1, issues + 1)}
    older = dict(list(records.items())[: issues // 2])
    unified = dict(list(records.items())[issues // 3 :])
    for number in list(unified)[:10]:  # the older file is behind
        if number in older:
            older[number] = {**older[number], "status": "pending", "processId": None}
    write(
        directory / "issue-status.json",
        {"issues": {**older, **odd_records()}, "lastSync": "2025-06-23T15:13:59.243Z"},
    )
    write(directory / "unified-issues.json", unified)
    finished = [int(n) for n, one in records.items() if one["status"] == "completed"]
    write(directory / "processed-issues.json", [*finished, 8001, 8002])
    comments = {str(n): [f"IC_kwDOO{n}{i}" for i in range(n % 4)] for n in range(1, 80)}
    write(directory / "processed-comments.json", comments)
    write(directory / "unified-comments.json", {"34": ["IC_newer"]})
    write(directory / "running-tasks.json", {
        f"task-{n}": {
            "issueNumber": n, "title": f"修正 #{n} 🍊", "pid": 4_000_000 + n,
            "type": "claude-cli", "startTime": stamp(rng),
        } for n in range(1, 6)
    })  # fmt: skip
    tasks = [pending_task(rng, n) for n in range(500, 530)]
    write(directory / "pending-tasks.json", [*tasks, tasks[0]])
    write(directory / "last-run.json", {"lastRun": "2025-06-23T15:13:59.243Z", "件数": 12})
    write(directory / "unified-config.json", {"言語": "ja", "大きな数": 12345678901234567890})
    requests = directory / "requests"
    requests.mkdir(exist_ok=True)
    for ms in range(3):
        write(requests / f"label-update-{1750691639243 + ms}.json", {"issueNumber": 1})
    if damaged:
        (directory / DAMAGED).write_bytes('{"ccla": {"最後": "途中で'.encode())
    return records

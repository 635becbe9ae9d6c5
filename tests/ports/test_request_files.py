"""Label requests become files that older tools read; none is lost, and none is there twice."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from statecore.domain.labels import LabelRequest
from statecore.ports import request_files
from statecore.ports.deliveries import DeliveryFailed, DeliveryRefused
from statecore.ports.request_files import RequestFiles
from tests.ports import filing
from tests.ports.filing import AT
from tests.ports.requests import make_request

AT_MS = 1_750_691_639_243


@pytest.fixture
def files(tmp_path: Path) -> RequestFiles:
    """Writes into a state directory that is not there yet."""
    return RequestFiles(tmp_path / "state")


def found(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """What lies in the folder of requests, by name; nothing else may lie there."""
    folder = tmp_path / "state" / "requests"
    names = {path.name for path in folder.iterdir()} - {".label-update.lock"}
    assert all(name.startswith("label-update-") for name in names)
    return {name: json.loads((folder / name).read_bytes()) for name in sorted(names)}


def labels(request_id: str = "r1", **fields: Any) -> LabelRequest:
    return make_request(request_id, **({"requested_at": AT, "add": ("error",)} | fields))


def test_a_file_is_byte_for_byte_what_the_older_tools_read(
    files: RequestFiles, tmp_path: Path
) -> None:
    files.deliver(labels(add=("completed", "完了"), remove=("processing",)))
    path = tmp_path / "state" / "requests" / f"label-update-{AT_MS}.json"
    assert path.read_text(encoding="utf-8") == (
        "{\n"
        '  "requestId": "r1",\n'
        '  "timestamp": "2025-06-23T15:13:59.243Z",\n'
        '  "issueNumber": 7,\n'
        '  "action": "update",\n'
        '  "addLabels": [\n    "completed",\n    "完了"\n  ],\n'
        '  "removeLabels": [\n    "processing"\n  ],\n'
        '  "requestedBy": "orchard",\n'
        '  "processId": "process-1"\n'
        "}"
    )


def test_a_comment_is_an_action_of_its_own(files: RequestFiles, tmp_path: Path) -> None:
    files.deliver(labels(add=(), comment="止まりました。", process_id=None))
    [record] = found(tmp_path).values()
    assert record == {
        "requestId": "r1",
        "timestamp": "2025-06-23T15:13:59.243Z",
        "issueNumber": 7,
        "action": "comment",
        "body": "止まりました。",
        "requestedBy": "orchard",
        "processId": None,
    }


def test_labels_and_a_comment_are_two_files_also_when_sent_twice(
    files: RequestFiles, tmp_path: Path
) -> None:
    for _ in range(2):
        files.deliver(labels(comment="It died."))
    actions = [record["action"] for record in found(tmp_path).values()]
    assert actions == ["update", "comment"]


@pytest.mark.parametrize(
    ("at", "ms", "stamp"),
    [
        (AT + timedelta(microseconds=999), AT_MS, "2025-06-23T15:13:59.243Z"),
        (AT.astimezone(timezone(timedelta(hours=9))), AT_MS, "2025-06-23T15:13:59.243Z"),
        (datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC), 10**12, "2001-09-09T01:46:40.000Z"),
    ],
)
def test_name_and_timestamp_are_of_the_same_millisecond(
    files: RequestFiles, tmp_path: Path, at: datetime, ms: int, stamp: str
) -> None:
    files.deliver(labels(requested_at=at))
    [(name, record)] = found(tmp_path).items()
    assert (name, record["timestamp"]) == (f"label-update-{ms}.json", stamp)


def test_requests_of_one_millisecond_lie_side_by_side(files: RequestFiles, tmp_path: Path) -> None:
    for name in ("r1", "r2", "r3"):
        files.deliver(labels(name))
    assert {name: record["requestId"] for name, record in found(tmp_path).items()} == {
        f"label-update-{AT_MS + shift}.json": f"r{shift + 1}" for shift in range(3)
    }


def test_a_request_sent_twice_is_one_file(files: RequestFiles, tmp_path: Path) -> None:
    for name in ("r1", "r2", "r1", "r2"):
        files.deliver(labels(name))
    assert [record["requestId"] for record in found(tmp_path).values()] == ["r1", "r2"]


def test_a_request_is_found_again_when_the_one_before_it_was_read(
    files: RequestFiles, tmp_path: Path
) -> None:
    files.deliver(labels("r1"))
    files.deliver(labels("r2"))
    (tmp_path / "state" / "requests" / f"label-update-{AT_MS}.json").unlink()
    files.deliver(labels("r2"))
    assert list(found(tmp_path)) == [f"label-update-{AT_MS + 1}.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'"r1"', b"{}"])
def test_a_file_of_somebody_else_is_never_written_over(
    files: RequestFiles, tmp_path: Path, content: bytes
) -> None:
    folder = tmp_path / "state" / "requests"
    folder.mkdir(parents=True)
    theirs = folder / f"label-update-{AT_MS}.json"
    theirs.write_bytes(content)
    files.deliver(labels())
    assert theirs.read_bytes() == content
    assert json.loads((folder / f"label-update-{AT_MS + 1}.json").read_bytes())["requestId"] == "r1"


def test_a_name_taken_at_the_last_moment_by_another_tool_is_left_to_it(
    files: RequestFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "state" / "requests"
    theirs = folder / f"label-update-{AT_MS}.json"
    real = request_files._taken

    def look_too_early(where: Path, first_ms: int) -> dict[int, Path]:
        seen = real(where, first_ms)
        theirs.write_text("{}")
        return seen

    monkeypatch.setattr(request_files, "_taken", look_too_early)
    files.deliver(labels())
    assert theirs.read_text() == "{}"
    assert list(found(tmp_path)) == [f"label-update-{AT_MS + shift}.json" for shift in (0, 1)]


def test_what_a_crash_left_behind_harms_no_file_that_was_delivered(
    files: RequestFiles, tmp_path: Path
) -> None:
    files.deliver(labels("r1"))
    folder = tmp_path / "state" / "requests"
    os.link(folder / f"label-update-{AT_MS}.json", folder / ".label-update.tmp")
    files.deliver(labels("r2"))
    assert [record["requestId"] for record in found(tmp_path).values()] == ["r1", "r2"]


def test_other_names_in_the_folder_are_no_concern(files: RequestFiles, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "requests"
    folder.mkdir(parents=True)
    for name in ("label-update-.json", "label-update-²³.json", "label-update-x.json"):
        (folder / name).write_text("{}")
    (folder / f"label-update-{AT_MS}.json.backup").write_text("{}")
    files.deliver(labels())
    assert (folder / f"label-update-{AT_MS}.json").exists()


def test_no_free_name_is_a_failure_and_not_a_loss(
    files: RequestFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_files, "MAX_SHIFT_MS", 2)
    for name in ("r1", "r2"):
        files.deliver(labels(name))
    with pytest.raises(DeliveryFailed, match="no free name"):
        files.deliver(labels("r3"))
    assert len(found(tmp_path)) == 2


def test_other_users_may_read_the_files_as_far_as_the_umask_lets_them(
    files: RequestFiles, tmp_path: Path
) -> None:
    before = os.umask(0o027)
    try:
        files.deliver(labels())
    finally:
        os.umask(before)
    mode = (tmp_path / "state" / "requests" / f"label-update-{AT_MS}.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o640


def test_a_folder_that_cannot_be_made_is_tried_again_later(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(DeliveryFailed, match="Not a directory") as caught:
        RequestFiles(tmp_path / "state").deliver(labels())
    assert caught.value.retry_after_s is None


def test_a_full_disk_leaves_no_half_file_and_is_tried_again_later(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys\n"
        "from statecore.ports.deliveries import DeliveryFailed\n"
        "from statecore.ports.request_files import RequestFiles\n"
        "from tests.ports.requests import make_request\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    RequestFiles(sys.argv[1]).deliver(make_request(comment='x' * 100_000))\n"
        "except DeliveryFailed as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "state")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    left = {path.name for path in (tmp_path / "state" / "requests").iterdir()}
    assert not [name for name in left if name.endswith(".json")]
    RequestFiles(tmp_path / "state").deliver(labels())
    assert len(found(tmp_path)) == 1


def test_text_that_is_no_unicode_is_refused(files: RequestFiles, tmp_path: Path) -> None:
    with pytest.raises(DeliveryRefused, match="not valid Unicode"):
        files.deliver(labels(add=("\ud800",)))
    assert not (tmp_path / "state").exists()


def test_threads_of_one_millisecond_lose_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"

    def work(prefix: str) -> None:
        own = RequestFiles(state)
        for number in range(10):
            own.deliver(labels(f"{prefix}-{number}"))

    threads = [threading.Thread(target=work, args=(f"t{one}",)) for one in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [record["requestId"] for record in found(tmp_path).values()]
    assert sorted(told) == sorted(f"t{one}-{number}" for one in range(16) for number in range(10))


def test_one_request_from_many_threads_at_once_is_one_file(tmp_path: Path) -> None:
    together = threading.Barrier(12)

    def work() -> None:
        own = RequestFiles(tmp_path / "state")
        together.wait()
        own.deliver(labels())

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found(tmp_path)) == 1


def test_processes_of_one_millisecond_lose_nothing(tmp_path: Path) -> None:
    processes = []
    for one in range(4):
        command = [sys.executable, "-m", filing.__name__, f"p{one}", "25", str(tmp_path / "state")]
        processes.append(subprocess.Popen(command, stdin=subprocess.PIPE, text=True))
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 4
    told = [record["requestId"] for record in found(tmp_path).values()]
    assert sorted(told) == sorted(f"p{one}-{number}" for one in range(4) for number in range(25))


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "requests"
    command = [sys.executable, "-m", filing.__name__, "p", "200", str(tmp_path / "state")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as writer:
        writer.stdin.write("go\n")
        writer.stdin.flush()
        read: set[str] = set()
        while writer.poll() is None:
            for path in folder.glob("label-update-*.json"):
                read.add(json.loads(path.read_bytes())["requestId"])
    assert writer.returncode == 0
    assert read <= {f"p-{number}" for number in range(200)}
    assert len(found(tmp_path)) == 200

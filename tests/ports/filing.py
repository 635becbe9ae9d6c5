"""A process that files many requests of one millisecond: PREFIX COUNT FOLDER, begins at a line."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from statecore.ports.request_files import RequestFiles
from tests.ports.requests import make_request

AT = datetime(2025, 6, 23, 15, 13, 59, 243_000, tzinfo=UTC)


def main(prefix: str, count: str, folder: str) -> None:
    files = RequestFiles(folder)
    sys.stdin.readline()
    for number in range(int(count)):
        files.deliver(make_request(f"{prefix}-{number}", add=("error",), requested_at=AT))


if __name__ == "__main__":
    main(*sys.argv[1:])

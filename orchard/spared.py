"""Libraries spared: what others import on the off chance is, while they do, not there.

REST framework looks for PostgreSQL's driver and an HTTP client, httpx for
what its command line needs. We use neither of these through them, and each
process would pay for them, in memory and at every start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def spared(*names: str) -> Iterator[None]:
    """Let imports of these libraries fail meanwhile, except where they are loaded already.

    For the start of a process: other threads would find them missing, too.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: not to be found
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]

"""The agent: a program that transcribes for a master, wherever it can reach it over HTTP."""

from orchard.spared import spared

with spared("click", "pygments", "rich"):  # httpx would load them for its command line
    import httpx  # noqa: F401

"""What stands between a figure and its goal: read off the flame graphs, one line for each row.

``python -m benchmarks.layers --picture FILE`` draws the graph again; docs/benchmarks.md says it at
length.
"""

from __future__ import annotations

ONE_TRIP = "one script; Python around it, flat: no function takes a tenth"
TWO_TRIPS = "two round trips: which chunk it is, is decided outside the engine"

_OF_ROWS = {
    "1": ONE_TRIP,
    "2": "half Python of services and records, a quarter the scripts, a quarter socket and packing",
    "3": "two round trips for one chunk; what a batch shares is paid each time",
    "4": "Django's middleware and REST framework's request, which the bare view has only in part",
    "5": "caches of the engine and of Python, which a million jobs leave cold",
    "6": "the chunk list that programs read in the job, about 250 bytes a chunk",
    "7": "the kernel's copy of each frame for each socket; four frames a second instead of ten",
    "8": "decoding and filters, on one core",
    "9": "the end of the queue, where one worker is at the last chunk",
    "10": "words at cuts",
    "11": "imports",
}
_OF_NAMES = {
    "claim": TWO_TRIPS,
    "advance (claim a stage)": TWO_TRIPS,
    "heartbeat, not seen before": "two round trips: the record is read before it is decided on",
    "check-out of an issue not seen before": "two round trips, and eight keys with their events",
    "check-out": "eight keys and their events in one script, and Python as above",
    "check-in": "seven keys and their events in one script, and Python as above",
    "transaction of three keys": "a trip for each key that is read, then the commit",
}


def why(row: str, name: str) -> str:
    """What a figure that misses its goal is made of; empty where nobody looked."""
    return _OF_NAMES.get(name) or _OF_ROWS.get(row, "")

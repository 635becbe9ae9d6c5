"""Scripts of their own for plans of commits that are met often.

``commit.lua`` walks through the plan of a commit. Most commits of a program
have one of few plans, such as *expect a string and a field, set both, remove a
member, append an entry*. For those this writes the script that ``commit.lua``
would be if the plan were fixed: the engine has half as many arguments to take
in, and nothing to interpret. ``commit.lua`` stays the oracle of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from statecore.store.scripts import COMMIT, Script, script

LONGEST_PLAN = 60
MOST_PLANS = 200
"""Engines before Valkey 8 keep every script for ever: a program gets so many and no more."""

_unrolled: dict[tuple[str | int, ...], Script] = {}


def script_for(plan: tuple[str | int, ...]) -> Script:
    """The script of a plan; ``commit.lua`` itself for long plans and when there are too many."""
    found = _unrolled.get(plan)
    if found is None:
        if len(plan) > LONGEST_PLAN or len(_unrolled) >= MOST_PLANS or _is_wide(plan):
            return COMMIT
        found = _unrolled[plan] = script("unrolled commit", unroll(plan))
    return found


def unroll(plan: Sequence[str | int]) -> str:
    """The text of the script for a plan; its ``ARGV`` is the data that the plan consumes."""
    tokens, data = iter(plan), count(1)
    lines = ["local call, KEYS, ARGV = redis.call, KEYS, ARGV", *_checks(tokens)]
    lines += _expectations(tokens, data)
    for command in tokens:
        lines += _write(str(command), int(next(tokens)), int(next(tokens)), data)
    return "\n".join([*lines, "return {false}", ""])


def _is_wide(plan: tuple[str | int, ...]) -> bool:
    """Whether some write has so many arguments that plans like this hardly repeat."""
    return any(isinstance(token, int) and token > 20 for token in plan)


def _checks(tokens: Iterator[str | int]) -> Iterator[str]:
    for _ in range(int(next(tokens))):
        yield f"call('{next(tokens)}', KEYS[{next(tokens)}])"


def _expectations(tokens: Iterator[str | int], data: Iterator[int]) -> Iterator[str]:
    differences, cells = [], []
    for n in range(int(next(tokens))):
        command, key, is_present = next(tokens), next(tokens), next(tokens)
        field = f", ARGV[{next(data)}]" if command == "HGET" else ""
        held = f"call('{command}', KEYS[{key}]{field})"
        yield f"local cell{n} = {f'tostring({held})' if command == 'HLEN' else held}"
        differences.append(f"cell{n} ~= ARGV[{next(data)}]" if is_present else f"cell{n}")
        cells.append(f"cell{n}")
    if cells:
        yield f"if {' or '.join(differences)} then return {{false, {', '.join(cells)}}} end"


def _write(command: str, key: int, size: int, data: Iterator[int]) -> Iterator[str]:
    arguments = [f"ARGV[{next(data)}]" for _ in range(size)]
    match command:
        case "SETPX":
            yield f"call('SET', KEYS[{key}], {arguments[0]}, 'PX', {arguments[1]})"
        case "APPEND":
            for entry in arguments[1:]:
                trim = f"'MAXLEN', '~', {arguments[0]}"
                yield f"call('XADD', KEYS[{key}], {trim}, '*', 'e', {entry})"
        case "DEADLINES":
            yield "local time = call('TIME')"
            yield "local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)"
            for delay, member in zip(arguments[::2], arguments[1::2], strict=True):
                deadline = f"string.format('%.0f', now_ms + {delay})"
                yield f"call('ZADD', KEYS[{key}], {deadline}, {member})"
        case _:
            yield f"call({', '.join((repr(command), f'KEYS[{key}]', *arguments))})"

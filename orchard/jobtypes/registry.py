"""The types of jobs that there are: our own, those of installed packages, those of the settings.

A package offers one as an entry point of the group ``orchard.job_types``; a site names one
by its dotted path in ``ORCHARD_JOB_TYPES``. One that cannot be loaded is left out and told
in the log; the others are there all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from orchard.conf import get_conf
from orchard.domain.orders import AUDIO, is_type_name
from orchard.jobtypes.audio import Audio
from orchard.jobtypes.base import JobType
from orchard.jobtypes.text import Text

GROUP = "orchard.job_types"

log = logging.getLogger("orchard.jobtypes")


class UnknownJobType(LookupError):
    """There is no type of jobs of this name here."""


class NotAJobType(TypeError):
    """What was named is no type of jobs."""


@cache
def plug_ins() -> Mapping[str, JobType]:
    """The types besides recordings, by name; loaded once."""
    found: dict[str, JobType] = {Text.name: Text()}
    for origin, load in _offered():
        try:
            job_type = _made(load())
        except Exception:
            log.exception("the job type %s cannot be loaded", origin)
            continue
        if job_type.name in (AUDIO, *found):
            log.error("the job type %s of %s is left out: there is one", job_type.name, origin)
            continue
        found[job_type.name] = job_type
    return found


def type_names() -> tuple[str, ...]:
    """The names of all types, recordings first."""
    return (AUDIO, *sorted(plug_ins()))


def titles() -> dict[str, str]:
    """What people call each type, by its name."""
    return {AUDIO: Audio.title} | {name: str(one.title) for name, one in plug_ins().items()}


def find(name: str) -> JobType:
    """The type of this name.

    Raises:
        UnknownJobType: there is none, or it is recordings, which are the pipeline's own.
    """
    try:
        return plug_ins()[name]
    except KeyError:
        raise UnknownJobType(f"there is no job type {name!r} here") from None


def dotted_paths(value: str) -> list[str]:
    """The paths in a list with commas, in their order."""
    return [path for part in value.split(",") if (path := part.strip())]


def load_path(path: str) -> Any:
    """What a path such as ``package.module:Name`` stands for.

    Raises:
        ImportError, AttributeError: nothing.
    """
    module, _, name = path.replace(":", ".").rpartition(".")
    return getattr(import_module(module), name)


def _offered() -> Iterator[tuple[str, Callable[[], Any]]]:
    """What may be types: where each comes from, and how it is loaded."""
    for point in entry_points(group=GROUP):
        yield point.value, point.load
    for path in dotted_paths(get_conf().job_types):
        yield path, partial(load_path, path)


def _made(thing: Any) -> JobType:
    thing = thing() if isinstance(thing, type) else thing
    if not isinstance(thing, JobType):
        raise NotAJobType(f"{thing!r} lacks name, title, accept, split, check or aggregate")
    if not is_type_name(thing.name):
        raise NotAJobType(f"{thing.name!r} is no name of a job type")
    return thing

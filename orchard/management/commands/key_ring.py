"""``manage.py key_ring``: makes a key ring, adds keys to it, and names those that are in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchard.conf import get_conf
from statecore.sealing.faults import BadKeyRing
from statecore.sealing.key_ring import Key, make_key, read_key_ring, write_key_ring


class Command(BaseCommand):
    """Work on the file alone; the engine is not asked, and no key is ever printed."""

    help = "Make a key ring, add a key to it or take one out; without options: name its keys."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and with which file."""
        parser.add_argument("file", nargs="?", type=Path, help="the ring (ORCHARD_KEY_RING)")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--make", action="store_true", help="make a ring with one new key")
        what.add_argument("--add", action="store_true", help="put a new key first: it seals then")
        text = "put a new key last: it only opens, until --use puts it first"
        what.add_argument("--add-last", action="store_true", help=text)
        what.add_argument("--use", metavar="ID", help="put this key first: it seals then")
        what.add_argument("--remove", metavar="ID", help="take out a key that nothing needs")
        parser.add_argument("--id", default="", help="name of the new key (default: the day)")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and name the keys that there are now."""
        path = options["file"] or Path(get_conf().key_ring)
        if path == Path():
            raise CommandError("name a file, or set ORCHARD_KEY_RING")
        try:
            keys = _changed(path.expanduser(), options)
        except BadKeyRing as fault:
            raise CommandError(str(fault)) from None
        except OSError as fault:
            raise CommandError(f"{path}: {fault.strerror or fault}") from None
        ids = [key.id for key in keys]
        if options["json"]:
            self.stdout.write(json.dumps({"file": str(path), "seals": ids[0], "keys": ids}))
        else:
            self.stdout.write(f"{path}: {ids[0]} seals; {', '.join(ids)} open.")


def _changed(path: Path, options: dict[str, Any]) -> tuple[Key, ...]:
    """The keys after what was asked for is done."""
    if options["make"]:
        if path.exists():
            raise BadKeyRing(f"{path}: is there already; --add puts a new key into it")
        keys: tuple[Key, ...] = (make_key(options["id"]),)
    else:
        before = read_key_ring(path)
        keys = _after(before, options)
        if keys == before:
            return keys
    write_key_ring(path, keys)
    return keys


def _after(keys: tuple[Key, ...], options: dict[str, Any]) -> tuple[Key, ...]:
    known = {key.id: key for key in keys}
    if options["add"] or options["add_last"]:
        new = make_key(options["id"])
        if new.id in known:
            raise BadKeyRing(f"there is a key {new.id!r} already; --id gives the new one a name")
        return (new, *keys) if options["add"] else (*keys, new)
    chosen = options["use"] or options["remove"]
    if not chosen:
        return keys
    if chosen not in known:
        raise BadKeyRing(f"there is no key {chosen!r}, but {', '.join(known)}")
    others = tuple(key for key in keys if key.id != chosen)
    if options["use"]:
        return (known[chosen], *others)
    if chosen == keys[0].id:
        raise BadKeyRing(f"{chosen!r} seals; --use another key first, then manage.py rotate_keys")
    return others

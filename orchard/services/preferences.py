"""What people prefer, kept for a day since it was last said (CONTRACTS section 1)."""

from __future__ import annotations

import msgspec

from orchard import keys
from orchard.codec import UNREADABLE
from orchard.conf import get_conf
from statecore.store import ops
from statecore.store.steps import Steps, read

PURIFIER = "use_purifier"


def get_use_purifier(user: str) -> Steps[bool]:
    """Whether this person wants recordings cleaned; the setting's default unless said."""
    (raw,) = yield from read(ops.Key(keys.user_pref(user, PURIFIER)))
    try:
        return get_conf().purifier_default if raw is None else bool(msgspec.json.decode(raw))
    except UNREADABLE:
        return get_conf().purifier_default


def set_use_purifier(user: str, wanted: bool) -> Steps[bool]:
    """Remember whether this person wants recordings cleaned."""
    key = keys.user_pref(user, PURIFIER)
    write = ops.Set(key, msgspec.json.encode(wanted), keys.USER_PREF_TTL_MS)
    yield ops.Commit({}, (write,))
    return wanted

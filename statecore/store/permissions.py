"""What a user (ACL) of the engine must be allowed, and no more."""

from __future__ import annotations

SCRIPTED = (
    "get", "set", "del", "pexpire", "persist", "hget", "hset", "hdel", "hlen", "hgetall", "sadd",
    "srem", "scard", "smembers", "zadd", "zrem", "zcard", "zscore", "zcount", "zrange",
    "zrangebyscore", "zrevrange", "zrevrangebyscore", "zrank", "zpopmin", "xadd", "xlen", "xrange",
    "xrevrange", "xinfo|stream", "exists", "type", "pttl", "time",
)  # fmt: skip
"""Commands that our scripts use, with which a script may do nothing more than its user."""
DIRECT = (
    "evalsha", "eval", "xread", "publish", "subscribe", "unsubscribe", "ping", "info", "select",
    "role", "wait", "asking", "cluster|slots", "scan", "dbsize",
    "config|get",
)  # fmt: skip
"""Commands that we send."""
CACHE = ("incrby", "incr", "mget", "setex", "ttl", "expire", "pexpireat", "unlink")
"""What Django's cache needs besides, in the second database."""


def acl_rules(password: str, *channels: str) -> list[str]:
    """The rules of ``ACL SETUSER``, in order.

    All keys are ours: the engine should be, too. Of channels, only those of the
    ambassador.
    """
    heard = channels or ("poppo:channel:mirin:*",)
    allowed = sorted({*SCRIPTED, *DIRECT, *CACHE})
    return [
        "reset", "on", f">{password}", "~*", "resetchannels", *(f"&{name}" for name in heard),
        "-@all", *(f"+{name}" for name in allowed),
    ]  # fmt: skip

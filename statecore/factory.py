"""The factory: managers on the backend that the configuration names (CONTRACTS section 3).

manager = StateManagerFactory.create_status_manager(config)
manager.initialize()
manager.checkout(123, "process-1", "test-task")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from statecore.configuration import (
    FILE,
    REDIS,
    WrongConfiguration,
    parse_configuration,
    read_configuration,
)
from statecore.domain.entries import DEFAULT_NAMESPACES
from statecore.managers import StatusManager, UnifiedStateManager
from statecore.store import open_store
from statecore.store.base import Store
from statecore.store.schema import LookingGate, Release
from statecore.versions import KEY, OLDEST, VERSION

RELEASE = Release("this library", VERSION, OLDEST)
CONFIG_PATH = Path("config/config.json")
STATE_DIR = Path("state")

Config = Mapping[str, Any] | str | Path | None
"""A configuration as a mapping, as a file's path, or ``None`` for ``config/config.json``."""


class StateManagerFactory:
    """Chooses the backend: files, unless Redis is both chosen and enabled."""

    @staticmethod
    def create_unified_state_manager(
        config: Config = None, state_dir: str | Path | None = None, *, store: Store | None = None
    ) -> UnifiedStateManager:
        """A manager of namespaced state; ``state_dir`` is where the files are.

        ``store`` is used instead of the backend that the configuration names.

        Raises:
            WrongConfiguration: the configuration is not what it should be.
        """
        parsed = parse_configuration(_load(config))
        return UnifiedStateManager(
            store or _open(parsed.uses_redis, parsed.redis_url, state_dir),
            owner=parsed.process_id or "", state_dir=_old_files(state_dir, store),
        )  # fmt: skip

    @staticmethod
    def create_status_manager(
        config: Config = None, state_dir: str | Path | None = None, *, store: Store | None = None
    ) -> StatusManager:
        """A manager of issues. With ``state_dir``, label requests are written there.

        An active ambassador delivers them instead.

        Raises:
            WrongConfiguration: the configuration is not what it should be.
        """
        parsed = parse_configuration(_load(config))
        is_file = store is None and not parsed.uses_redis
        requests = Path(state_dir or STATE_DIR) if state_dir or is_file else None
        return StatusManager(
            store or _open(parsed.uses_redis, parsed.redis_url, state_dir),
            requests_dir=requests, state_dir=_old_files(state_dir, store),
        )  # fmt: skip

    @staticmethod
    def get_backend_type(config: Config = None) -> str:
        """``file``, unless the backend is ``redis`` and ``redis.enabled``.

        Raises:
            WrongConfiguration: the configuration is not what it should be.
        """
        return REDIS if parse_configuration(_load(config)).uses_redis else FILE

    @classmethod
    def is_redis_backend(cls, config: Config = None) -> bool:
        """Whether state is in Redis."""
        return cls.get_backend_type(config) == REDIS

    @classmethod
    def is_file_backend(cls, config: Config = None) -> bool:
        """Whether state is in files."""
        return cls.get_backend_type(config) == FILE

    @staticmethod
    def validate_config(config: Config = None) -> dict[str, Any]:
        """``{"valid": …, "error": …}``: the first thing that is wrong, or ``None``."""
        try:
            parse_configuration(_load(config))
        except WrongConfiguration as fault:
            return {"valid": False, "error": str(fault)}
        return {"valid": True, "error": None}

    @staticmethod
    def get_config_info(config: Config = None) -> dict[str, Any]:
        """What the configuration amounts to; whether there is a password, but not which.

        Raises:
            WrongConfiguration: the configuration is not what it should be.
        """
        parsed = parse_configuration(_load(config))
        return {
            "backend": REDIS if parsed.uses_redis else FILE,
            "enabled": parsed.enabled,
            "redis": {
                "enabled": parsed.redis_enabled, "host": parsed.host, "port": parsed.port,
                "db": parsed.db, "hasPassword": bool(parsed.password),
                "processId": parsed.process_id,
            },
            "namespaces": list(dict.fromkeys([*DEFAULT_NAMESPACES, *parsed.namespaces])),
        }  # fmt: skip


def _load(config: Config) -> Mapping[str, Any]:
    if config is None:
        return read_configuration(CONFIG_PATH)
    if isinstance(config, str | Path):
        return read_configuration(Path(config))
    try:
        json.dumps(config)
    except (TypeError, ValueError, RecursionError) as fault:
        raise WrongConfiguration(f"the configuration must be JSON: {fault}") from None
    return config


def _open(uses_redis: bool, url: str, state_dir: str | Path | None) -> Store:
    if uses_redis:
        store = open_store(url)
        store.gate = LookingGate(store, KEY, RELEASE)
        return store
    return open_store(Path(state_dir or STATE_DIR).absolute().as_uri())


def _old_files(state_dir: str | Path | None, store: Store | None) -> Path | None:
    """Where to look for files to take over; a store that was handed in has its own past."""
    if store is not None and state_dir is None:
        return None
    return Path(state_dir or STATE_DIR)

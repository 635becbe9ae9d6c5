"""What may be wrong with the state engine, in plain words, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from orchard.web.words import Word

CONCERNS: Mapping[str, tuple[Word, Word]] = {
    "in_memory": (
        _("Everything is gone when this program ends"),
        _("The store is this program's memory. Choose another one before real work is done."),
    ),
    "not_kept": (
        _("What the engine holds is not written to disk"),
        _("When it restarts, all jobs, issues and state are gone. Set “appendonly yes”."),
    ),
    "snapshots_only": (
        _("The engine writes snapshots only"),
        _("When it dies, what changed since the last one is gone. Set “appendonly yes”."),
    ),
    "append_only_fails": (
        _("The engine cannot write its append-only file"),
        _("Look for a full disk, and into the engine's log."),
    ),
    "snapshot_fails": (
        _("The engine could not write its last snapshot"),
        _("Look for a full disk, and into the engine's log."),
    ),
    "evicts": (
        _("The engine forgets keys when it is full"),
        _("Jobs and locks would vanish without a word. Set “maxmemory-policy noeviction”."),
    ),
    "has_evicted": (
        _("The engine has forgotten keys to make room"),
        _("Some records are gone. Give it more memory, and set “maxmemory-policy noeviction”."),
    ),
    "memory_near": (
        _("The engine's memory is nearly full"),
        _("When it is full, nothing can be written. Raise “maxmemory”, or delete finished jobs."),
    ),
    "clients_near": (
        _("The engine has nearly as many clients as it takes"),
        _("Further programs will be refused. Raise “maxclients”, or stop some."),
    ),
    "rejected_clients": (
        _("The engine has refused clients"),
        _("It had as many as it takes. Raise “maxclients”."),
    ),
    "is_replica": (
        _("This engine is a replica"),
        _("It takes no writes. Point the settings to the primary."),
    ),
    "slow": (
        _("The engine answers slowly"),
        _("Its machine or the way to it is busy; every page and worker feels it."),
    ),
    "disk_near": (
        _("The disk is nearly full"),
        _("When it is full, nothing can be written. Make room."),
    ),
}
"""By the name of the concern: what is wrong, and what helps."""

"""Checks at start: what is allowed, but probably not meant."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register

from orchard.conf import CONFIG_ENV, Conf, get_conf
from orchard.conf_file import suggest

OF_AGENTS = (
    "ORCHARD_MASTER", "ORCHARD_TOKEN", "ORCHARD_TOKEN_FILE", "ORCHARD_TRANSCRIBER", "ORCHARD_MODEL",
)  # fmt: skip
OF_CLIENTS = ("ORCHARD_URL", "ORCHARD_CLIENT_CONFIG")
"""A shell in which commands of both kinds are typed says nothing wrong."""


@register(Tags.security)
def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Name variables that look like a setting and are none."""
    return misspelt(os.environ)


@register(Tags.security, deploy=True)
def check_exposure(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn when faults would be shown to other machines."""
    return exposed(get_conf())


def misspelt(environ: Mapping[str, str]) -> list[CheckMessage]:
    """Variables close to one of ours; others may belong to somebody else."""
    names = [one.metadata["env"] for one in fields(Conf)] + [CONFIG_ENV, *OF_AGENTS, *OF_CLIENTS]
    strangers = [name for name in environ if name.startswith("ORCHARD_") and name not in names]
    return [
        Warning(f"{name} is no setting{meant}", id="orchard.W001")
        for name in sorted(strangers)
        if (meant := suggest(name, names, 0.85))  # they are alike in their beginning anyway
    ]


def exposed(conf: Conf) -> list[CheckMessage]:
    """A site that shows its faults to others, or talks to them in clear text."""
    is_local = conf.host in ("127.0.0.1", "::1", "localhost")
    found: list[CheckMessage] = []
    if conf.debug and not is_local:
        hint = "Unset ORCHARD_DEBUG."
        found.append(Warning("Other machines can see faults in full", hint, id="orchard.W002"))
    if "*" in conf.allowed_hosts:
        hint = "List the names in ORCHARD_ALLOWED_HOSTS."
        found.append(Warning("The site answers to any host name", hint, id="orchard.W003"))
    return found

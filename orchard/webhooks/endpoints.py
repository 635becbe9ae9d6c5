"""Endpoints: made, changed, tried, their keys rotated, and taken away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from orchard.conf import get_conf
from orchard.domain.errors import InvalidInput, UnknownWebhook
from orchard.ports.node_addresses import AddressRefused, Network, parse_networks
from orchard.ports.webhook_addresses import find_receivers
from orchard.services import queries, run
from orchard.webhooks import messages, sealed_secrets, signing
from orchard.webhooks.models import Delivery, Endpoint, Reading, new_uid

URL_MAX = 500
DESCRIPTION_MAX = 200
ENDPOINTS_MAX = 50
ROTATION = timedelta(hours=24)
"""So long the key before a rotation signs besides the new one."""


def allowed_networks() -> tuple[Network, ...]:
    """The private networks that webhooks may be sent into, by the settings."""
    return parse_networks(get_conf().webhook_networks)


def find_all() -> QuerySet[Endpoint]:
    """All endpoints, the oldest first, with how many deliveries wait and have failed."""
    waiting = Count("deliveries", filter=Q(deliveries__state=Delivery.PENDING))
    failed = Count("deliveries", filter=Q(deliveries__state=Delivery.FAILED))
    return Endpoint.objects.annotate(waiting=waiting, failed=failed).order_by("created_at", "pk")


def get(uid: str) -> Endpoint:
    """An endpoint by its name.

    Raises:
        UnknownWebhook: there is none.
    """
    found = find_all().filter(uid=uid).first()
    if found is None:
        raise UnknownWebhook
    return found


def create(url: str, description: str = "", types: Sequence[str] = ()) -> tuple[Endpoint, str]:
    """Tell a program of what happens from now on; its signing key is shown here and never again.

    Raises:
        InvalidInput: the address is none where a webhook may go, or another field is wrong.
        EngineAway: it cannot be found out where the events end.
    """
    facts = _checked({"url": url, "description": description, "types": list(types)})
    if Endpoint.objects.count() >= ENDPOINTS_MAX:
        raise InvalidInput("url", f"there are {ENDPOINTS_MAX} webhooks already")
    uid, secret = new_uid(), signing.new_secret()
    end = run(queries.events_end())
    with transaction.atomic():
        _begin(end)
        made = Endpoint.objects.create(uid=uid, secret=sealed_secrets.keep(uid, secret), **facts)
    return made, signing.spell(secret)


def change(uid: str, **facts: Any) -> Endpoint:
    """Change url, description, types or is_enabled of an endpoint; what waits goes there, too.

    Raises:
        UnknownWebhook: there is none.
        InvalidInput: a field is wrong.
        EngineAway: it is enabled again, and it cannot be found out where the events end.
    """
    endpoint = get(uid)
    for name, value in _checked(facts).items():
        setattr(endpoint, name, value)
    end = run(queries.events_end()) if facts.get("is_enabled") else ""
    with transaction.atomic():
        if facts.get("is_enabled"):
            _begin(end)
            endpoint.stopped_for, endpoint.failing_since = "", None
            facts |= {"stopped_for": "", "failing_since": None}
        endpoint.save(update_fields=list(facts))
    return endpoint


def rotate(uid: str) -> tuple[Endpoint, str]:
    """Give an endpoint a new signing key; the one before signs besides for a day.

    Raises:
        UnknownWebhook: there is none.
    """
    endpoint, secret = get(uid), signing.new_secret()
    endpoint.old_secret, endpoint.old_until = endpoint.secret, timezone.now() + ROTATION
    endpoint.secret = sealed_secrets.keep(uid, secret)
    endpoint.save(update_fields=["secret", "old_secret", "old_until"])
    return endpoint, signing.spell(secret)


def remove(uid: str) -> Endpoint:
    """Tell a program no longer, and forget what it was told.

    Raises:
        UnknownWebhook: there is none.
    """
    endpoint = get(uid)
    Endpoint.objects.filter(pk=endpoint.pk).delete()
    return endpoint


def send_test(uid: str) -> Delivery:
    """Send a message that says nothing, as all others are sent.

    Raises:
        UnknownWebhook: there is none.
        InvalidInput: it is disabled.
    """
    endpoint = get(uid)
    if not endpoint.is_enabled:
        raise InvalidInput("webhook", "it is disabled; enable it first")
    message = messages.test_message(timezone.now(), new_uid())
    return Delivery.objects.create(
        endpoint=endpoint, message_id=message.id, type=message.type, subject=message.subject,
        payload=message.payload,
    )  # fmt: skip


def _begin(end: str) -> None:
    """Have the events read from here on, if nobody read them so far."""
    Reading.objects.get_or_create(pk=1)
    reading = Reading.objects.select_for_update().get(pk=1)
    if not reading.is_begun:
        reading.is_begun, reading.cursor, reading.is_catching_up = True, end, False
        reading.told_ms = round(run(queries.clock()).timestamp() * 1000)
        reading.version += 1
        reading.save()


def _checked(facts: dict[str, Any]) -> dict[str, Any]:
    if "url" in facts:
        check_url(facts["url"])
    description = facts.get("description", "")
    if len(description) > DESCRIPTION_MAX or not description.isprintable():
        raise InvalidInput("description", f"not one line of at most {DESCRIPTION_MAX} characters")
    for kind in facts.get("types", ()):
        if kind not in messages.TYPES:
            raise InvalidInput("types", f"there is no event {kind[:60]!r}")
    return facts


def check_url(url: str) -> None:
    """Let only an address pass that a webhook may be sent to.

    Raises:
        InvalidInput: it is none, or leads to where no webhook may go.
    """
    if not _is_address(url):
        raise InvalidInput("url", "not an http or https address of a host, without a password")
    try:
        async_to_sync(find_receivers)(url, allowed_networks())
    except AddressRefused as refusal:
        raise InvalidInput("url", str(refusal)) from None
    except OSError as fault:
        raise InvalidInput("url", f"its name leads nowhere: {fault}") from None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_plain = url.isprintable() and " " not in url and "\\" not in url and len(url) <= URL_MAX
    is_bare = "@" not in parts.netloc and not parts.fragment
    return parts.scheme in ("http", "https") and has_host and is_plain and is_bare

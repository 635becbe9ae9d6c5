"""A site that may send webhooks to this machine, and receivers of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from orchard.services import engine
from orchard.webhooks import endpoints
from orchard.webhooks.following import Follower
from orchard.webhooks.models import Delivery
from orchard.webhooks.posting import Courier
from orchard.webhooks.process import Station
from orchard.webhooks.sending import Sender
from statecore.store import Store
from tests.servers import until
from tests.webhooks.receivers import Receiver


@pytest.fixture
def store(memory_store: Store, db: None) -> Iterator[Store]:
    """The engine of the site."""
    before = engine.use(memory_store)
    yield memory_store
    engine.use(before)


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers of these tests are on this machine."""
    monkeypatch.setattr(endpoints, "allowed_networks", lambda: endpoints.parse_networks(HOME))


HOME = "127.0.0.0/8"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that hears everything; a test may change its manner."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def receivers() -> Iterator[Callable[..., Receiver]]:
    """Makes more of them."""
    with ExitStack() as made:
        yield lambda manner="200": made.enter_context(Receiver(manner))


@dataclass
class Post:
    """A process that sends, turn by turn, with a clock that a test may move on.

    It rests for many minutes, so that a machine that is busy elsewhere changes nothing.
    """

    timeout_s: float = 20.0
    networks: str = HOME
    schedule_s: tuple[float, ...] = (600, 3600, 10_800)
    ahead: timedelta = timedelta()
    stations: list[tuple[Station, Sender, Courier]] = field(default_factory=list)

    def open(self, holder: str = "p1") -> Station:
        """A new process; those before are left to themselves."""
        courier = Courier(endpoints.parse_networks(self.networks), self.timeout_s)
        sender = Sender(courier, schedule_s=self.schedule_s, now=self.now)
        self.stations.append((Station(holder, sender, Follower()), sender, courier))
        return self.stations[-1][0]

    def now(self) -> datetime:
        return timezone.now() + self.ahead

    def settle(self) -> None:
        """Let the last process work until nothing is under way, and nothing is due."""
        if not self.stations:
            self.open()
        station, sender, _ = self.stations[-1]

        def is_settled() -> bool:
            station.turn()
            due = Delivery.objects.filter(
                state=Delivery.PENDING, endpoint__is_enabled=True, next_at__lte=self.now()
            )
            blocked = [one for one in due if self._waits_for_another(one)]
            return not sender.is_busy and due.count() == len(blocked)

        until(is_settled)

    def later(self, seconds: float) -> None:
        """Move the clock on, and let the process work."""
        self.ahead += timedelta(seconds=seconds)
        self.settle()

    @staticmethod
    def _waits_for_another(one: Delivery) -> bool:
        return Delivery.objects.filter(
            endpoint=one.endpoint_id, subject=one.subject, state=Delivery.PENDING, pk__lt=one.pk
        ).exists()

    def close(self) -> None:
        for _, _, courier in self.stations:
            courier.close()


@pytest.fixture
def post() -> Iterator[Any]:
    """What sends, in this process."""
    post = Post()
    yield post
    post.close()

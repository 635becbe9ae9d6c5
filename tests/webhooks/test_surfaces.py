"""Webhooks over the API and on the pages, at rest, and in the docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from orchard.models import AuditEntry
from orchard.web.webhook_words import DELIVERY_STATES, EVENT_NOTES
from orchard.webhooks import deliveries, endpoints, sealed_secrets, sending, signing
from orchard.webhooks.messages import TYPES
from orchard.webhooks.models import Delivery, Endpoint
from statecore.sealing import site
from statecore.sealing.faults import SealFault
from statecore.sealing.key_ring import KeyRing, make_key
from statecore.sealing.site import Part, Sealing
from tests.api import fixtures
from tests.api.fixtures import Tokens, post_json
from tests.services import orchards

_site, tokens, staff = fixtures._site, fixtures.tokens, fixtures.staff
API = "/api/v1/webhooks"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def client(store, tokens: Tokens) -> Client:
    return Client(headers=tokens("admin"))


@pytest.fixture
def admin(store, staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def secret_in(answer) -> str:
    return re.search(r"whsec_[A-Za-z0-9+/=]+", answer.content.decode())[0]


def patch(client: Client, uid: str, body):
    return client.patch(f"{API}/{uid}", body, content_type="application/json")


# -- the API ---------------------------------------------------------------------------------


def test_a_webhook_is_made_changed_and_deleted_and_its_secret_answered_once(client, receiver):
    made = post_json(client, API, {"url": receiver.url, "types": ["job.failed"]})
    assert made.status_code == 201
    shape = made.json()
    assert shape.pop("secret").startswith("whsec_")
    uid = shape["webhook_id"]
    assert client.get(f"{API}/{uid}").json() == shape
    assert client.get(API).json() == {"webhooks": [shape], "count": 1}
    changed = patch(client, uid, {"types": [], "description": "CI", "enabled": False}).json()
    assert (changed["types"], changed["description"], changed["enabled"]) == ([], "CI", False)
    assert changed["url"] == receiver.url
    assert post_json(client, f"{API}/{uid}/test").status_code == 400
    assert post_json(client, f"{API}/{uid}/rotate").json()["old_secret_until"]
    assert client.delete(f"{API}/{uid}").json()["webhook_id"] == uid
    assert client.get(f"{API}/{uid}").status_code == 404
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == [
        "webhook.create", "webhook.change", "webhook.rotate", "webhook.delete",
    ]  # fmt: skip


def test_deliveries_are_listed_page_by_page_and_replayed(client, post, receiver):
    post.schedule_s = ()
    uid = post_json(client, API, {"url": receiver.url}).json()["webhook_id"]
    receiver.manner = "500"
    jobs = [orchards.submit().job_id for _ in range(3)]
    post.settle()
    page = client.get(f"{API}/{uid}/deliveries?limit=2&state=failed").json()
    rest = client.get(f"{API}/{uid}/deliveries?limit=2&cursor={page['next']}").json()
    rows = [*page["deliveries"], *rest["deliveries"]]
    assert [row["payload"]["data"]["job_id"] for row in rows] == jobs[::-1]
    assert (rest["next"], rows[0]["state"], rows[0]["status"]) == (None, "failed", 500)
    receiver.manner = "200"
    again = post_json(client, f"{API}/{uid}/deliveries/{rows[0]['delivery_id']}/replay")
    assert again.json()["state"] == "pending"
    assert post_json(client, f"{API}/{uid}/replay", {"since": "2020-01-01T00:00:00"}).json() == {
        "replayed": 2
    }
    post.settle()
    assert client.get(f"{API}/{uid}").json()["failed"] == 0
    assert {heard.job for heard in receiver.accepted()} == set(jobs)


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "url"), ({"url": 5}, "url"), ({"url": "http://10.0.0.1/"}, "url"),
     ({"url": "http://169.254.169.254/"}, "url"), ({"url": "https://x/" + "y" * 600}, "url"),
     ({"url": "http://127.0.0.1/", "types": ["nothing"]}, "types"),
     ({"url": "http://127.0.0.1/", "description": "a\nb"}, "description")],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_field_and_changes_nothing(client, body, field):
    answer = post_json(client, API, body)
    assert (answer.status_code, list(answer.json()["detail"])) == (400, [field])
    assert not Endpoint.objects.exists()


def test_a_webhook_cannot_be_changed_to_lead_elsewhere(client, receiver):
    uid = post_json(client, API, {"url": receiver.url}).json()["webhook_id"]
    assert patch(client, uid, {"url": "http://192.168.0.1/"}).status_code == 400
    assert endpoints.get(uid).url == receiver.url


def test_what_is_not_there_is_not_found(client, receiver):
    made, _ = endpoints.create(receiver.url)
    for path in (f"{API}/nobody/test", f"{API}/{made.uid}/deliveries/1{'0' * 30}/replay",
                 f"{API}/{made.uid}/deliveries/999/replay"):  # fmt: skip
        assert post_json(client, path).status_code == 404
    assert client.get(f"{API}/{made.uid}/deliveries?cursor=x").status_code == 400


# -- pages -----------------------------------------------------------------------------------


def test_an_admin_makes_a_webhook_looks_at_it_and_sends_again(admin, post, receiver):
    made = admin.post("/ui/webhooks/add", {"url": receiver.url, "types": ["job.created"]})
    assert secret_in(made)
    (endpoint,) = Endpoint.objects.all()
    page = f"/ui/webhooks/{endpoint.uid}/"
    assert "whsec_" not in admin.get(page).content.decode()
    post.schedule_s, receiver.manner = (), "500"
    job_id = orchards.submit().job_id
    post.settle()
    text = admin.get(page).content.decode()
    assert f"/ui/jobs/{job_id}/" in text
    for part in ('data-poll="5000"', 'data-region="deliveries" data-keyed', 'data-key="delivery-'):
        assert part in text
    assert "said with 500" in text
    admin.post(f"{page}deliveries/{Delivery.objects.get().pk}/replay")
    receiver.manner = "200"
    post.settle()
    assert Delivery.objects.get().state == "delivered"
    assert "/ui/webhooks/" in admin.get("/ui/events/").content.decode()


def test_a_private_address_is_refused_in_the_viewers_language(admin):
    headers = {"Accept-Language": "ja"}
    answer = admin.post(
        "/ui/webhooks/add", {"url": "http://10.0.0.1/"}, headers=headers, follow=True
    )
    notes = [str(message) for message in answer.context["messages"]]
    assert len(notes) == 1
    assert "プライベートなアドレス" in notes[0]
    assert "10.0.0.1" in notes[0]
    assert not Endpoint.objects.exists()


def test_hostile_text_is_shown_as_text(admin, post, receiver):
    made, _ = endpoints.create(receiver.url + f"?{HOSTILE}", description=HOSTILE)
    orchards.submit()
    Delivery.objects.update(excerpt=HOSTILE, error=HOSTILE)
    post.settle()
    Delivery.objects.update(excerpt=HOSTILE, error=HOSTILE)
    for page in ("/ui/webhooks/", f"/ui/webhooks/{made.uid}/"):
        answer = admin.get(page)
        assert answer.status_code == 200
        assert HOSTILE not in answer.content.decode()
        assert "&lt;script&gt;" in answer.content.decode()


def test_a_webhook_that_is_gone_leads_back_to_the_list(admin):
    answer = admin.get("/ui/webhooks/nobody/")
    assert answer.status_code == 404
    assert 'href="/ui/webhooks/"' in answer.content.decode()


def test_every_event_and_state_has_its_words():
    assert EVENT_NOTES.keys() == TYPES.keys()
    assert tuple(DELIVERY_STATES) == deliveries.STATES


# -- at rest ---------------------------------------------------------------------------------


def test_signing_keys_are_sealed_resealed_and_still_sign(store, receiver):
    old, new = make_key("old"), make_key("new")
    sealing = [Sealing(KeyRing(old), frozenset(Part), lambda key: False)]
    before = site.configure(lambda: sealing[0])
    try:
        made, secret = endpoints.create(receiver.url)
        row = endpoints.get(made.uid)
        (key,) = sealed_secrets.secrets_of(row, row.created_at)
        assert signing.spell(key) == secret
        assert key not in bytes(row.secret)
        sealing[0] = Sealing(KeyRing(new, old), frozenset(Part), lambda key: False)
        assert sealed_secrets.reseal(sealing[0], lambda done: None).sealed == 1
        sealing[0] = Sealing(KeyRing(new), frozenset(Part), lambda key: False)
        row = endpoints.get(made.uid)
        assert sealed_secrets.secrets_of(row, row.created_at) == [key]
        sealing[0] = Sealing(KeyRing(old), frozenset(Part), lambda key: False)
        with pytest.raises(SealFault):
            sealed_secrets.secrets_of(row, row.created_at)
    finally:
        site.configure(before)


# -- the page of the docs --------------------------------------------------------------------


def test_the_page_has_every_type_and_the_schedule():
    text = (Path(__file__).parents[2] / "docs/webhooks.md").read_text()
    told = dict(re.findall(r"^\| `([a-z.]+_?[a-z]*)` \| (.+) \|$", text, re.MULTILINE))
    assert {name: told[name] for name in TYPES} == dict(TYPES)
    assert sending.SCHEDULE_S == (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
    assert "after 5 seconds, 5 and 30\n  minutes, 2, 5, 10, 14, 20 and 24 hours" in text

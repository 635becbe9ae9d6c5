"""A site of which every figure has something to tell, and how a scrape of it is read."""

from __future__ import annotations

from django.test import Client
from prometheus_client.parser import text_string_to_metric_families as parse

from orchard.services import dispatch, run, samples
from statecore.domain.issues import Holder
from statecore.services import checkouts, namespaced
from tests.api.fixtures import Tokens
from tests.services import orchards

Scrape = dict[str, dict[tuple[str, ...], float]]


def read_text(text: str) -> Scrape:
    """Each figure's values by those of its labels, in the order of their names."""
    found: Scrape = {}
    for family in parse(text):
        for sample in family.samples:
            by_labels = found.setdefault(sample.name, {})
            by_labels[tuple(sample.labels[name] for name in sorted(sample.labels))] = sample.value
    return found


def scrape(tokens: Tokens) -> Scrape:
    answer = Client(headers=tokens("read", name="prometheus")).get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    return read_text(answer.content.decode())


def plant() -> None:
    """A site where every figure has something to tell."""
    cursor = run(samples.take_sample(""))
    orchards.worker("w1")
    orchards.worker("w2")
    run(dispatch.sign_in("d1"))
    orchards.processing(4)
    orchards.submit()
    orchards.complete(orchards.claim("w1")[0])
    orchards.claim("w2")
    run(checkouts.check_out(7, Holder(process_id="p1")))
    run(namespaced.put("notes", "a", 1))
    run(samples.take_sample(cursor))

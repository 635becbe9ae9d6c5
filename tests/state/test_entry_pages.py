"""Pages of namespaces that are too large to be read as a whole."""

from __future__ import annotations

import pytest

from statecore import keys
from statecore.services import entry_pages, namespaced, run
from statecore.services.entry_pages import EntryPage, page_entries
from statecore.store import ops
from statecore.store.base import Store

pytestmark = pytest.mark.usefixtures("store")
NAMESPACE, MANY = "recordings", 2_300


@pytest.fixture
def names(store: Store) -> list[str]:
    """The keys of a large namespace, written by a program that knows nothing of indexes."""
    names = [f"tape-{n:05}" for n in range(MANY)]
    fields = {name: f'{{"n":{n}}}'.encode() for n, name in enumerate(names)}
    store.commit({}, [ops.HashSet(keys.state(NAMESPACE), fields)])
    return names


def walk(**asked: str) -> list[EntryPage]:
    pages, after = [], ""
    while not pages or after:
        pages.append(run(page_entries(NAMESPACE, after=after, limit=700, **asked)))  # type: ignore[arg-type]
        after = pages[-1].next
    return pages


def keys_of(pages: list[EntryPage]) -> list[str]:
    return [entry.key for page in pages for entry in page.entries]


def test_every_entry_is_on_one_page_in_the_order_of_keys(names: list[str]):
    pages = walk()
    assert keys_of(pages) == names
    assert [len(page.entries) for page in pages] == [700, 700, 700, 200]
    assert [page.first for page in pages] == [True, False, False, False]
    assert {(page.total, page.found) for page in pages} == {(MANY, MANY)}


def test_our_own_changes_stand_in_the_index_at_once(names: list[str], store: Store):
    walk()
    run(namespaced.put(NAMESPACE, "tape-00000b", 1))
    run(namespaced.delete(NAMESPACE, names[3]))
    assert store.read(ops.Count(keys.entries(NAMESPACE))) == [MANY]
    assert keys_of(walk())[:4] == [names[0], "tape-00000b", names[1], names[2]]
    assert names[3] not in keys_of(walk())


def test_what_others_write_and_delete_by_hand_is_seen(names: list[str], store: Store):
    walk()
    state = keys.state(NAMESPACE)
    store.commit({}, [ops.HashSet(state, {"aside": b"1"})])
    assert keys_of(walk()) == ["aside", *names]
    store.commit({}, [ops.HashDelete(state, (names[0],))])
    assert keys_of(walk()) == ["aside", *names[1:]]
    # One came and one went: the sizes agree, so the one that went is dropped when it is met.
    store.commit({}, [ops.HashDelete(state, ("aside",)), ops.HashSet(state, {"beside": b"1"})])
    assert keys_of(walk()) == names[1:]
    assert keys_of(walk()) == ["beside", *names[1:]]


def test_a_text_is_looked_for_in_keys_and_values_some_at_a_time(names: list[str]):
    pages = walk(search="TAPE-022")
    assert keys_of(pages) == names[2200:]
    assert [page.found for page in pages] == [None, None]
    assert keys_of(walk(search='"n":17}')) == [names[17]]
    assert keys_of(walk(search="nowhere")) == []


def test_a_page_does_not_read_the_whole(names: list[str], store: Store):
    walk()
    asked: list[ops.Request] = []
    perform = store.perform

    def watch(request: ops.Request) -> object:
        asked.append(request)
        return perform(request)

    store.perform = watch  # type: ignore[method-assign]
    try:
        run(page_entries(NAMESPACE, after=names[500], limit=50))
    finally:
        store.perform = perform  # type: ignore[method-assign]
    refs = [ref for request in asked if isinstance(request, ops.Read) for ref in request.refs]
    assert not any(isinstance(ref, ops.WholeHash) for ref in refs)
    assert len(refs) < 120


def test_small_namespaces_keep_their_human_order(store: Store):
    for n in (10, 9, 1):
        run(namespaced.put("small", f"take {n}", n))
    page = run(page_entries("small"))
    assert [entry.key for entry in page.entries] == ["take 1", "take 9", "take 10"]
    assert entry_pages.SMALL < MANY

"""The state browser: namespaces, entries, the editor, and what becomes of what was typed."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from orchard.models import AuditEntry
from orchard.services import engine
from statecore.services import editing, namespaced, run
from statecore.store import ops
from statecore.store.redis import RedisStore

HOSTILE = "<script>alert(1)</script>"
YES = {"confirmed": "1"}


def entry_at(namespace: str, key: str) -> str:
    return f"/ui/state/{namespace}/entry?{urlencode({'key': key})}"


def put(namespace: str, key: str, value: object) -> str:
    """Set an entry; its address."""
    run(namespaced.put(namespace, key, value))
    return entry_at(namespace, key)


def raw_of(namespace: str, key: str) -> str | None:
    found = run(namespaced.get(namespace, key))
    return found.raw.decode() if found else None


def mark_of(namespace: str, key: str) -> str:
    return editing.mark_of(run(namespaced.get(namespace, key)))


def notices(answer) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


PAGES = ["/ui/state/", "/ui/state/config/", "/ui/state/config/entry?key=mode",
         "/ui/state/config/download?key=mode"]  # fmt: skip
ACTIONS = [
    ("/ui/state/config/entry?key=mode", {"value": "1"}),
    ("/ui/state/config/delete?key=mode", YES),
    ("/ui/state/reset-migration", YES),
]


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_led_to_the_sign_in_page(path, store, db, client: Client):
    put("config", "mode", "fast")
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login?next=")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_whoever_is_signed_in_may_look(path, language, reader: Client, operator: Client):
    put("config", "mode", "fast")
    for client in (reader, operator):
        assert client.get(path, headers={"accept-language": language}).status_code == 200


@pytest.mark.parametrize(("path", "form"), ACTIONS)
def test_only_operators_change_anything(path, form, db, reader: Client):
    put("config", "mode", "fast")
    put("config", "statusManagerMigrated", True)
    form = form | {"mark": mark_of("config", "mode")}
    assert reader.post(path, form).status_code == 403
    assert Client().post(path, form)["Location"].startswith("/login")
    assert raw_of("config", "mode") == '"fast"'
    assert raw_of("config", "statusManagerMigrated") == "true"
    assert not AuditEntry.objects.exists()


def test_readers_are_shown_no_editor_and_no_buttons(reader: Client):
    page = reader.get(put("config", "mode", "fast")).content.decode()
    assert "data-editor" not in page
    assert "delete" not in page.lower()


def test_default_namespaces_are_there_before_their_first_entry(reader: Client):
    page = reader.get("/ui/state/").content.decode()
    for name in ("issues", "comments", "tasks", "processes", "agents", "config"):
        assert f'href="/ui/state/{name}/"' in page


def test_entries_are_counted_searched_and_come_page_by_page(reader: Client):
    for number in range(1, 121):
        put("tasks", f"task {number}", {"title": "会議" if number == 77 else "x"})
    assert "120 entries" in reader.get("/ui/state/tasks/").content.decode()
    answer, keys = reader.get("/ui/state/tasks/"), []
    while True:
        keys += [row.entry.key for row in answer.context["rows"]]
        if not answer.context["next_url"]:
            break
        answer = reader.get("/ui/state/tasks/" + answer.context["next_url"])
    assert keys == [f"task {number}" for number in range(1, 121)]
    found = reader.get("/ui/state/tasks/?q=会議")
    assert [row.entry.key for row in found.context["rows"]] == ["task 77"]
    assert reader.get("/ui/state/tasks/?q=TASK 9").context["found"].found == 11


def test_what_can_be_no_name_is_said_so(reader: Client):
    answer = reader.get("/ui/state/a:b/")
    assert answer.status_code == 404
    assert "must not contain" in answer.content.decode()


def test_an_entry_that_is_not_there_is_missing_for_readers_and_made_by_operators(
    reader: Client, operator: Client
):
    assert reader.get(entry_at("new", "first")).status_code == 404
    asked = operator.get("/ui/state/new?namespace=new&key=first")
    assert asked["Location"] == entry_at("new", "first")
    assert "Make this entry" in operator.get(asked["Location"]).content.decode()
    saved = operator.post(entry_at("new", "first"), {"value": '{"a": 1}', "mark": ""})
    assert saved.status_code == 302
    assert raw_of("new", "first") == '{"a":1}'
    assert 'href="/ui/state/new/"' in operator.get("/ui/state/").content.decode()


def test_a_change_is_saved_and_written_down_with_before_and_after(operator: Client):
    at = put("config", "limit", 3)
    answer = operator.post(
        at, {"value": "12345678901234567890", "mark": mark_of("config", "limit")}
    )
    assert notices(answer) == ["Saved."]
    assert raw_of("config", "limit") == "12345678901234567890"
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.subject) == ("ann", "state.set", "config/limit")
    assert entry.facts["before"]["value"] == "3"
    assert entry.facts["after"]["value"] == "12345678901234567890"


def test_what_somebody_else_has_changed_is_not_overwritten_and_both_are_shown(operator: Client):
    at = put("config", "mode", "fast")
    mark = mark_of("config", "mode")
    put("config", "mode", "theirs")
    answer = operator.post(at, {"value": '"mine"', "mark": mark})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody else has changed this entry" in page
    assert answer.context["typed"] == '"mine"'
    assert "theirs" in page
    assert raw_of("config", "mode") == '"theirs"'
    assert not AuditEntry.objects.exists()
    assert operator.post(at, {"value": '"mine"', "mark": answer.context["mark"]}).status_code == 302
    assert raw_of("config", "mode") == '"mine"'


def test_a_change_by_a_program_that_counts_no_versions_is_noticed(operator: Client, store):
    at = put("config", "mode", "fast")
    mark = mark_of("config", "mode")
    store.commit({}, (ops.HashSet("poppo:state:config", {"mode": b'"foreign"'}),))
    assert operator.post(at, {"value": '"mine"', "mark": mark}).status_code == 409
    assert raw_of("config", "mode") == '"foreign"'


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ('{"a": 1,}', "line 1, column 9"),
        ('{\n  "a": 1\n  "会議": 2\n}', "line 3, column 3"),
        ("", "line 1, column 1"),
        ("[1, 2", "line 1, column 6"),
        ("{'a': 1}", "line 1, column 2"),
    ],
)
def test_what_does_not_parse_is_told_with_its_place_and_kept(typed, place, operator: Client):
    at = put("config", "mode", "fast")
    answer = operator.post(at, {"value": typed, "mark": mark_of("config", "mode")})
    assert answer.status_code == 400
    assert f"Not JSON: {place}" in answer.content.decode()
    assert answer.context["typed"] == typed
    assert answer.context["mark"] == mark_of("config", "mode")
    assert raw_of("config", "mode") == '"fast"'


@pytest.mark.parametrize("typed", ['{"a": 1, "a": 2}', "NaN", "[" * 101 + "]" * 101])
def test_what_parses_but_cannot_be_kept_is_refused_and_kept_in_the_editor(typed, operator: Client):
    at = put("config", "mode", "fast")
    answer = operator.post(at, {"value": typed, "mark": mark_of("config", "mode")})
    assert (answer.status_code, answer.context["typed"]) == (400, typed)
    assert raw_of("config", "mode") == '"fast"'


def test_a_record_that_is_no_issue_is_refused(operator: Client):
    answer = operator.post(entry_at("issues", "7"), {"value": '{"status": "lost"}', "mark": ""})
    assert answer.status_code == 400
    assert raw_of("issues", "7") is None


def test_an_entry_is_deleted_after_it_was_confirmed_and_only_as_it_was_seen(operator: Client):
    put("config", "mode", "fast")
    path = f"/ui/state/config/delete?key=mode&mark={mark_of('config', 'mode')}"
    assert "Are you sure?" in operator.post(path).content.decode()
    put("config", "mode", "other")
    refused = operator.post(path, YES)
    assert "Somebody else has changed" in notices(refused)[0]
    assert raw_of("config", "mode") == '"other"'
    path = f"/ui/state/config/delete?key=mode&mark={mark_of('config', 'mode')}"
    operator.post(path, YES)
    assert raw_of("config", "mode") is None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.facts["after"]) == ("state.delete", None)
    assert entry.facts["before"]["value"] == '"other"'


def test_the_mark_of_the_migration_has_a_note_and_is_reset(operator: Client, reader: Client):
    at = put("config", "statusManagerMigrated", {"files": {}})
    assert "Take over again" in operator.get(at).content.decode()
    page = reader.get(at).content.decode()
    assert "were taken over" in page
    assert "Take over again" not in page
    operator.post("/ui/state/reset-migration", YES)
    assert raw_of("config", "statusManagerMigrated") is None
    assert AuditEntry.objects.get().action == "state.reset_migration"
    again = operator.post("/ui/state/reset-migration", YES)
    assert notices(again)[-1] == "Somebody else has reset it already."
    assert AuditEntry.objects.count() == 1


def test_the_history_tells_how_an_entry_has_changed(reader: Client):
    put("config", "other", 0)
    put("config", "mode", {"speed": "slow"})
    at = put("config", "mode", {"speed": "fast"})
    run(namespaced.delete("config", "mode"))
    put("config", "mode", {"speed": "new"})
    history = reader.get(at).context["revisions"]
    assert [one.state for one in history] == ["created", "deleted", "changed", "created"]
    signs = [(line.sign, line.text.strip()) for line in history[2].lines if line.sign in "+-"]
    assert ("-", '"speed": "slow"') in signs
    assert ("+", '"speed": "fast"') in signs


def test_hostile_names_and_values_are_shown_as_text(reader: Client):
    at = put(f"a {HOSTILE[1:8]}", HOSTILE, {HOSTILE: [HOSTILE]})
    for path in (at, at + "&as=text", at.partition("entry")[0], "/ui/events/"):
        page = reader.get(path).content.decode()
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page


def test_a_value_of_five_megabytes_is_shown_in_part_and_can_be_downloaded(operator: Client, store):
    raw = json.dumps({"lines": ["x" * 1000] * 5000}).encode()
    store.commit({}, (ops.HashSet("poppo:state:config", {"huge": raw}),))
    answer = operator.get(entry_at("config", "huge"))
    assert len(answer.content) < 60_000
    page = answer.content.decode()
    assert "Only the beginning is shown" in page
    assert "too large for an editor" in page
    file = operator.get("/ui/state/config/download?key=huge")
    assert file.content == raw
    assert file["Content-Disposition"] == 'attachment; filename="value.json"'
    assert len(operator.get("/ui/state/config/").content) < 20_000


def test_what_is_no_json_is_shown_as_it_is_stored(reader: Client, store):
    store.commit({}, (ops.HashSet("poppo:state:config", {"odd": b"<b>not json \xff"}),))
    page = reader.get(entry_at("config", "odd")).content.decode()
    assert "&lt;b&gt;not json" in page
    assert "not JSON" in page
    assert reader.get("/ui/state/config/").status_code == 200


@pytest.fixture
def away(store):
    """An engine that nobody answers for."""
    gone = RedisStore("redis://127.0.0.1:1/0")
    before = engine.use(gone)
    yield
    engine.use(before)
    gone.close()


@pytest.mark.parametrize("path", PAGES)
def test_pages_say_that_the_engine_is_away(path, reader: Client, away):
    answer = reader.get(path)
    assert answer.status_code == 503
    assert "state engine is away" in answer.content.decode()


def test_what_was_typed_is_kept_when_the_engine_is_away(operator: Client, away):
    answer = operator.post(entry_at("config", "mode"), {"value": '"mine"', "mark": "1.a"})
    page = answer.content.decode()
    assert answer.status_code == 503
    assert (answer.context["typed"], answer.context["mark"]) == ('"mine"', "1.a")
    assert "nothing was changed" in page

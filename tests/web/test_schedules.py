"""The page of schedules: what it shows, its form, its buttons, and what they leave behind."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from orchard.domain.schedules import Schedule
from orchard.models import AuditEntry
from orchard.ports import recordings, schedule_files
from orchard.services import engine, occurrences, run, schedules
from orchard.web.cron_words import tell_cron
from statecore.store.redis import RedisStore
from tests.schedules.works import jobs, make, make_due, see
from tests.web.test_pages import text_of

PLACE = "/ui/schedules/"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def olga(store, db) -> Client:
    """An operator who is no administrator."""
    user = User.objects.create_user("olga")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    client = Client()
    client.force_login(user)
    return client


def send(client: Client, content: bytes = b"one\ntwo", **fields: Any):
    upload = SimpleUploadedFile("a.txt", content)
    given = {"name": "mornings", "cron": "30 6 * * MON-FRI", "time_zone": "Asia/Tokyo"}
    given |= {"type": "text", "file": upload, "next": PLACE} | fields
    return client.post(
        f"{PLACE}add", {k: v for k, v in given.items() if v is not None}, follow=True
    )


def press(client: Client, schedule: Schedule, button: str, **fields: str):
    return client.post(
        f"{PLACE}{schedule.schedule_id}/{button}", {"next": PLACE} | fields, follow=True
    )


def only() -> Schedule:
    (found,) = run(schedules.list_all())
    return found


def done() -> list[tuple[str, str, str]]:
    return [(one.who, one.action, one.subject) for one in AuditEntry.objects.order_by("pk")]


def test_without_one_the_page_says_what_a_schedule_is(reader: Client):
    page = text_of(reader.get(PLACE))
    assert "There is no schedule" in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
    assert 'data-topic="schedules"' in page
    assert "data-refresh" in page


def test_a_schedule_is_shown_with_its_times_and_what_came_of_it(reader: Client):
    schedule = make(cron="30 6 * * MON-FRI", time_zone="Asia/Tokyo", name="mornings")
    page = text_of(reader.get(PLACE))
    for told in ("mornings", "a.txt", "ann", "Monday to Friday at 6:30", "30 6 * * MON-FRI",
                 "Asia/Tokyo", "not yet", 'data-status="online"'):  # fmt: skip
        assert told in page, told
    make_due(schedule)
    occurrences.hand_in_due()
    (job,) = jobs()
    assert f'href="/ui/jobs/{job.job_id}/"' in text_of(reader.get(PLACE))


def test_the_seconds_of_what_is_near_are_counted_and_the_days_of_what_is_far(reader: Client):
    near = make(cron="* * * * *")
    assert near.next_at
    assert f'data-until="{near.next_at.isoformat()}"' in text_of(reader.get(PLACE))
    schedules.remove(near.schedule_id)
    make(cron="0 0 1 1 *")
    page = text_of(reader.get(PLACE))
    assert "data-until" not in page
    assert " days</small>" in page


def test_what_could_not_be_handed_in_says_why(reader: Client):
    schedule = make()
    schedule_files.delete(schedule.schedule_id, schedule.source)
    make_due(schedule)
    occurrences.hand_in_due()
    page = text_of(reader.get(PLACE))
    assert "last time failed" in page
    assert "its file is not in storage any more" in page
    japanese = text_of(reader.get(PLACE, headers={"accept-language": "ja"}))
    assert "前回失敗" in japanese
    assert "ファイルが保管場所にもうありません" in japanese


def test_whoever_may_only_look_gets_no_buttons(reader: Client):
    schedule = make()
    assert f"{PLACE}{schedule.schedule_id}" not in text_of(reader.get(PLACE))
    assert press(reader, schedule, "pause").status_code == 403
    assert send(reader).status_code == 403
    assert see(schedule) == schedule


def test_an_operator_makes_one_with_all_that_can_be_asked_for(olga: Client):
    answer = send(
        olga, priority="high", requires="gpu, site=tokyo", language="en", hot_words="Norland",
        prompt="Quietly.", purifier="false",
    )  # fmt: skip
    made = only()
    assert "The schedule was made." in text_of(answer)
    assert (made.name, made.owner, made.time_zone) == ("mornings", "olga", "Asia/Tokyo")
    assert (made.order.job_type, made.order.priority) == ("text", 8)
    assert made.order.requires == ("gpu", "site=tokyo")
    assert (made.language, made.use_purifier) == ("en", False)
    assert made.wishes
    assert (made.wishes.prompt, made.wishes.hot_words) == ("Quietly.", ("Norland",))
    assert made.wishes.words is False
    assert recordings.read(made.source) == b"one\ntwo"
    assert done() == [("olga", "schedule.create", made.schedule_id)]


def test_nothing_in_particular_is_wished_unless_it_is_asked_for(olga: Client, settings):
    send(olga, time_zone="", words="true")
    made = only()
    assert (made.wishes, made.use_purifier) == (None, None)
    assert made.time_zone == settings.TIME_ZONE


@pytest.mark.parametrize(
    ("fields", "reason", "japanese"),
    [
        ({"cron": "61 * * * *"}, "“61 * * * *” is no time", "「61 * * * *」は時刻として使えません"),
        ({"time_zone": "Mars"}, "“Mars” is no time zone", "「Mars」はタイムゾーンではありません"),
        ({"name": " "}, "A name has 1 to 100", "名前は表示できる文字で1〜100文字です"),
        ({"requires": "no label!"}, "is no label", "作成できませんでした"),
        ({"content": b""}, "the file is empty", "ファイルが空です"),
        ({"file": None}, "Choose a file first", "先にファイルを選んでください"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_comes_back(olga, fields, reason, japanese):
    page = text_of(send(olga, **{"name": "kept"} | fields))
    assert reason in page
    assert 'schedule-new" open' in page
    if "name" not in fields:
        assert 'value="kept"' in page
    assert 'value="kept"' not in text_of(olga.get(PLACE))
    olga.cookies["django_language"] = "ja"
    assert japanese in text_of(send(olga, **fields))
    assert (run(schedules.list_all()), done()) == ([], [])


def test_it_is_paused_resumed_handed_in_and_deleted_by_any_operator(olga: Client):
    schedule = make()
    assert "The schedule is paused." in text_of(press(olga, schedule, "pause"))
    assert see(schedule).next_at is None
    page = text_of(olga.get(PLACE))
    assert 'data-status="paused"' in page
    assert f"{schedule.schedule_id}/resume" in page
    press(olga, schedule, "resume")
    assert see(schedule).next_at == schedule.next_at
    press(olga, schedule, "run")
    (job,) = jobs()
    assert job.owner == "ann"
    press(olga, schedule, "delete", confirmed="1")
    assert run(schedules.list_all()) == []
    actions = ("pause", "resume", "run", "delete")
    assert done() == [("olga", f"schedule.{one}", schedule.schedule_id) for one in actions]
    assert AuditEntry.objects.get(action="schedule.run").facts == {"job": job.job_id}


def test_before_one_is_deleted_it_is_asked_for(olga: Client):
    schedule = make()
    page = text_of(press(olga, schedule, "delete"))
    assert "Delete this schedule and its file?" in page
    assert see(schedule) == schedule
    assert done() == []


def test_one_that_is_gone_is_told_and_nothing_is_written_down(olga: Client):
    schedule = make()
    schedules.remove(schedule.schedule_id)
    for button in ("pause", "resume", "run", "delete"):
        answer = press(olga, schedule, button, confirmed="1")
        assert "There is no such schedule any more." in text_of(answer)
    assert done() == []


def test_names_and_files_of_others_are_shown_as_text(olga: Client):
    make(name=HOSTILE, filename="<b>.txt", owner="<i>ann")
    page = text_of(olga.get(PLACE))
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<i>ann" not in page
    send(olga, name='"><script>', cron="x")
    assert '"><script>' not in text_of(olga.get(PLACE))


def test_a_zone_that_this_machine_does_not_know_spoils_no_page(reader: Client):
    schedule = make()

    def lose(one: Schedule, at: object) -> Schedule:
        return msgspec.structs.replace(one, time_zone="Mars/Olympus")

    run(schedules.rewrite(schedule.schedule_id, lose))
    assert "Mars/Olympus" in text_of(reader.get(PLACE))


def test_the_page_says_when_the_engine_is_away(olga: Client):
    gone = RedisStore("redis://127.0.0.1:1/0")
    before = engine.use(gone)
    try:
        assert olga.get(PLACE).status_code == 503
        refused = olga.post(f"{PLACE}{'0' * 16}/pause", {"next": "/ui/me/"}, follow=True)
        assert "The state engine is away" in refused.content.decode()
    finally:
        engine.use(before)
        gone.close()
    assert done() == []


@pytest.mark.parametrize(
    ("cron", "words", "japanese"),
    [
        ("* * * * *", "every minute", "1分ごと"),
        ("*/15 * * * *", "every 15 minutes", "15分ごと"),
        ("*/7 * * * *", "", ""),
        ("5 * * * *", "every hour at minute 5", "毎時5分"),
        ("5 * * * MON", "", ""),
        ("30 6 * * *", "every day at 6:30", "毎日 6:30"),
        ("30 6 * * mon-fri", "Monday to Friday at 6:30", "月曜日から金曜日 6:30"),
        ("0 12 * * 7", "every Sunday at 12:00", "毎週日曜日 12:00"),
        ("0 12 * * TUE", "every Tuesday at 12:00", "毎週火曜日 12:00"),
        ("0 9 1 * *", "on day 1 of each month at 9:00", "毎月1日 9:00"),
        ("0 9 L * *", "on the last day of each month at 9:00", "毎月末日 9:00"),
        ("0 9 1 * FRI", "", ""),
        ("0 9 1 1 *", "", ""),
        ("0 9-17 * * *", "", ""),
        ("0 9 * * MON#1", "", ""),
        ("nonsense", "", ""),
    ],
)
def test_common_times_are_told_in_words_and_others_not_at_all(cron, words, japanese):
    with translation.override("en"):
        assert tell_cron(cron) == words
    with translation.override("ja"):
        assert tell_cron(cron) == japanese

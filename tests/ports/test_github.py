"""Label requests reach GitHub, and do no harm when they are sent again."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from statecore.ports.deliveries import DeliveryFailed, DeliveryRefused
from statecore.ports.github import GitHubDelivery
from tests.ports.github_like import REPOSITORY, TOKEN, GitHubLike, Issue, Scripted
from tests.ports.requests import make_request


def test_labels_are_added_and_removed(github: GitHubLike, delivery: GitHubDelivery) -> None:
    github.issues[7].labels = ["bug", "processing"]
    delivery.deliver(make_request(add=("completed",), remove=("processing",)))
    assert github.issues[7].labels == ["bug", "completed"]
    assert github.agents == {"orchard"}


def test_a_request_sent_twice_changes_labels_once(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    github.issues[7].labels = ["processing"]
    request = make_request(add=("error",), remove=("processing",))
    delivery.deliver(request)
    delivery.deliver(request)
    assert github.issues[7].labels == ["error"]


def test_a_label_that_is_absent_need_not_be_removed(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    delivery.deliver(make_request(remove=("processing",)))
    assert github.writes() == []
    delivery.deliver(make_request(add=("pending",), remove=("processing",)))
    assert github.issues[7].labels == ["pending"]


def test_labels_are_removed_whatever_their_case(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    github.issues[7].labels = ["Processing", "bug"]
    delivery.deliver(make_request(remove=("processing",)))
    assert github.issues[7].labels == ["bug"]


def test_a_label_to_add_is_not_removed_by_the_same_request(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    delivery.deliver(make_request(add=("error",), remove=("error",)))
    assert github.issues[7].labels == ["error"]


@pytest.mark.parametrize("name", ["a/b", "100%25", "why?", "c#", "処理中", "two words", "../.."])
def test_labels_of_any_characters_are_added_and_removed(
    github: GitHubLike, delivery: GitHubDelivery, name: str
) -> None:
    delivery.deliver(make_request(add=(name,)))
    assert github.issues[7].labels == [name]
    delivery.deliver(make_request("r2", add=("next",), remove=(name,)))
    assert github.issues[7].labels == ["next"]


def test_a_comment_is_posted_once(github: GitHubLike, delivery: GitHubDelivery) -> None:
    request = make_request(comment="The process died. 復旧しました。")
    delivery.deliver(request)
    delivery.deliver(request)
    [comment] = github.issues[7].comments
    assert comment["body"] == "The process died. 復旧しました。\n\n<!-- orchard:r1 -->"


def test_two_requests_may_say_the_same(github: GitHubLike, delivery: GitHubDelivery) -> None:
    delivery.deliver(make_request("r1", comment="It died."))
    delivery.deliver(make_request("r2", comment="It died."))
    assert len(github.issues[7].comments) == 2


def test_a_comment_whose_answer_was_lost_is_not_posted_again(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    request = make_request(comment="It died.")
    github.scripted = [Scripted(200, body="[]"), Scripted(502, after_doing=True)]
    with pytest.raises(DeliveryFailed):
        delivery.deliver(request)
    delivery.deliver(request)
    assert len(github.issues[7].comments) == 1


def test_a_comment_of_ours_is_found_on_a_later_page(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    for number in range(250):
        github.comment(7, f"talk {number}")
    github.comment(7, "It died.\n\n<!-- orchard:r1 -->")
    delivery.deliver(make_request(comment="It died."))
    assert len(github.issues[7].comments) == 251
    assert len(github.asked) == 3


def test_comments_much_older_than_the_request_are_not_read(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    for number in range(250):
        github.comment(7, f"talk {number}", at=datetime.now(UTC) - timedelta(days=2))
    delivery.deliver(make_request(comment="It died."))
    assert [method for method, _ in github.asked] == ["GET", "POST"]


def test_a_clock_some_minutes_ahead_posts_no_comment_twice(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    ahead = datetime.now(UTC) + timedelta(minutes=30)
    for _ in range(2):
        delivery.deliver(make_request(comment="It died.", requested_at=ahead))
    assert len(github.issues[7].comments) == 1


def test_a_comment_without_text_is_no_obstacle(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    github.issues[7].comments.append({"body": None, "updated_at": "2999-01-01T00:00:00Z"})
    delivery.deliver(make_request(comment="It died."))
    assert len(github.issues[7].comments) == 2


def test_comments_without_end_are_not_read_without_end(
    github: GitHubLike, delivery: GitHubDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statecore.ports.github.MAX_PAGES", 2)
    for number in range(250):
        github.comment(7, f"talk {number}")
    with pytest.raises(DeliveryFailed, match="too many comments"):
        delivery.deliver(make_request(comment="It died."))
    assert github.writes() == []


@pytest.mark.parametrize("absolute", [True, False])
def test_a_renamed_repository_is_followed(github: GitHubLike, absolute: bool) -> None:
    base = github.base_url if absolute else "/api/v3"
    github.moved["poppo/old"] = f"{base}/repos/{REPOSITORY}"
    github.issues[7].labels = ["processing"]
    delivery = GitHubDelivery("poppo/old", TOKEN, github.base_url)
    request = make_request(add=("error",), remove=("processing",), comment="It died.")
    delivery.deliver(request)
    delivery.deliver(request)
    assert github.issues[7].labels == ["error"]
    assert len(github.issues[7].comments) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_write_stays_a_write_on_every_redirect(
    github: GitHubLike, delivery: GitHubDelivery, status: int
) -> None:
    there = f"{github.base_url}/repos/{REPOSITORY}/issues/7/labels"
    github.scripted = [Scripted(status, {"Location": there})]
    delivery.deliver(make_request(add=("error",)))
    assert github.issues[7].labels == ["error"]


def test_redirects_in_a_circle_come_to_an_end(github: GitHubLike) -> None:
    github.moved["poppo/old"] = f"{github.base_url}/repos/poppo/old"
    with pytest.raises(DeliveryRefused, match="in a circle"):
        GitHubDelivery("poppo/old", TOKEN, github.base_url).deliver(make_request(add=("x",)))
    assert len(github.asked) == 4


def test_nothing_goes_to_another_server_that_we_are_sent_to(github: GitHubLike) -> None:
    with GitHubLike() as other:
        other.issues[7] = Issue()
        github.moved["poppo/old"] = f"{other.base_url}/repos/{REPOSITORY}"
        with pytest.raises(DeliveryRefused, match="another server"):
            GitHubDelivery("poppo/old", TOKEN, github.base_url).deliver(make_request(add=("x",)))
        assert other.asked == []


def test_one_connection_serves_a_whole_request(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    github.issues[7].labels = ["processing"]
    delivery.deliver(make_request(add=("error",), remove=("processing",), comment="It died."))
    assert len(github.asked) == 4
    assert github.connections == 1


def test_one_delivery_serves_many_threads(github: GitHubLike, delivery: GitHubDelivery) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            delivery.deliver(make_request(f"r{number}", add=(f"l{number}",), comment="hello"))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(github.issues[7].labels) == [f"l{number}" for number in range(8)]
    assert len(github.issues[7].comments) == 8


@pytest.mark.parametrize("repository", ["", "builder", "a/b/c", "a b/c", "../..?", "poppo/x/../y"])
def test_a_repository_that_is_no_name_of_one_is_refused(repository: str) -> None:
    with pytest.raises(ValueError, match="owner/name"):
        GitHubDelivery(repository, TOKEN)


@pytest.mark.parametrize("base", ["", "api.github.com", "ftp://x", "https://", "https://u:p@x"])
def test_an_address_that_cannot_be_github_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="address of GitHub") as caught:
        GitHubDelivery(REPOSITORY, TOKEN, base)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize("token", ["", " \n", "ghp_a\nb", "ghp_a b", "ghp_日本"])
def test_a_token_that_cannot_be_one_is_refused_unseen(token: str) -> None:
    with pytest.raises(ValueError, match="token") as caught:
        GitHubDelivery(REPOSITORY, token)
    assert "ghp_" not in str(caught.value)


def test_a_token_file_may_end_in_a_new_line(github: GitHubLike) -> None:
    GitHubDelivery(REPOSITORY, f"{TOKEN}\n", github.base_url).deliver(make_request(add=("x",)))
    assert github.issues[7].labels == ["x"]


def test_the_library_is_loaded_when_a_delivery_is_made_and_not_before() -> None:
    script = (
        "import sys, statecore.ports.github as port\n"
        "assert not {'githubkit', 'httpx', 'pydantic'} & set(sys.modules)\n"
        "port.GitHubDelivery('a/b', 'token')\n"
        "assert 'githubkit' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

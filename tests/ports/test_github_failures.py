"""What GitHub's refusals and failures mean for a label request; no secret is in what is said."""

from __future__ import annotations

import logging
import socket
import time
import traceback
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from statecore.ports.deliveries import DeliveryFailed, DeliveryRefused
from statecore.ports.github import GitHubDelivery
from tests.ports.github_like import REPOSITORY, TOKEN, GitHubLike, Scripted, in_one_hour
from tests.ports.requests import make_request

LABELS = make_request(add=("error",), remove=("processing",))
COMMENT = make_request(comment="It died.")


def says(message: str) -> str:
    return f'{{"message": "{message}"}}'


@pytest.mark.parametrize("fields", [{"add": ("x",)}, {"remove": ("x",)}, {"comment": "hello"}])
def test_an_issue_that_is_not_there_is_refused(
    github: GitHubLike, delivery: GitHubDelivery, fields: dict[str, object]
) -> None:
    with pytest.raises(DeliveryRefused, match="404: Not Found"):
        delivery.deliver(make_request(issue=99, **fields))


@pytest.mark.parametrize("fields", [{"add": ("x",)}, {"remove": ("x",)}, {"comment": "hello"}])
def test_an_issue_that_was_deleted_is_refused(
    github: GitHubLike, delivery: GitHubDelivery, fields: dict[str, object]
) -> None:
    github.issues[7].deleted = True
    with pytest.raises(DeliveryRefused, match="410: This issue was deleted"):
        delivery.deliver(make_request(**fields))


def test_a_label_that_github_does_not_take_is_refused_with_its_reason(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    with pytest.raises(DeliveryRefused, match=r"422: Validation Failed; name is too long"):
        delivery.deliver(make_request(add=("x" * 51,)))


def test_a_comment_that_is_too_long_is_refused(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    with pytest.raises(DeliveryRefused, match="422"):
        delivery.deliver(make_request(comment="x" * 70_000))
    assert github.issues[7].comments == []


def test_a_wrong_token_is_refused(github: GitHubLike) -> None:
    with pytest.raises(DeliveryRefused, match="401: Bad credentials"):
        GitHubDelivery(REPOSITORY, "ghp_old", github.base_url).deliver(LABELS)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 415, 422, 451])
@pytest.mark.parametrize("request_", [LABELS, COMMENT], ids=["labels", "comment"])
def test_a_no_is_final(
    github: GitHubLike, delivery: GitHubDelivery, status: int, request_: object
) -> None:
    github.scripted = [Scripted(status, body=says("Resource not accessible"))]
    with pytest.raises(DeliveryRefused, match=f"{status}: Resource not accessible"):
        delivery.deliver(request_)
    assert len(github.asked) == 1


def test_the_primary_rate_limit_rests_until_it_ends(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    headers = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0"}
    headers["x-ratelimit-reset"] = in_one_hour()
    for status in (403, 429):
        github.scripted = [Scripted(status, headers, says("API rate limit exceeded for user"))]
        with pytest.raises(DeliveryFailed, match="rate limit") as caught:
            delivery.deliver(LABELS)
        assert caught.value.retry_after_s == pytest.approx(3600, abs=5)


def test_a_rate_limit_that_is_over_does_not_rest(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000000000"}
    github.scripted = [Scripted(403, headers, says("API rate limit exceeded"))]
    with pytest.raises(DeliveryFailed) as caught:
        delivery.deliver(LABELS)
    assert caught.value.retry_after_s == 0


@pytest.mark.parametrize("status", [403, 429])
def test_the_secondary_rate_limit_rests_as_long_as_github_asks(
    github: GitHubLike, delivery: GitHubDelivery, status: int
) -> None:
    body = says("You have exceeded a secondary rate limit.")
    github.scripted = [Scripted(status, {"Retry-After": "37"}, body)]
    with pytest.raises(DeliveryFailed) as caught:
        delivery.deliver(COMMENT)
    assert caught.value.retry_after_s == 37


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, says("You have exceeded a secondary rate limit. Please wait a few minutes.")),
        (403, says("You have triggered an abuse detection mechanism.")),
        (403, says("API rate limit exceeded for 127.0.0.1.")),
        (429, "<html>Too many requests</html>"),
    ],
)
def test_a_rate_limit_without_headers_rests_a_minute(
    github: GitHubLike, delivery: GitHubDelivery, status: int, body: str
) -> None:
    github.scripted = [Scripted(status, body=body)]
    with pytest.raises(DeliveryFailed) as caught:
        delivery.deliver(COMMENT)
    assert caught.value.retry_after_s == 60


def test_no_header_puts_a_request_to_sleep_for_ever(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    for asked in ("999999999999", "9" * 30, "9" * 400):
        github.scripted = [Scripted(429, {"Retry-After": asked})]
        with pytest.raises(DeliveryFailed) as caught:
            delivery.deliver(LABELS)
        assert 0 < caught.value.retry_after_s <= 6 * 3600


@pytest.mark.parametrize(
    "asked",
    ["soon", "-5", "1.5", "²", pytest.param(format_datetime(datetime.now(UTC)), id="this moment")],
)
@pytest.mark.parametrize("status", [403, 429, 503])
def test_odd_headers_are_no_reason_to_give_up(
    github: GitHubLike, delivery: GitHubDelivery, status: int, asked: str
) -> None:
    github.scripted = [Scripted(status, {"Retry-After": asked}, says("rate limit"))]
    with pytest.raises(DeliveryFailed):
        delivery.deliver(LABELS)


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 504])
@pytest.mark.parametrize("request_", [LABELS, COMMENT], ids=["labels", "comment"])
def test_a_broken_server_is_tried_again_later_and_only_then(
    github: GitHubLike, delivery: GitHubDelivery, status: int, request_: object
) -> None:
    github.scripted = [Scripted(status, body="<html>Unicorn!</html>")]
    with pytest.raises(DeliveryFailed, match=str(status)) as caught:
        delivery.deliver(request_)
    assert caught.value.retry_after_s is None
    assert len(github.asked) == 1
    delivery.deliver(request_)


def test_a_server_in_maintenance_says_when_it_is_back(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    github.scripted = [Scripted(503, {"Retry-After": "120"})]
    with pytest.raises(DeliveryFailed) as caught:
        delivery.deliver(LABELS)
    assert caught.value.retry_after_s == 120


def test_half_a_delivery_is_finished_the_next_time(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    github.issues[7].labels = ["processing"]
    github.scripted = [Scripted(500, after_doing=True)]
    with pytest.raises(DeliveryFailed):
        delivery.deliver(LABELS)
    assert github.issues[7].labels == ["processing", "error"]
    delivery.deliver(LABELS)
    assert github.issues[7].labels == ["error"]


@pytest.mark.parametrize("body", ["<html>Log in to the guest network</html>", "", "{}", "[1]"])
def test_what_is_not_githubs_answer_is_no_success(
    github: GitHubLike, delivery: GitHubDelivery, body: str
) -> None:
    github.scripted = [Scripted(200, body=body)]
    with pytest.raises(DeliveryFailed, match="answer is not"):
        delivery.deliver(COMMENT)
    assert github.writes() == []


def test_a_silent_server_is_left_after_the_time_out(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    github.silent = True
    began = time.monotonic()
    with pytest.raises(DeliveryFailed, match=r"did not answer within 0.5 s"):
        delivery.deliver(LABELS)
    assert 0.4 < time.monotonic() - began < 5


def test_a_server_that_is_away_is_tried_again_later() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(DeliveryFailed, match=r"cannot be reached.*refused"):
            GitHubDelivery(REPOSITORY, TOKEN, address).deliver(LABELS)


def test_a_server_that_hangs_up_is_tried_again_later(
    github: GitHubLike, delivery: GitHubDelivery
) -> None:
    github.silent = True
    github.gate.set()
    with pytest.raises(DeliveryFailed, match="cannot be reached"):
        delivery.deliver(LABELS)


@pytest.mark.parametrize("status", [401, 403, 422, 429, 500, 503])
def test_the_token_is_in_no_error_even_when_the_server_says_it(
    github: GitHubLike, delivery: GitHubDelivery, status: int
) -> None:
    github.scripted = [Scripted(status, body=says(f"Bad token {TOKEN}"))]
    with pytest.raises((DeliveryFailed, DeliveryRefused)) as caught:
        delivery.deliver(LABELS)
    shown = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in shown + repr(caught.value)
    assert caught.value.__context__ is None
    assert f"{status}: Bad token [token]" in str(caught.value)


def test_the_token_is_in_no_log_and_no_repr(
    github: GitHubLike, delivery: GitHubDelivery, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    delivery.deliver(LABELS)
    delivery.deliver(COMMENT)
    github.scripted = [Scripted(500)]
    with pytest.raises(DeliveryFailed):
        delivery.deliver(LABELS)
    logged = [f"{record.getMessage()} {record.args!r}" for record in caplog.records]
    assert any("send_request_headers" in line for line in logged)
    assert TOKEN not in "".join(logged)
    assert repr(delivery) == f"GitHubDelivery('{REPOSITORY}', base_url='{github.base_url}')"
    assert TOKEN not in repr(vars(delivery))

"""The handlers of Python's logging: in batches, never in the way, whatever becomes of the store."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchard.agents.log_sending import LogSender
from orchard.logbook import batching
from orchard.logbook.batching import BatchingHandler, LinesRefused
from orchard.logbook.contract import Search
from orchard.logbook.handler import LogbookHandler, process_of
from orchard.logbook.lines import Line
from tests.logbook.logbooks import Logbook

JOB = "0123456789abcdef"


@pytest.fixture
def logbook(sqlite_place: Path) -> Iterator[Logbook]:
    """An empty log database in a file."""
    made = Logbook(sqlite_place)
    yield made
    made.writer.close()


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger whose lines go nowhere else; handlers are closed at the end."""
    made = logging.Logger("orchard.test")
    yield made
    for handler in made.handlers:
        handler.close()


@pytest.fixture
def handler(logbook: Logbook, logger: logging.Logger) -> LogbookHandler:
    """A handler of a site's process."""
    made = LogbookHandler("web", logbook.place, 30, 10**9)
    logger.addHandler(made)
    return made


class Gate(BatchingHandler):
    """A handler whose way out can be shut."""

    def __init__(self) -> None:
        super().__init__("test")
        self.batches: list[list[Line]] = []
        self.opened = threading.Event()
        self.fault: Exception | None = None

    def send(self, lines: list[Line]) -> None:
        if self.fault:
            raise self.fault
        self.opened.wait()
        self.batches.append(lines)

    @property
    def messages(self) -> list[str]:
        return [line.message for batch in self.batches for line in batch]


@pytest.fixture
def gate(logger: logging.Logger) -> Iterator[Gate]:
    made = Gate()
    logger.addHandler(made)
    yield made
    made.fault = None
    made.opened.set()


def await_that(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_lines_are_in_the_database_when_the_handler_was_flushed(
    logbook: Logbook, logger: logging.Logger, handler: LogbookHandler
):
    logger.warning("chunk %s begins", f"{JOB}_chunk_3", extra={"worker": "w1", "room": "kitchen"})
    logger.error("issue #%d broke", 7, extra={"issue": 7})
    handler.flush()
    last, first = logbook.reader.find(Search(), 10).lines
    assert (first.message, first.level) == (f"chunk {JOB}_chunk_3 begins", 30)
    assert (first.process, first.logger) == ("web", "orchard.test")
    assert (first.job, first.worker, first.fields["room"]) == (JOB, "w1", "kitchen")
    assert (last.issue, last.job) == (7, "")
    assert first.fields["pid"] > 0


def test_a_traceback_comes_along(logbook: Logbook, logger: logging.Logger, handler: LogbookHandler):
    try:
        raise RuntimeError("broken pipe")
    except RuntimeError:
        logger.exception("went wrong")
    handler.flush()
    (found,) = logbook.reader.find(Search(words=("broken",)), 10).lines
    assert found.message == "went wrong"
    assert found.fields["traceback"].endswith("RuntimeError: broken pipe\n")


def test_what_cannot_be_said_does_not_break_the_program(
    logbook: Logbook, logger: logging.Logger, handler: LogbookHandler, capsys
):
    class Silent:
        def __str__(self) -> str:
            raise ValueError("no words")

    logger.warning("%s", Silent())
    logger.warning("%d", "x")
    logger.warning("odd", extra={"thing": object(), "many": {"a": {1, 2}}, "nan": float("nan")})
    logger.warning("large", extra={"number": 10**400, "issue": 10**30})
    logger.log(10**30, "loud")
    logger.warning("half a character \udc80")
    handler.flush()
    assert logbook.find() == ["half a character \\udc80", "loud", "large", "odd"]
    assert "no words" in capsys.readouterr().err


def test_secrets_do_not_leave_the_process(logger: logging.Logger, gate: Gate):
    gate.opened.set()
    logger.warning("with %s", "Bearer abcdefghijklmnop", extra={"password": "hunter22"})
    gate.flush()
    (line,) = gate.batches[0]
    assert line.message == "with Bearer (hidden)"
    assert line.fields["password"] == "(hidden)"


def test_many_lines_go_in_few_batches_in_their_order(logger: logging.Logger, gate: Gate):
    gate.opened.set()
    for i in range(2000):
        logger.info("line %d", i)
    gate.flush()
    assert gate.messages == [f"line {i}" for i in range(2000)]
    assert len(gate.batches) <= 20


def test_long_lines_make_small_batches(logger: logging.Logger, gate: Gate):
    gate.opened.set()
    for _ in range(100):
        logger.info("x" * 20_000)
    gate.flush()
    assert len(gate.messages) == 100
    assert all(sum(len(line.message) for line in one) < 300_000 for one in gate.batches)


def test_a_store_that_hangs_holds_nobody_up_and_the_loss_is_told(
    logger: logging.Logger, gate: Gate, monkeypatch
):
    monkeypatch.setattr(batching, "QUEUE_MAX", 100)
    monkeypatch.setattr(batching, "GATHER_S", 0)
    logger.info("first")
    await_that(lambda: gate._is_busy)
    start = time.monotonic()
    for i in range(1000):
        logger.info("line %d", i)
    assert time.monotonic() - start < 20
    gate.opened.set()
    gate.flush()
    told = [one for one in gate.messages if "dropped" in one]
    assert told == ["900 log lines were dropped: too many were waiting"]
    kept = [one for one in gate.messages if one.startswith("line")]
    assert kept == [f"line {i}" for i in range(900, 1000)]


def test_lines_wait_until_the_store_is_back(
    logbook: Logbook, logger: logging.Logger, handler: LogbookHandler, monkeypatch, caplog
):
    monkeypatch.setattr(batching, "REST_S", (0.05,))
    logbook.place.mkdir()
    logger.info("while away")
    await_that(lambda: "cannot be handed on" in caplog.text)
    logbook.place.rmdir()
    await_that(lambda: logbook.place.is_file() and logbook.find() == ["while away"])
    assert caplog.text.count("cannot be handed on") == 1


def test_refused_lines_are_counted_and_not_sent_again(logger: logging.Logger, gate: Gate, caplog):
    gate.opened.set()
    gate.fault = LinesRefused("no thanks")
    logger.info("first")
    await_that(lambda: gate._dropped == 1)
    gate.fault = None
    logger.info("second")
    gate.flush()
    assert gate.messages == ["second", "1 log lines were dropped: too many were waiting"]
    assert "no thanks" in caplog.text


def test_closing_does_not_wait_long_for_a_store_that_is_gone(
    logbook: Logbook, logger: logging.Logger, handler: LogbookHandler, monkeypatch
):
    monkeypatch.setattr(batching, "CLOSE_S", 0.3)
    logbook.place.mkdir()
    logger.info("lost")
    start = time.monotonic()
    handler.close()
    assert time.monotonic() - start < 2
    thread = handler._thread
    assert thread is not None
    thread.join(30)
    assert not thread.is_alive()


def test_what_sending_says_about_itself_is_not_sent(logger: logging.Logger):
    class Chatty(Gate):
        def send(self, lines: list[Line]) -> None:
            logger.info("sending")
            super().send(lines)

    chatty = Chatty()
    chatty.opened.set()
    logger.addHandler(chatty)
    logger.info("hello")
    chatty.flush()
    assert chatty.messages == ["hello"]


def test_an_agent_goes_on_when_nobody_answers(logger: logging.Logger, monkeypatch, caplog):
    monkeypatch.setattr(batching, "CLOSE_S", 0.3)
    sender = LogSender("http://127.0.0.1:1", "t", "w1")
    logger.addHandler(sender)
    logger.info("anybody there?")
    await_that(lambda: "cannot be handed on" in caplog.text)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(["manage.py", "serve", "--port", "1"], "web"), (["manage.py", "pipeline"], "pipeline"),
     (["manage.py", "migrate"], ""), (["pytest"], ""), ([], "")],
)  # fmt: skip
def test_only_long_running_commands_write_a_logbook(arguments, name):
    assert process_of(arguments) == name

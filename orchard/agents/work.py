"""What an agent does all day: join, claim, listen, report, and leave when asked."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from orchard.agents.backoff import Backoff
from orchard.agents.leases import LeaseLost, Signs
from orchard.agents.master import Master, MasterAway, Refused, Work
from orchard.agents.processors import Processor
from orchard.stopping import StopEvent
from orchard.tracing import get_spans
from orchard.transcribers.base import (
    NOTHING_SPECIAL,
    Transcriber,
    TranscriberFailed,
    Transcription,
    without_words,
)
from orchard.transcribers.late import NotLoaded

log = logging.getLogger("orchard.agent")

T = TypeVar("T")

CLAIM_WAIT_S = 20.0
"""How long a claim waits for a chunk, in seconds."""


class Stopped(Exception):
    """The agent was asked to stop."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent works."""

    capabilities: dict[str, Any]
    processors: dict[str, Processor] = {}
    """What it can do besides transcribing, by type of job."""
    labels: tuple[str, ...] = ()
    grace_s: float = 30.0
    """How long the chunk at hand may still take after the agent was asked to stop."""
    once: bool = False
    """Leave after one chunk."""


class Agent:
    """One worker of a master's fleet: one chunk at a time."""

    def __init__(self, master: Master, transcriber: Transcriber | None, plan: Plan) -> None:
        self._master = master
        self._transcriber = transcriber
        self._plan = plan
        self._stopping = StopEvent()
        self._backoff = Backoff()
        self._claiming = False

    def stop(self) -> None:
        """Stop after the chunk at hand; from a signal handler, a waiting claim ends at once.

        Raises:
            Stopped: the agent was waiting for work.
        """
        self._stopping.set()
        if self._claiming:
            raise Stopped

    def work(self) -> None:
        """Work until asked to stop, however often the master goes away meanwhile.

        Raises:
            NotLoaded: the transcriber could not be loaded; the chunk at hand was handed back.
        """
        with suppress(Stopped):
            signs = Signs(self._master, self._patiently(self._join))
            try:
                self._serve(signs)
            finally:
                signs.close()
        if self._stopping.is_set():
            log.info("stopping")
        self._leave()

    def _serve(self, signs: Signs) -> None:
        while not self._stopping.is_set():
            waiting = self._patiently(self._claim)
            while waiting:
                waiting += self._do(waiting.pop(0), signs)
                if self._plan.once:
                    return

    def _join(self) -> float:
        types = (*(["audio"] if self._transcriber else []), *self._plan.processors)
        every_s = self._master.register(self._plan.capabilities, types, self._plan.labels)
        log.info("registered as %s", self._master.name)
        return every_s

    def _claim(self) -> list[Work]:
        self._claiming = True
        try:
            return self._master.claim(CLAIM_WAIT_S)
        except Refused as refusal:
            if refusal.code == "unknown_worker":
                self._join()
            elif refusal.status == 409:  # draining or paused by hand
                self._rest(2.0)
            else:
                raise
            return []
        finally:
            self._claiming = False

    def _do(self, work: Work, signs: Signs) -> list[Work]:
        """Do one chunk; whatever becomes of it, the agent goes on, with the next one if any."""
        signs.hold(work)
        log.info("chunk %s begins", work.chunk_id)
        try:
            return self._report(work, *self._listen(work, signs))
        except LeaseLost:
            log.info("chunk %s is with somebody else now", work.chunk_id)
        except Stopped:
            self._try(lambda: self._master.fail(work, "worker shutting down", handback=True))
            raise
        except NotLoaded as fault:
            reason = str(fault)
            self._try(lambda: self._master.fail(work, reason, handback=True))
            raise
        except Refused as refusal:
            quietly = refusal.code == "stale_token"
            log.log(
                logging.INFO if quietly else logging.WARNING, "chunk %s: %s", work.chunk_id, refusal
            )
        except TranscriberFailed as fault:
            self._give_up(work, str(fault))
        except Exception as fault:  # a fault of our own must not cost the agent
            log.exception("chunk %s broke the agent's stride", work.chunk_id)
            self._give_up(work, f"{type(fault).__name__}: {fault}")
        finally:
            signs.hold(None)
        return []

    def _give_up(self, work: Work, reason: str) -> None:
        log.warning("chunk %s failed: %s", work.chunk_id, reason)
        self._try(lambda: self._patiently(lambda: self._master.fail(work, reason)))

    def _listen(self, work: Work, signs: Signs) -> tuple[Transcription, int]:
        with tempfile.TemporaryDirectory(prefix="orchard-agent-") as folder:
            wav = Path(folder) / "chunk.wav"
            self._patiently(lambda: self._master.fetch(work, wav))
            start = time.monotonic()
            job = _InThread(lambda: self._process(work, wav, signs))
            with self._traced(work):
                result = job.wait(self._stopping, self._plan.grace_s)
            return result, round((time.monotonic() - start) * 1000)

    def _traced(self, work: Work) -> AbstractContextManager[object]:
        """A span around what is done to a chunk, when master and agent both have traces."""
        if (spans := get_spans()) is None or not work.traceparent:
            return nullcontext()
        name = "transcribe" if work.job_type == "audio" else "process"
        facts = {"orchard.chunk.id": work.chunk_id, "orchard.worker.id": self._master.name}
        return spans.open(name, facts, parent=work.traceparent, kind="consumer")

    def _process(self, work: Work, payload: Path, signs: Signs) -> Transcription:
        if work.job_type == "audio":
            return self._transcribe(work, payload, signs)
        if work.job_type not in self._plan.processors:
            raise TranscriberFailed(f"this agent does not do {work.job_type}")
        text = self._plan.processors[work.job_type](payload, work.facts, signs.progress)
        if not isinstance(text, str):
            raise TranscriberFailed(f"the processor gave {type(text).__name__}, not text")
        return Transcription(text=text, segments=(), language="", model="")

    def _transcribe(self, work: Work, wav: Path, signs: Signs) -> Transcription:
        if self._transcriber is None:
            raise TranscriberFailed("this agent does not transcribe")
        # A transcriber that knows of no wishes is not told that there are none.
        wishes = work.wishes
        if work.again and work.again.settings == "careful":
            wishes = msgspec.structs.replace(wishes, careful=True)
        more = {} if wishes == NOTHING_SPECIAL else {"wishes": wishes}
        heard = self._transcriber.transcribe(wav, work.language or "", signs.progress, **more)
        return heard if work.wishes.words else without_words(heard)

    def _report(self, work: Work, result: Transcription, time_ms: int) -> list[Work]:
        """Hand in a result, and get the next chunk unless the agent is to leave.

        The result is kept until the master answers, whose token decides.
        """
        handed = self._patiently(
            lambda: self._master.exchange(work, result, time_ms, wanted=self._wanted())
        )
        if handed.refusal and handed.refusal.code == "stale_token":
            log.info("chunk %s was done by somebody else: %s", work.chunk_id, handed.refusal)
        elif handed.refusal:
            log.warning("chunk %s: %s", work.chunk_id, handed.refusal)
        else:
            log.info("chunk %s done in %d ms", work.chunk_id, time_ms)
        return handed.chunks

    def _wanted(self) -> int:
        return 0 if self._plan.once or self._stopping.is_set() else 1

    def _patiently(self, do: Callable[[], T]) -> T:
        """Do something that needs the master, again and again until it answers."""
        while True:
            try:
                done = do()
                self._backoff.reset()
                return done
            except MasterAway as away:
                rest_s = self._backoff.next_s(away.retry_after_s)
                log.warning("the master is away (%s); trying again in %.1f s", away, rest_s)
                self._rest(rest_s)

    def _rest(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopped

    def _leave(self) -> None:
        self._try(self._master.say_goodbye)
        self._master.close()

    def _try(self, do: Callable[[], object]) -> None:
        """Do something that is courteous but not needed: leases run out by themselves."""
        try:
            do()
        except (MasterAway, Refused, Stopped) as fault:
            log.info("left unsaid: %s", fault)


class _InThread:
    """A piece of work in a thread of its own, so that signals are heard meanwhile."""

    def __init__(self, do: Callable[[], Transcription]) -> None:
        self._result: Transcription | None = None
        self._fault: BaseException | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(do,), name="listening", daemon=True)
        self._thread.start()

    def wait(self, stopping: threading.Event, grace_s: float) -> Transcription:
        """The result; once ``stopping`` is set it has ``grace_s`` left.

        Raises:
            Stopped: it was not done in time.
        """
        while not self._done.wait(0.2):
            if stopping.is_set() and not self._done.wait(grace_s):
                raise Stopped
        if self._fault is not None:
            raise self._fault
        if self._result is None:
            raise TranscriberFailed("the transcriber gave no result")
        return self._result

    def _run(self, do: Callable[[], Transcription]) -> None:
        try:
            self._result = do()
        except (LeaseLost, TranscriberFailed) as fault:
            self._fault = fault
        except Exception as fault:
            log.exception("the transcriber broke")
            self._fault = TranscriberFailed(f"{type(fault).__name__}: {fault}")
        finally:
            self._done.set()

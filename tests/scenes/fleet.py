"""The fleet's part of the scene: recordings come in, workers do them, some things go wrong."""

from __future__ import annotations

import random
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from orchard.domain.chunks import chunk_id
from orchard.domain.errors import OrchardError
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import JobStatus
from orchard.domain.timeline import ChunkResult, Line, Span
from orchard.ports import recordings
from orchard.services import claims, cleanup, fleet, pipeline, reports, run, samples, submissions
from orchard.services.claims import Claimed
from orchard.services.stages import do_stage
from tests.scenes.words import FAULTS, NAMES, PHRASES

STEP_S = 5


class Time(Protocol):
    """What the scene needs of a clock: one that is moved, or the wall's."""

    def advance(self, seconds: float) -> None:
        """Let so much time go by."""

    def monotonic(self) -> float:
        """Seconds since 1970."""


OWNERS = ("mika", "ann", "kenji", "token:nas-upload")
HERO = "Sense and Sensibility, chapter 1.wav"
"""The recording whose sound is really there."""


@dataclass
class Phone:
    """A worker of the scene: how fast it is, and what it has at hand."""

    name: str
    speed: float
    faulty: float = 0.0
    silent_from_s: float = float("inf")
    held: list[tuple[Claimed, float]] = field(default_factory=list)
    beat_s: float = 0.0


def make_phones() -> list[Phone]:
    """Twenty workers, from a cellar server to an old phone with a broken battery."""
    fast = [Phone("nas-cellar", 9.4), Phone("studio-pc", 7.8), Phone("mac-mini", 6.9)]
    phones = [Phone(f"pixel-{n}", 1.1 + 0.17 * n) for n in range(3, 12)]
    tablets = [Phone("ipad-kitchen", 2.6), Phone("tablet-ima", 1.9), Phone("galaxy-s9", 1.2)]
    odd = [
        Phone("old-thinkpad", 1.6, faulty=0.35), Phone("pi-attic", 0.7),
        Phone("nexus-5", 0.5, silent_from_s=4_060), Phone("shosai-pc", 5.2), Phone("loaner-2", 2.2),
    ]  # fmt: skip
    return fast + phones + tablets + odd


class FleetScene:
    """Seventy minutes of a fleet at work, driven through the services."""

    def __init__(self, clock: Time, seed: int, sound: Path) -> None:
        self._clock, self._sound = clock, sound
        self._dice = random.Random(seed)
        self._phones = make_phones()
        self._cursor = ""
        self._passed_s = 0.0

    def play(self, minutes: int, jobs: int) -> None:
        """Let the minutes go by; ``jobs`` recordings come in on the way."""
        for phone in self._phones:
            run(fleet.register(name=phone.name, metadata=self._facts(phone)))
        steps = minutes * 60 // STEP_S
        arrivals = sorted(self._arrival(steps) for _ in range(jobs))
        for step in range(steps):
            while arrivals and arrivals[0] <= step:
                arrivals.pop(0)
                self._submit(is_hero=len(arrivals) == 2)
            self._pass(STEP_S, is_sampled=step % 2 == 0)
        self._direct()

    def go_on(self, clock: Time, is_over: Callable[[], bool]) -> None:
        """Work on by another clock, with a new recording now and then."""
        self._clock = clock
        step = 0
        while not is_over():
            if step % 9 == 0:
                self._submit(is_hero=False)
            self._pass(1, is_sampled=step % 10 == 0)
            step += 1

    def _arrival(self, steps: int) -> int:
        """More and more as the afternoon goes on."""
        return round(steps * self._dice.triangular(0, 1, 0.8))

    def _pass(self, seconds: float, *, is_sampled: bool) -> None:
        self._clock.advance(seconds)
        self._passed_s += seconds
        for _ in range(12):
            self._do_stage()
        for phone in self._phones:
            if self._passed_s < phone.silent_from_s:
                self._work(phone)
        run(cleanup.clear_once())
        if is_sampled:
            self._cursor = run(samples.take_sample(self._cursor))

    def _submit(self, *, is_hero: bool) -> None:
        name = HERO if is_hero else self._name()
        job_id = run(submissions.name_job("mika"))
        source = recordings.source_name(job_id, name)
        if is_hero:
            recordings.save_bytes(source, self._sound.read_bytes())
        size = self._sound.stat().st_size if is_hero else self._dice.randint(2, 180) * 1_048_576
        owner = "mika" if is_hero else self._dice.choice(OWNERS)
        run(submissions.create(
            name, source, size, owner=owner, use_purifier=self._dice.random() < 0.7, job_id=job_id,
        ))  # fmt: skip

    def _name(self) -> str:
        day, hour = self._dice.randint(1, 21), self._dice.randint(8, 19)
        return self._dice.choice(NAMES).format(
            day=f"2026-11-{day:02}", n=self._dice.randint(2, 48), hour=f"{hour:02}"
        )

    def _do_stage(self) -> None:
        job = run(pipeline.claim_stage("pipeline@board"))
        if job is None:
            return
        try:
            self._finish_stage(job)
        except OrchardError:
            return

    def _finish_stage(self, job: Job) -> None:
        token = job.stage.token
        if job.status is JobStatus.PURIFYING:
            if self._dice.random() < 0.04:
                reason = self._dice.choice(FAULTS["sound"])
                run(pipeline.fail_stage(job.job_id, token, reason, retry=False))
            else:
                run(pipeline.finish_purifying(job.job_id, token, self._length_ms(job)))
        elif job.status is JobStatus.SPLITTING:
            if job.total_chunks:
                run(pipeline.resume_processing(job.job_id, token))
                return
            spans = self._spans(job)
            run(pipeline.finish_splitting(job.job_id, token, spans, spans[-1].end_ms))
        elif job.status is JobStatus.AGGREGATING:
            do_stage(job, threading.Event())

    def _length_ms(self, job: Job) -> int:
        if job.filename == HERO:
            with wave.open(str(self._sound)) as sound:
                return sound.getnframes() * 1000 // sound.getframerate()
        return self._dice.choice((95, 180, 240, 330, 420, 600, 1_500)) * 1000

    def _spans(self, job: Job) -> list[Span]:
        length_ms = job.duration_ms or self._length_ms(job)
        spans, start_ms = [], 0
        most = (8_000, 12_000) if job.filename == HERO else (32_000, 58_000)
        while start_ms < length_ms:
            end_ms = min(length_ms, start_ms + self._dice.randint(*most))
            spans.append(Span(start_ms=start_ms, end_ms=end_ms))
            start_ms = end_ms
        return spans

    def _work(self, phone: Phone) -> None:
        now_s = self._clock.monotonic()
        for held in [one for one in phone.held if one[1] <= now_s]:
            phone.held.remove(held)
            self._report(phone, held[0])
        if not phone.held:
            try:
                claimed = run(claims.claim(phone.name, 1))
            except OrchardError:
                claimed = []
            for one in claimed:
                pace = phone.speed * self._dice.uniform(0.85, 1.15)
                phone.held.append((one, now_s + one.chunk.duration_ms / 1000 / pace))
        if now_s - phone.beat_s >= 10:
            phone.beat_s = now_s
            self._beat(phone, now_s)

    def _beat(self, phone: Phone, now_s: float) -> None:
        leases = []
        for one, due_s in phone.held:
            name = chunk_id(one.job.job_id, one.chunk.index)
            leases.append((name, one.chunk.token))
            took_s = one.chunk.duration_ms / 1000 / phone.speed
            share = min(0.95, max(0.05, 1 - (due_s - now_s) / max(took_s, 1)))
            try:
                run(reports.progress(name, phone.name, one.chunk.token, share))
            except OrchardError:
                continue
        run(fleet.heartbeat(phone.name, leases))

    def _report(self, phone: Phone, one: Claimed) -> None:
        name = chunk_id(one.job.job_id, one.chunk.index)
        try:
            if self._dice.random() < phone.faulty:
                error = self._dice.choice(FAULTS["chunk"])
                run(reports.fail(name, phone.name, one.chunk.token, error))
            else:
                run(reports.complete(name, phone.name, one.chunk.token, self._result(phone, one)))
        except OrchardError:
            return

    def _result(self, phone: Phone, one: Claimed) -> ChunkResult:
        lines, at_ms = [], 300
        read = iter(self._read_aloud(one))
        while at_ms < one.chunk.duration_ms - 800:
            text = next(read, "") or self._dice.choice(PHRASES)
            end_ms = min(one.chunk.duration_ms, at_ms + 1_500 + 55 * len(text))
            lines.append(Line(start_ms=at_ms, end_ms=end_ms, text=text))
            at_ms = end_ms + self._dice.randint(200, 900)
        time_ms = round(one.chunk.duration_ms / phone.speed * self._dice.uniform(0.85, 1.15))
        text = " ".join(line.text for line in lines)
        return ChunkResult(text=text, time_ms=time_ms, segments=tuple(lines))

    def _read_aloud(self, one: Claimed) -> list[str]:
        """What the book says, for the recording that is of a book."""
        if one.job.filename != HERO:
            return []
        words = " ".join(path.read_text() for path in sorted(self._sound.parent.glob("*.txt")))
        spoken = [f"{part.strip()}," for part in words.split(",")]
        return spoken[one.chunk.index * 3 :][:3]

    def _direct(self) -> None:
        run(fleet.drain("galaxy-s9"))
        run(fleet.pause("pi-attic"))

    def _facts(self, phone: Phone) -> dict[str, str]:
        light = phone.speed < 1.3
        return {"transcriber": "pocketsphinx" if light else "faster_whisper", "model": "bundled"}

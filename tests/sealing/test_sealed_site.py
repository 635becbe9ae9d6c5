"""A whole site with a key ring: a job from its upload to its transcript, and the doctor's view."""

from __future__ import annotations

import io
import threading
import wave

import pytest
from django.core.files.base import ContentFile

from orchard.conf import Conf
from orchard.doctor.examining import examine
from orchard.domain.lifecycle import JobStatus
from orchard.domain.timeline import ChunkResult
from orchard.placement import LAYOUT
from orchard.sealed_keys import sealed_by
from orchard.services import edits, engine, pipeline, queries, reports, run, uploads
from orchard.services.stages import do_stage
from statecore.sealing import site
from statecore.sealing.key_ring import KeyRing, make_key
from statecore.sealing.site import Part, Sealing
from statecore.store.partitions import PartitionedStore
from statecore.store.redis import RedisStore
from statecore.store.sealing import SealedStore
from tests import recordings as speech
from tests.doctor import worlds
from tests.services.orchards import claim, name_of, worker

DEFAULT = Conf().sealed_parts
"""What is sealed unless the site says otherwise."""
SECRET = "the orange tree of grandmother"


@pytest.fixture(params=[DEFAULT, frozenset(Part)], ids=["default", "all"])
def store(own_engine_server, settings, tmp_path, request):
    """The site's store over a real engine."""
    settings.MEDIA_ROOT = tmp_path / "media"
    sealing = Sealing(KeyRing(make_key("k1")), request.param, sealed_by(request.param))
    was = site.configure(lambda: sealing)
    below = RedisStore(own_engine_server.url)
    store = PartitionedStore(SealedStore(below, sealing.ring, sealing.seals), 5, LAYOUT)
    before = engine.use(store)
    yield store
    engine.use(before)
    site.configure(was)
    store.close()


def _sound() -> bytes:
    below = io.BytesIO()
    with wave.open(below, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.RATE)
        file.writeframes(speech.build([0.5, 1.0]).samples.tobytes())
    return below.getvalue()


def _work_until(job_id: str, status: JobStatus) -> None:
    while run(queries.get_job(job_id)).job.status is not status:
        job = run(pipeline.claim_stage("p1"))
        assert job, run(queries.get_job(job_id)).job
        do_stage(job, threading.Event())


def test_a_job_leaves_no_word_and_no_sound_in_plain(store, own_engine_server, tmp_path):
    upload = ContentFile(_sound(), name="talk.wav")
    job, _ = uploads.submit(upload, owner="ann", use_purifier=True)
    _work_until(job.job_id, JobStatus.PROCESSING)
    worker()
    for held in claim(count=10):
        result = ChunkResult(text=SECRET, time_ms=5, segments=())
        run(reports.complete(name_of(held), "w1", held.chunk.token, result))
    _work_until(job.job_id, JobStatus.COMPLETED)
    (line, *_) = run(queries.get_transcript(job.job_id)).transcript.segments
    assert SECRET in line.text
    run(edits.edit_line(job.job_id, line.start_ms, f"not {SECRET}", was=line.text, by="ann"))
    own_engine_server.client.save()
    folders = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".log"]
    raws = {path: path.read_bytes() for path in folders}
    assert any(b"results:" in raw for raw in raws.values())
    assert [path for path, raw in raws.items() if b"orange tree" in raw] == []
    stored = [raw for path, raw in raws.items() if "media" in path.parts]
    assert len(stored) == 2
    assert [raw for raw in stored if b"RIFF" in raw[:4] or b"data" in raw[:60]] == []


def test_the_doctor_finds_a_sealed_world_healthy(store):
    worlds.make()
    assert examine(store, pause_s=0).findings == []

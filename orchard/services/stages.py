"""The work of a pipeline process: purify, split and aggregate, each repeatable at any moment.

A stage writes its files first and commits last. A process that dies on the
way leaves nothing but files that its successor writes again.
"""

from __future__ import annotations

import logging
import threading

from orchard.domain.errors import StaleToken, StorageAway, UnknownJob
from orchard.domain.jobs import Job
from orchard.jobtypes.base import Unacceptable
from orchard.jobtypes.guarding import JobTypeFailed
from orchard.jobtypes.registry import UnknownJobType
from orchard.ports import audio, recordings
from orchard.services import audio_stages, piece_stages, pipeline, traces
from orchard.services.engine import EngineAway, run
from orchard.services.stage_leases import LeaseKeeper, StageLost, Stopping

log = logging.getLogger("orchard.pipeline")


def do_stage(job: Job, stopping: threading.Event) -> None:
    """Do the stage that a job is in, and commit its outcome.

    Sound that cannot be read ends the job with the decoder's reason; any other
    fault is tried again after a rest. A stage cut off by ``stopping`` is handed back.
    """
    job_id, token = job.job_id, job.stage.token
    try:
        with recordings.room(), LeaseKeeper(job, stopping) as keeper, traces.stage(job):
            work = audio_stages.WORK if job.is_audio else piece_stages.WORK
            work[job.status](job, keeper)
    except (StageLost, StaleToken, UnknownJob):
        log.info("job %s: %s went to somebody else", job_id, job.status)
    except Stopping:
        run(pipeline.hand_back(job_id, token))
    except EngineAway:
        raise
    except StorageAway:  # no fault of the recording: it is tried again as often as need be
        run(pipeline.hand_back(job_id, token))
        raise
    except (audio.UnreadableAudio, Unacceptable) as fault:
        run(pipeline.fail_stage(job_id, token, str(fault), retry=False))
    except (JobTypeFailed, UnknownJobType) as fault:
        run(pipeline.fail_stage(job_id, token, str(fault), retry=True))
    except Exception as fault:
        log.exception("job %s: %s went wrong", job_id, job.status)
        reason = f"{job.status} went wrong: {type(fault).__name__}: {fault}"
        run(pipeline.fail_stage(job_id, token, reason, retry=True))

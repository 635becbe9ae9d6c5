"""Celery: acknowledged after the work, many tasks fetched ahead, results in the same engine."""
# Celery is installed in an environment of its own only.
# mypy: ignore-errors

import sys

import one_job
from celery import Celery

app = Celery("celery_work", broker=one_job.URL, backend=one_job.URL)
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=64,
    broker_transport_options={"visibility_timeout": 3600},
    broker_connection_retry_on_startup=True,
)
do = app.task(one_job.do, name="do")

if __name__ == "__main__":
    with app.producer_pool.acquire() as producer:
        for _ in range(int(sys.argv[1])):
            do.apply_async((one_job.PAYLOAD,), producer=producer)

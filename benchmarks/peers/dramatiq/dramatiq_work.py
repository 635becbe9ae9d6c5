"""Dramatiq: its Redis broker, which acknowledges after the work, and results kept."""
# Dramatiq is installed in an environment of its own only.
# mypy: ignore-errors

import sys

import dramatiq
import one_job
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

broker = RedisBroker(url=one_job.URL)
backend = RedisBackend(url=one_job.URL, use_namespace_prefix_keys=True)
broker.add_middleware(Results(backend=backend))
dramatiq.set_broker(broker)
do = dramatiq.actor(one_job.do, store_results=True)

if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        do.send(one_job.PAYLOAD)

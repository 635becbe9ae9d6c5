"""RQ: jobs with their results kept, put into its default queue in one pipeline."""
# RQ is installed in an environment of its own only.
# mypy: ignore-errors

import sys

import one_job
from redis import Redis
from rq import Queue

if __name__ == "__main__":
    job = Queue.prepare_data("one_job.do", (one_job.PAYLOAD,), result_ttl=3600)
    jobs = [job._replace(job_id=f"job-{n}") for n in range(int(sys.argv[1]))]
    Queue(connection=Redis.from_url(one_job.URL)).enqueue_many(jobs)

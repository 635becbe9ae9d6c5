"""taskiq: its broker on streams, which acknowledges after the work, and results kept."""
# taskiq is installed in an environment of its own only.
# mypy: ignore-errors

import asyncio
import sys

import one_job
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

results = RedisAsyncResultBackend(one_job.URL, prefix_str="result")
broker = RedisStreamBroker(one_job.URL).with_result_backend(results)


@broker.task(task_name="do")
async def do(payload: str) -> str:
    return one_job.do(payload)


async def fill(count: int) -> None:
    """Put the jobs in; the group of readers must be there before, it begins at the end."""
    await broker.startup()
    for _ in range(count):
        await do.kiq(one_job.PAYLOAD)
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[1])))

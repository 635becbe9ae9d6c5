"""Other job queues doing the same work on the same engine: ``python -m benchmarks.peers``."""

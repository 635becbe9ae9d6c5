"""Types of jobs: how work is cut into pieces for the fleet, and put together again."""

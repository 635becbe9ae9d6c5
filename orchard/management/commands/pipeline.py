"""``manage.py pipeline``: cleans, cuts and joins recordings until it is stopped."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand

from orchard import tracing
from orchard.catalogue import process as catalogue
from orchard.conf import get_conf
from orchard.management.opening import open_engine
from orchard.services import pipeline_process
from orchard.stopping import stop_on_signals
from orchard.webhooks import process as webhooks


class Command(BaseCommand):
    """Run one pipeline process; any number may run, on any number of machines."""

    help = "Run a pipeline process: it cleans, cuts and joins recordings."
    # They would load the whole site, which this process has no use for.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGTERM or Ctrl-C; a stage at hand is handed back then."""
        open_engine()  # a wrong setting ends this process here, and not one of its threads
        stopping = stop_on_signals()
        conf, holder = get_conf(), pipeline_process.new_holder()
        beside = [catalogue.start(stopping, holder), webhooks.start(stopping, holder)]
        at_once = pipeline_process.jobs_at_once(conf.pipeline_memory_mb, os.cpu_count() or 1)
        with tracing.running("pipeline", conf.traces):
            pipeline_process.work(stopping, holder=holder, at_once=at_once)
        for thread in beside:
            thread.join()

"""Django's entry for the orchard side."""

import sys

from django.apps import AppConfig, apps


class OrchardConfig(AppConfig):
    """Recordings, jobs, chunks and workers; also the site."""

    name = "orchard"
    verbose_name = "Orchard"

    def ready(self) -> None:
        """Register the checks, and give the state side this site's engine, limits and keys."""
        from orchard import checks  # noqa: F401 - importing registers them
        from orchard.sealing_settings import site_sealing
        from orchard.services import get_engine
        from orchard.state_settings import state_limits
        from statecore.sealing import site
        from statecore.services import engine

        engine.configure(get_engine, state_limits)
        site.configure(site_sealing)
        if sys.argv[1:2] != ["key_ring"]:  # which mends a ring that is refused
            site_sealing()
        if apps.is_installed("axes"):  # processes in the background let nobody in
            from orchard import witness  # noqa: F401 - importing connects it

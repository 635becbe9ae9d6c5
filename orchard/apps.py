"""Django's entry for the orchard side."""

from django.apps import AppConfig


class OrchardConfig(AppConfig):
    """Recordings, jobs, chunks and workers; also the site."""

    name = "orchard"
    verbose_name = "Orchard"

    def ready(self) -> None:
        """Register the checks."""
        from orchard import checks  # noqa: F401 - importing registers them

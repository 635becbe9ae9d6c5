"""REST framework as an app of ours: it stands first, and what nobody needs stays away."""

from __future__ import annotations

from rest_framework.apps import RestFrameworkConfig

from orchard.spared import spared


class SparingRestConfig(RestFrameworkConfig):  # type: ignore[misc]
    """REST framework, and the admin's look, without what they look for and we do not use.

    Both would load PostgreSQL's driver for kinds of fields that we have none of.
    """

    def ready(self) -> None:
        """Load the modules that look, before the admin's templates ask for them."""
        with spared("psycopg", "psycopg2", "requests", "pygments"):
            import rest_framework.compat  # noqa: F401
            import unfold.overrides  # noqa: F401
        super().ready()

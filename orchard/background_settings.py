"""The site's settings for processes that serve no pages: a third less memory without their apps."""

from orchard.settings import *  # noqa: F403

INSTALLED_APPS = [
    "django.contrib.contenttypes", "django.contrib.auth", "statecore", "orchard",
    "orchard.catalogue", "orchard.webhooks",
]  # fmt: skip

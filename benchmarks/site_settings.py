"""The settings of a web process that is measured: those of the site, and one bare view more."""

from orchard.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.site_urls"

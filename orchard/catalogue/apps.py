"""Django's entry for the catalogue."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """What jobs are found by. Nothing here is the truth: all of it can be read anew."""

    name = "orchard.catalogue"
    label = "catalogue"
    verbose_name = "Catalogue of jobs"

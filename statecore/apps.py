"""Django's entry for the state side."""

from django.apps import AppConfig


class StatecoreConfig(AppConfig):
    """Issues, namespaced state, and the store below both sides."""

    name = "statecore"
    verbose_name = "State"

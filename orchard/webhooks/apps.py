"""Django's entry for webhooks."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Who is told of what, and what became of it."""

    name = "orchard.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"

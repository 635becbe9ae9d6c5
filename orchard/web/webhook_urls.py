"""Addresses of the pages of webhooks."""

from __future__ import annotations

from django.urls import URLPattern, path

from orchard.web import webhook_actions as actions
from orchard.web import webhooks

_ONE = "ui/webhooks/<str:uid>"

urlpatterns: list[URLPattern] = [
    path("ui/webhooks/", webhooks.webhooks, name="webhooks-page"),
    path("ui/webhooks/add", actions.add, name="webhook-add"),
    path(f"{_ONE}/", webhooks.webhook, name="webhook-page"),
    path(f"{_ONE}/change", actions.change, name="webhook-change"),
    path(f"{_ONE}/enable", actions.enable, name="webhook-enable"),
    path(f"{_ONE}/disable", actions.disable, name="webhook-disable"),
    path(f"{_ONE}/rotate", actions.rotate, name="webhook-rotate"),
    path(f"{_ONE}/delete", actions.delete, name="webhook-delete"),
    path(f"{_ONE}/test", actions.send_test, name="webhook-test"),
    path(f"{_ONE}/replay", actions.replay_failed, name="webhook-replay-failed"),
    path(f"{_ONE}/deliveries/<int:pk>/replay", actions.replay, name="webhook-replay"),
]

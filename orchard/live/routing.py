"""Addresses of the live sockets."""

from __future__ import annotations

from django.urls import path

from orchard.live.consumers import LiveConsumer

websocket_urlpatterns = [path("ws/live/", LiveConsumer.as_asgi())]

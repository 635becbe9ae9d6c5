"""The ASGI application: pages and REST over HTTP, live updates over WebSockets."""

import os
import tempfile

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchard.settings")
http = get_asgi_application()

# Django has to be set up before anything that touches its models is imported.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from orchard.api.body_streams import Streams  # noqa: E402
from orchard.api.intake import UPLOADS, Intake  # noqa: E402
from orchard.live.draining import Draining  # noqa: E402
from orchard.live.routing import websocket_urlpatterns  # noqa: E402
from orchard.live.straight import Straight  # noqa: E402
from orchard.metrics.traffic import CountedSockets  # noqa: E402
from orchard.tracing.requests import traced  # noqa: E402

# Django spools bodies here: on the storage's own disk, not where the system may keep it in memory.
tempfile.tempdir = str(settings.FILE_UPLOAD_TEMP_DIR)

application = ProtocolTypeRouter(
    {
        "http": Draining(traced(Intake(Streams(http)), UPLOADS)),
        "websocket": AllowedHostsOriginValidator(
            CountedSockets(Straight(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))))
        ),
    }
)

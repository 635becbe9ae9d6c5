"""The site's settings for tests: whatever this machine is set to, its data is not touched."""

import atexit
import os
import shutil
import tempfile

for _name in [*os.environ]:
    if _name.startswith("ORCHARD_") or _name in ("PORT", "DATABASE_URL"):
        del os.environ[_name]
_data = tempfile.mkdtemp(prefix="orchard-tests-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["ORCHARD_DATA"] = _data
os.environ["ORCHARD_STORE"] = "memory://"
# The nodes that tests start are on this machine.
os.environ["ORCHARD_NODE_NETWORKS"] = "127.0.0.0/8,10.0.0.0/8"
os.environ["ORCHARD_CONFIG"] = f"{_data}/config.json"
with open(os.environ["ORCHARD_CONFIG"], "w") as _file:
    _file.write("{}")
# Processes that tests start are ordinary ones, with data and engine of their own.
os.environ["DJANGO_SETTINGS_MODULE"] = "orchard.settings"

from orchard.settings import *  # noqa: E402, F403

# A test's password needs no protection.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# In a file as in the running site: SQLite in memory lets threads collide that would wait there.
DATABASES["default"]["TEST"] = {"NAME": f"{_data}/test.sqlite3"}  # noqa: F405
if _url := os.environ.get("TEST_DATABASE_URL"):
    DATABASES["default"] = dj_database_url.parse(_url)  # noqa: F405

"""What a data directory needs before anything runs: a database, somebody to be, a token."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import User
from django.core.management import call_command

from orchard.private_files import make_private_directory
from orchard.roles import Role, has_role
from orchard.tokens import SCOPES, ensure_token_file

ADMIN = "admin"


def prepare(data_dir: Path) -> User:
    """Bring the database up to date, and make sure of the administrator and the token file.

    The administrator has no password until one is set: the way in is a
    sign-in link, which only somebody at the machine gets.
    """
    make_private_directory(data_dir)
    call_command("migrate", interactive=False, verbosity=0)
    admin = User.objects.filter(username=ADMIN).first()
    if admin is None:
        admin = User.objects.create_superuser(ADMIN)
        admin.set_unusable_password()
        admin.save(update_fields=["password"])
    ensure_token_file(
        data_dir / "token", "token file", SCOPES, admin if has_role(admin, Role.ADMIN) else None
    )
    # The agents of this machine may do what agents do, and nothing else, whoever is admin.
    ensure_token_file(data_dir / "worker_token", "local agents", ["worker"], None)
    return admin

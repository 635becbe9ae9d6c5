#!/usr/bin/env python
"""Django's command line for Orchard."""

import os
import sys


def main() -> None:
    """Run one command; a setting that is wrong is told in one line."""
    kind = "background_settings" if sys.argv[1:2] in (["ambassador"], ["dispatch"]) else "settings"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"orchard.{kind}")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as fault:
        sys.exit(f"Configuration: {fault}")


if __name__ == "__main__":
    main()

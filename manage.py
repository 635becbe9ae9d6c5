#!/usr/bin/env python
"""Django's command line for Orchard."""

import os
import sys


def main() -> None:
    """Run one command; a setting that is wrong is told in one line."""
    in_background = sys.argv[1:2] and sys.argv[1] in ("ambassador", "dispatch", "pipeline")
    kind = "background_settings" if in_background else "settings"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"orchard.{kind}")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as fault:
        sys.exit(f"Configuration: {fault}")


if __name__ == "__main__":
    main()

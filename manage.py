#!/usr/bin/env python
"""Formwright's commands: plan, apply, explain, schema, demo, import, export, and Django's own."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from crm.management.ending import run_to_its_end

    try:
        run_to_its_end(lambda: execute_from_command_line(sys.argv))
    except ImproperlyConfigured as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()

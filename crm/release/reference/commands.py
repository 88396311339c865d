"""The commands, from their own descriptions of their arguments."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from django.conf import settings
from django.core.management import find_commands, load_command_class
from django.core.management.base import BaseCommand

from crm.release.reference.tables import row


def commands_part() -> Iterator[str]:
    yield from ["## Commands", "", "Called as `python manage.py NAME`; `--help` shows Django's general options too."]
    yield ""
    general = {action.dest for action in BaseCommand().create_parser("manage.py", "")._actions}
    for name in sorted(find_commands(str(settings.BASE_DIR / "crm" / "management"))):
        command = load_command_class("crm", name)
        actions = [action for action in command.create_parser("manage.py", name)._actions if action.dest not in general]
        yield from [f"### manage.py {name}", "", command.help, "", *_arguments(actions)]


def _arguments(actions: list[argparse.Action]) -> Iterator[str]:
    if not actions:
        return
    yield from ["| Argument | What it does |", "|---|---|"]
    for action in actions:
        value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
        name = " ".join([*action.option_strings[:1], value]).strip()
        choices = f"one of {', '.join(f'`{choice}`' for choice in action.choices)}" if action.choices else ""
        default = f"`{action.default}` if left out" if action.choices and action.default else ""
        text = action.help or ("" if choices else f"the {re.sub('[^a-z]', ' ', action.dest.lower()).strip()}")
        yield row(f"`{name}`", "; ".join(filter(None, (text, choices, default))))
    yield ""

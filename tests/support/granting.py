"""Other grants than the shipped ones, for the time of a test."""

from __future__ import annotations

from typing import Any

from crm.blueprint.access import _read_role
from crm.blueprint.sections import AccessSection
from tests.support.records import entity


def grant(monkeypatch: Any, role: str, /, **sections: dict[str, Any]) -> None:
    """Give a role other grants: entity → what would stand below the role in its `access`."""
    for name, section in sections.items():
        one = entity(name)
        monkeypatch.setitem(one.section.access, role, AccessSection.model_validate(section))
        monkeypatch.setitem(one.grants, role, {})
        problems = list(_read_role(one, role))
        assert not problems, [str(problem) for problem in problems]

"""Definitions written in a test, and what the blueprint says of them."""

from __future__ import annotations

import textwrap

import pytest

from crm.blueprint.compiler import compile_business
from crm.blueprint.nodes import Business
from crm.blueprint.problems import DefinitionError, Problem
from crm.blueprint.reader import read_text
from crm.wiring import LANGUAGE

APP = "name: Shop"


def business(label: str = "shop", /, **files: str) -> Business:
    """Compile a business of files by name, without their ending; `app` may be left out."""
    documents, problems = {}, []
    for name, text in {"app": APP, **files}.items():
        try:
            documents[f"{name}.yaml"] = read_text(textwrap.dedent(text).lstrip("\n"), f"{name}.yaml")
        except DefinitionError as error:
            problems += error.problems
    return compile_business(label, documents, LANGUAGE, problems)


def problems(**files: str) -> list[Problem]:
    """Return the problems of such a business; it must have some."""
    with pytest.raises(DefinitionError) as caught:
        business(**files)
    return caught.value.problems


def told(**files: str) -> list[str]:
    """Return the problems as `file:line:column: message (hint)`."""
    return [f"{one.place}: {one.message}" + (f" ({one.hint})" if one.hint else "") for one in problems(**files)]


def fields(text: str) -> str:
    """Return the one problem of an entity with these fields, without its place."""
    (problem,) = problems(thing=f"fields: {text}")
    return f"{problem.message} ({problem.hint})" if problem.hint else problem.message

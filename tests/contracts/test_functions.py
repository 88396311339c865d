"""The contract of a function of expressions: it is known to Python, to SQL, to the limit of nesting and to Hypothesis."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crm.blueprint.expressions.functions import FUNCTIONS
from crm.blueprint.expressions.nesting import WEIGHTS
from crm.expressions import compile_sql, evaluate

ROOT = Path(__file__).resolve().parents[2]
GENERATED = (ROOT / "tests/expressions/sources.py").read_text(encoding="utf-8")
MEASURED = (ROOT / "tests/expressions/test_depth.py").read_text(encoding="utf-8")


def tables_of(module) -> set[str]:
    """Return the names of all functions and operators that a compiler has in its tables."""
    return {name for table in vars(module).values() if isinstance(table, dict) for name in table if name in FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_a_meaning_in_python_and_in_sql(name):
    assert name in tables_of(evaluate), "crm/expressions/evaluate.py does not know it"
    assert name in tables_of(compile_sql), "crm/expressions/compile_sql.py does not know it"


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if function.takes])
def test_function_has_a_weight_that_is_measured(name):
    assert name in WEIGHTS, "crm/blueprint/expressions/nesting.py does not know how deep its SQL nests"
    assert re.search(rf"\b{name}\(", MEASURED), "tests/expressions/test_depth.py does not measure its weight"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_among_the_generated_expressions(name):
    assert re.search(rf"\b{name}\(", GENERATED), "tests/expressions/sources.py never makes an expression with it"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_in_the_reference(name):
    assert f"`{name}(" in (ROOT / "docs/reference.md").read_text(encoding="utf-8"), "run: manage.py reference"

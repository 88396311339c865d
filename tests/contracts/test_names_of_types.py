"""Nothing outside crm/fields asks which type a field is: it asks the type. Read from the code itself."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import crm
from crm.fields.base import FieldType
from crm.wiring import FIELD_TYPES

ROOT = Path(crm.__file__).parent
NAMES = {kind.name for kind in FIELD_TYPES}
OTHER_MEANINGS = {
    ("blueprint/expressions/nesting.py", "node.name"): "a function of expressions",
    ("blueprint/expressions/computing.py", "node.kind.name"): "a kind of value",
    ("builders/cells.py", "kind.input"): "a kind of input",
    ("capabilities/transfer/file_reader.py", "format"): "the format of a file",
    ("capabilities/transfer/resource.py", "format"): "the format of a file",
    ("capabilities/transfer/resource.py", "self.format"): "the format of a file",
    ("release/reference/tables.py", "alternatives"): "a word of the reference",
}
"""Comparisons with a word that happens to be a type's name, too: (file, what is compared) → what the word means there."""


def files() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("fields/") and name != "wiring.py":
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def words(node: ast.AST) -> set[str]:
    """Return the texts that an operand consists of: itself, or those in a list, tuple or set."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def compared(tree: ast.Module) -> Iterator[tuple[int, str, set[str]]]:
    """Yield every comparison with fixed texts: its line, what is compared, and the texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            texts = set().union(*map(words, sides))
            yield node.lineno, " ".join(ast.unparse(side) for side in sides if not words(side)), texts
        elif isinstance(node, ast.Match):
            patterns = [one.pattern for one in node.cases]
            values = [inner.value for one in patterns for inner in ast.walk(one) if isinstance(inner, ast.MatchValue)]
            yield node.lineno, ast.unparse(node.subject), set().union(set(), *map(words, values))


def test_no_comparison_with_the_name_of_a_type():
    found = {
        (name, what): f"crm/{name}:{line}: {what} is compared with {', '.join(sorted(texts & NAMES))}"
        for name, tree in files()
        for line, what, texts in compared(tree)
        if texts & NAMES
    }
    assert not [text for key, text in found.items() if key not in OTHER_MEANINGS]


def test_the_name_of_a_fields_type_is_never_compared():
    asked = [
        f"crm/{name}:{node.lineno}"
        for name, tree in files()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare | ast.Match | ast.Subscript) and ".type.name" in ast.unparse(_operands(node))
    ]
    assert not asked


def _operands(node: ast.AST) -> ast.AST:
    if isinstance(node, ast.Compare):
        return ast.Tuple([node.left, *node.comparators], ast.Load())
    return node.subject if isinstance(node, ast.Match) else node.slice


def test_no_single_type_is_imported_to_tell_fields_apart():
    imported = [
        (f"crm/{name}:{node.lineno}", node.module, one.name)
        for name, tree in files()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("crm.fields")
        for one in node.names
    ]
    assert len(imported) > 30
    for place, module, name in imported:
        assert not is_single_type(module, name), f"{place} imports the type {name}"
    assert is_single_type("crm.fields.numbers", "Money"), "it would be noticed"


def is_single_type(module: str, name: str) -> bool:
    found = getattr(importlib.import_module(module), name, None)
    return isinstance(found, type) and issubclass(found, FieldType) and found is not FieldType


def test_these_tests_would_notice():
    assert len(list(files())) > 80, "the code is there to be looked at"
    code = "if field.type.name == 'money': pass\nif kind in ('date', 'x'): pass\nmatch kind:\n  case 'link': pass"
    found = sorted((line, texts & NAMES) for line, _, texts in compared(ast.parse(code)))
    assert found == [(1, {"money"}), (2, {"date"}), (3, {"link"})]


def test_no_module_but_the_types_reads_a_default_as_it_is_written():
    """A type reads it (`type.default`): a choice by its label, a number out of text. A plan tells it as written."""
    modules = [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in ("fields", "release")]
    assert modules
    assert [str(path) for path in modules if "options.default" in path.read_text()] == []

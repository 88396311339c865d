"""Which names a definition may use: what Python, SQL, Django and the engine itself keep for themselves."""

from __future__ import annotations

import keyword
import re

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
MAX_NAME = 40

ENGINE = {
    "id", "pk", "created", "updated", "history", "objects", "definition", "change_reason", "delete_for_good",
    "keeps_deleted", "into_trash", "deleted_at", "deleted_in", "save_as",
}  # fmt: skip
DJANGO = {
    "check", "clean", "clean_fields", "date_error_message", "delete", "from_db", "full_clean", "get_constraints",
    "get_deferred_fields", "history_change_reason", "instance", "meta", "prepare_database_save", "refresh_from_db",
    "save", "save_base", "serializable_value", "unique_error_message", "validate_constraints", "validate_unique",
    "arefresh_from_db", "asave", "adelete", "instance_type", "tracked_fields", "next_record", "prev_record",
    "revert_url", "history_date", "history_id", "history_type", "history_user", "history_object", "history_change",
    "save_without_historical_record", "skip_history_when_saving", "action", "csrfmiddlewaretoken",
}  # fmt: skip
SQL = {
    "all", "and", "any", "as", "asc", "between", "by", "case", "column", "constraint", "create", "cross", "default",
    "desc", "distinct", "drop", "else", "end", "except", "exists", "foreign", "from", "full", "grant", "group",
    "having", "inner", "insert", "intersect", "into", "is", "join", "left", "like", "limit", "natural", "not", "null",
    "offset", "on", "or", "outer", "primary", "references", "right", "row", "rowid", "select", "set", "table", "then",
    "to", "union", "unique", "update", "using", "values", "when", "where",
}  # fmt: skip
ENTITY_ONLY = {"app", "user", "group", "permission", "model", "models", "migrations", "admin", "historical", "tag"}


def name_problem(name: object, kind: str) -> str:
    """Say why `name` cannot name a field, an entity or a role; an empty text where it can."""
    if not isinstance(name, str) or not NAME.match(name):
        return f"{name!r} is no name for {kind}: use small letters, digits and single '_', starting with a letter"
    if len(name) > MAX_NAME:
        return f"the name {name[:20]!r}… has {len(name)} letters; {kind} may have {MAX_NAME}"
    if keyword.iskeyword(name):
        return f"{name!r} is a word of Python: add another to it, as in '{name}_date' or 'is_{name}'"
    if name in SQL:
        return f"{name!r} is a word of SQL: add another to it, as in '{name}_date' or 'is_{name}'"
    if name in DJANGO:
        return f"{name!r} is a name that Django keeps for itself"
    if name in ENGINE or (kind != "a field" and name in ENTITY_ONLY):
        return f"{name!r} is a name that every record has already" if name in ENGINE else f"{name!r} is taken"
    if name.startswith(("get_next_by_", "get_previous_by_")):
        return f"{name!r} begins like a method of Django"
    if name.startswith("historical"):
        return f"{name!r} begins like the tables of the history"
    return ""


def humanize(name: str) -> str:
    """Return a name as a label: `due_on` becomes `Due on`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def in_sentence(label: str) -> str:
    """Return a label as it stands inside of a sentence: small, unless it has capitals of its own, as in `VAT rate`."""
    return label.lower() if label[1:].islower() else label


def plural(word: str) -> str:
    """Return what several are called: `payment` → `payments`, `entry` → `entries`, `Box` → `Boxes`."""
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"


def a_field(kind: str) -> str:
    """Return a type's name with its article: `an email field`, `a uuid field`."""
    return f"{'an' if kind[:1] in 'aeio' else 'a'} {kind} field"


def camel(name: str) -> str:
    """Return an entity's name as that of its class: `invoice_line` becomes `InvoiceLine`."""
    return "".join(part.capitalize() for part in name.split("_"))

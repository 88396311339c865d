"""The comparison form of text: what looks the same to people is the same value, whoever typed it on whatever machine.

Behind `unique`, `match_on`, link keys of files and tags. It is computed here, in Python, never by a database: SQLite
folds ASCII letters only, and PostgreSQL's collations differ from server to server. What is shown stays as typed.

Two texts are one where they differ only in capitals (Unicode case folding), in how an accented letter is composed
(NFC), in what a word processor or another keyboard exchanges (full-width letters, ligatures, no-break and thin spaces,
curly apostrophes, no-break hyphens), or in characters that nobody sees (zero-width spaces, byte order marks, soft
hyphens). An accent, a superscript or a circled digit is a difference.
"""

from __future__ import annotations

import hashlib
import unicodedata
from functools import cache

PREFIX, SUFFIX = "_", "_key"
MAX_KEY = 300
"""The most letters of a kept comparison form, so that every index of a database can hold it."""
STAY_APART = ("<super>", "<sub>", "<circle>", "<square>", "<fraction>", "<vertical>")
"""Compatibility forms that mean something else: m² is not m2, and ① is not 1."""
SAME = {"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u2010": "-", "\u2011": "-", "\u00a0": " "}
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u180b\u180c\u180d\u180f")
SELECTORS = range(0xFE00, 0xFE10)


def fold_text(text: str) -> str:
    """Return the comparison form of a text; texts that people take for the same have the same. Idempotent."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = "".join(map(_fold_letter, unicodedata.normalize("NFC", text)))
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", plain).casefold())
    folded = " ".join(folded.split())
    return folded or text.strip()  # of nothing but what nobody sees, each is its own


@cache
def _fold_letter(letter: str) -> str:
    if letter in SAME:
        return SAME[letter]
    is_ignored = unicodedata.category(letter) == "Cf" or letter in INVISIBLE or ord(letter) in SELECTORS
    if is_ignored:
        return ""
    form = unicodedata.decomposition(letter)
    if form.startswith("<") and not form.startswith(STAY_APART):
        return "".join(map(_fold_letter, (chr(int(code, 16)) for code in form.split()[1:])))
    return letter


def bounded_key(folded: str) -> str:
    """Return a comparison form that any index can hold: a longer one is cut, and told apart by its hash."""
    if len(folded) <= MAX_KEY:
        return folded
    digest = hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{folded[: MAX_KEY - 65]}#{digest}"


def key_name(name: str) -> str:
    """Return what the twin column of a field is called; no field of a definition begins with `_`."""
    return f"{PREFIX}{name}{SUFFIX}"


def source_name(name: str) -> str:
    """Return the field that a twin column follows; the name itself of any other column."""
    return name[len(PREFIX) : -len(SUFFIX)] if is_key_name(name) else name


def is_key_name(name: str) -> bool:
    """Return whether a column is the twin of a field."""
    return name.startswith(PREFIX) and name.endswith(SUFFIX)

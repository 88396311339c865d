"""Input bounds: numbers and keys from outside are measured before they are converted.

Python turns `1e1000000` into an integer for half a minute, and `1e999999999` takes all memory there is. So whatever
comes from a person, a file, an address or a definition is converted by the functions here, and by nothing else.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

MAX_TEXT = 80
"""How long a written number may be, with its separators."""
MAX_DIGITS = 40
"""How many digits a number may have on either side of its point: far more than any column, and cheap to convert."""
MAX_KEY = 18
"""How many digits a primary key may have: what every database takes as a big integer."""
MAX_SHOWN = 60
"""How much of a refused value an error message repeats."""

NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,9})?\Z")
KEY = re.compile(rf"[0-9]{{1,{MAX_KEY}}}\Z")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that no database keeps: NUL, and lone surrogates (halves of characters)."""


def to_decimal(raw: str | int | float | Decimal) -> Decimal:
    """Convert a plainly written number. Raises ValueError for what is no finite number, or is beyond all bounds."""
    if isinstance(raw, int):
        if raw.bit_length() > 4 * MAX_DIGITS:
            raise ValueError(f"a number of about {raw.bit_length() * 3 // 10} digits is too large.")
        return Decimal(raw)
    if isinstance(raw, float):
        raw = repr(raw)
    if isinstance(raw, str):
        if len(raw) > MAX_TEXT or not NUMBER.match(raw):
            raise ValueError(f"{shorten(raw)} is not a number.")
        try:
            raw = Decimal(raw)
        except InvalidOperation:
            raise ValueError(f"{shorten(raw)} is not a number.") from None
    if not raw.is_finite():
        raise ValueError(f"{shorten(raw)} is not a number.")
    if not raw:
        return Decimal(0).copy_sign(raw) if abs(raw.as_tuple().exponent) > MAX_DIGITS else raw
    if abs(raw.adjusted()) > MAX_DIGITS or raw.as_tuple().exponent < -MAX_DIGITS:
        raise ValueError(f"{shorten(raw)} is too {'large' if raw.adjusted() > 0 else 'exact'}.")
    return raw


def is_key(value: Any) -> bool:
    """Return whether a value can be a record's primary key; an address may hold anything."""
    return bool(KEY.match(value if isinstance(value, str) else str(value)))


def shorten(value: Any) -> str:
    """Return a value as an error message quotes it: its beginning, where it is long."""
    text = value if isinstance(value, str) else str(value)
    if isinstance(value, list | dict) and len(text) <= MAX_SHOWN:
        return text
    return repr(text) if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]!r} …"

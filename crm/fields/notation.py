"""How numbers are written: 1,234.56 or 1.234,56, and what a text means in one notation, the other, or both.

A notation is decided for a file as a whole, by its `numbers`, by the region of the business, or by a column that can
only be read in one way; never cell by cell. What fits two readings and is decided by nothing is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from crm.blueprint.bounds import MAX_TEXT, shorten, to_decimal
from crm.blueprint.nodes import Business

POINT, COMMA = ".", ","
SPACES = " \u00a0\u202f\u2009"
APOSTROPHES = "'\u2019\u02bc"
HARMLESS = frozenset(SPACES + APOSTROPHES)
"""What stands between groups of digits in no other meaning."""
CURRENCY = r"(?:[A-Z]{0,3}[$¢£¤¥฿\u20a0-\u20cf]|[A-Z]{3}|[Kk]r\.?|zł|Fr\.?)"
"""What may stand beside an amount: a currency's sign or its code, never a letter that was meant as a digit."""
AMBIGUOUS = "both"
SAMPLES = {POINT: "1,234.56", COMMA: "1.234,56"}


@dataclass(frozen=True)
class Notation:
    """How numbers are written: the decimal mark, and what may stand between groups of digits.

    Without a decimal mark nothing is decided: what fits two readings is refused; with `mixed`, all that is not plain.
    """

    decimal: str
    groups: frozenset[str] = field(default=HARMLESS)
    mixed: bool = False

    def write(self, plain: str) -> str:
        """Return a number as this notation writes it, without groups; `plain` has a point."""
        return plain.replace(POINT, self.decimal) if self.decimal else plain

    @property
    def sample(self) -> str:
        return SAMPLES.get(self.decimal, "")


UNDECIDED = Notation("")
MIXED = Notation("", mixed=True)
EXACT = Notation(POINT)
"""That of JSON: a point, and no comma that could be one."""
ENGLISH = Notation(POINT, HARMLESS | {COMMA})


def readings(raw: Any) -> dict[str, Decimal]:
    """Return what a text means, by its decimal mark; empty for no number."""
    text = _bare(str(raw)) if len(str(raw)) <= MAX_TEXT else ""
    return {mark: value for mark in (POINT, COMMA) if (value := _read(text, mark)) is not None}


def decimal_mark(raw: Any) -> str:
    """Return the mark that a text must be read with; AMBIGUOUS where both give numbers, nothing where all is one."""
    numbers = readings(raw)
    if len(numbers) == 1:
        return next(iter(numbers))
    return AMBIGUOUS if numbers and numbers[POINT] != numbers[COMMA] else ""


def read_text(raw: Any, notation: Notation | None = None) -> Decimal:
    """Read a number as people write it: 1,234.50, £1,234.50, 99 EUR, 20 %. Raises ValueError with a sentence.

    Without a notation it is an English one, as in definitions.
    """
    notation = notation or ENGLISH
    numbers = readings(raw)
    if not numbers:
        raise _not_a_number(raw)
    if len(numbers) == 2 and numbers[POINT] == numbers[COMMA]:
        return numbers[POINT]
    if notation.mixed:
        raise ValueError(f"{raw!r}: the column holds both {SAMPLES[POINT]} and {SAMPLES[COMMA]}. {REMEDY}")
    if len(numbers) == 2 and not _is_decided(_bare(str(raw)), notation):
        by_point, by_comma = (f"{numbers[mark].normalize():f}" for mark in (POINT, COMMA))
        raise ValueError(f"{raw!r} may mean {by_point} or {by_comma}. {REMEDY}")
    if len(numbers) == 1 and notation.decimal and notation.decimal not in numbers:
        raise ValueError(f"{raw!r} is not a number where they are written as {notation.sample}.")
    return numbers[notation.decimal] if len(numbers) == 2 else next(iter(numbers.values()))


def _not_a_number(raw: Any) -> ValueError:
    """Return what is wrong with a text that is no number in any notation, or one beyond all bounds."""
    try:
        to_decimal(_bare(str(raw)) if len(str(raw)) <= MAX_TEXT else str(raw))
    except ValueError as error:
        bare = shorten(_bare(str(raw)[: MAX_TEXT + 1]))
        return ValueError(str(error).replace(bare, shorten(raw), 1))
    return ValueError(f"{shorten(raw)} is not a number.")


REMEDY = "Say how the file writes numbers: 1,234.56 or 1.234,56 (`numbers` in `transfer`, or in the form)."


def _is_decided(text: str, notation: Notation) -> bool:
    """Return whether a notation tells what a text with one comma or point before three digits means."""
    return bool(notation.decimal) and (notation.decimal in text or bool(set(text) & notation.groups))


def _bare(text: str) -> str:
    """Return a number without what may stand around it: spaces, a currency, a percent sign."""
    text = text.strip(SPACES + "\t\r\n").lstrip("'").strip(SPACES).replace("\u2212", "-")
    text = re.sub(rf"\A([-+]?)[{SPACES}]*{CURRENCY}[{SPACES}]*", r"\1", text)
    text = re.sub(rf"[{SPACES}]*({CURRENCY}|%)\Z", "", text)
    return re.sub(rf"\A([-+])[{SPACES}]+", r"\1", text)


@cache
def _patterns(mark: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    point, between = re.escape(mark), re.escape(COMMA if mark == POINT else POINT)
    part = rf"[{between}{SPACES}{APOSTROPHES}]"
    plain = rf"[-+]?(\d+({point}\d*)?|{point}\d+)([eE][-+]?\d{{1,2}})?"
    thousands = rf"[-+]?[1-9]\d{{0,2}}(?P<between>{part})\d{{3}}((?P=between)\d{{3}})*({point}\d*)?"
    lakhs = rf"[-+]?[1-9]\d?((?P<between>{part})\d{{2}})((?P=between)\d{{2}})*(?P=between)\d{{3}}({point}\d*)?"
    return re.compile(plain), re.compile(f"{thousands}|{lakhs.replace('between', 'lakh')}")


def _read(text: str, mark: str) -> Decimal | None:
    plain, grouped = _patterns(mark)
    if grouped.fullmatch(text):
        text = "".join(letter for letter in text if letter.isdigit() or letter in f"-+{mark}")
    elif not plain.fullmatch(text):
        return None
    try:
        return to_decimal(text.replace(mark, POINT))
    except ValueError:
        return None


DAY_MARKS = "./-"
"""What stands between day, month and year."""
CODES_OF_DAYS = {"d": "%d", "M": "%m", "y": "%Y"}
"""The letters of CLDR's patterns, as `strptime` has them."""


def notation_like(sample: str) -> Notation:
    """Return the notation of a sample such as `1.234,56`. Raises ValueError with a sentence."""
    match = re.fullmatch(rf"1(?P<group>[.,{SPACES}{APOSTROPHES}]?)234(?P<decimal>[.,])56", sample.strip())
    if not match or match["group"] == match["decimal"]:
        raise ValueError(f"{sample!r} shows no notation: write the number as 1,234.56, 1.234,56, 1 234,56 or 1234.56")
    return Notation(match["decimal"], HARMLESS | frozenset(match["group"]))


def region_notation(business: Business) -> Notation | None:
    """Return how numbers are written in the region of a business; None where `app.yaml` names none."""
    return locale_notation(number_locale(business)) if business.app.region else None


def form_notation(business: Business) -> Notation:
    """Return how people type numbers into forms: as the pages show them."""
    return locale_notation(number_locale(business))


def number_locale(business: Business) -> str:
    """Return Babel's locale that numbers are written in: the region's own where it does not know the language there."""
    return _number_locale(business.app.languages[0], business.app.region)


@cache
def _number_locale(language: str, region: str | None) -> str:
    if region:
        likely = _likely_language(region)
        names = [f"{language.split('-')[0]}_{region}", likely and f"{likely}_{region}", likely]
    else:
        names = [language.replace("-", "_")]
    for name in filter(None, [*names, "en"]):
        try:
            return str(Locale.parse(name))
        except (UnknownLocaleError, ValueError):
            continue
    return "en"


def _likely_language(region: str) -> str:
    """Return the language that most people of a region write, as CLDR has it."""
    return get_global("likely_subtags").get(f"und_{region}", "").split("_")[0]


@cache
def locale_notation(locale: str) -> Notation:
    """Return the notation of one of Babel's locales."""
    symbols = Locale.parse(locale).number_symbols
    latin = symbols.get("latn", symbols)
    decimal = latin.get("decimal", POINT)
    groups = {latin.get("group", ""), latin.get("currencyGroup", "")} - {"", decimal}
    return Notation(decimal if decimal in (POINT, COMMA) else POINT, HARMLESS | groups)


def date_input_formats(business: Business) -> list[str]:
    """Return how people type days into forms, as patterns of `strptime`: the first is also how forms show them.

    The order of day, month and year is the region's (CLDR's short pattern), with any of three marks and two digits of
    the year, too; ISO 8601 always.
    """
    return _date_input_formats(business.app.region or "GB")


@cache
def _date_input_formats(region: str) -> list[str]:
    pattern = Locale.parse(_number_locale(_likely_language(region) or "en", region)).date_formats["short"].pattern
    order = [CODES_OF_DAYS[letter] for letter in dict.fromkeys(re.findall("[dMy]", pattern))]
    own = next((mark for mark in pattern if mark in DAY_MARKS), "/")
    marks = sorted(DAY_MARKS, key=lambda mark: mark != own)
    full = [mark.join(order) for mark in marks]
    return list(dict.fromkeys([full[0], "%Y-%m-%d", *full, *(each.replace("%Y", "%y") for each in full)]))

"""Files of other systems through the user's own commands: everything in them arrives, and nothing else does.

What must arrive is computed from the files themselves, and compared with the database, past the application.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.workplace import ENGINES, ROOT, Workplace, workplace

DATA = Path(os.environ.get("FORMWRIGHT_DATA") or ROOT.parent / "shared" / "data")
NORTHWIND = {
    "customer": "customers",
    "supplier": "suppliers",
    "product": "products",
    "order": "orders",
    "order_line": "order_details",
}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real files is absent; set FORMWRIGHT_DATA")


def read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def day(text: str) -> date:
    """Read a day as the files write it: 7/1/2015, or 1996-07-04 00:00:00.000."""
    return datetime.strptime(text, "%m/%d/%Y").date() if "/" in text else date.fromisoformat(text[:10])


def amount(value: Any) -> Decimal:
    """Return a decimal as the database holds it, which is a float in SQLite."""
    return Decimal(str(value)).quantize(Decimal("0.01"))


def days(values: list[tuple[Any]]) -> Counter:
    return Counter(value if value is None else date.fromisoformat(str(value)) for (value,) in values)


def check_history(place: Workplace, table: str, count: int) -> None:
    """Every record has one version: its making."""
    business, name = table.split("_")
    versions = place.rows(f"SELECT id, history_type FROM {business}_historical{name}")
    assert len(versions) == len({key for key, _ in versions}) == count
    assert {kind for _, kind in versions} == {"+"}


@pytest.fixture(scope="module", params=ENGINES)
def setting(request, tmp_path_factory) -> Iterator[Callable[[str], Any]]:
    yield lambda name: workplace(name, tmp_path_factory.mktemp(name), request.param)


# The hotels: no key, so every row is a record


@pytest.fixture(scope="module")
def hotel(setting) -> Iterator[Workplace]:
    with setting("hotel") as place:
        assert place.import_file("booking", DATA / "hotel_bookings.csv").startswith("new 14938, updated 0")
        yield place


def test_every_booking_arrives_also_those_that_look_alike(hotel):
    rows = read("hotel_bookings.csv")
    assert len(rows) > len({tuple(row.values()) for row in rows})
    assert hotel.rows("SELECT count(*) FROM hotel_booking") == [(len(rows),)]
    check_history(hotel, "hotel_booking", len(rows))


def test_the_arrival_is_put_together_from_three_columns(hotel):
    parts = ("arrival_date_year", "arrival_date_month", "arrival_date_day_of_month")
    texts = (" ".join(row[part] for part in parts) for row in read("hotel_bookings.csv"))
    wanted = Counter(datetime.strptime(text, "%Y %B %d").date() for text in texts)
    assert days(hotel.rows("SELECT arrival FROM hotel_booking")) == wanted


def test_the_amounts_and_counts_of_the_hotels_agree(hotel):
    rows = read("hotel_bookings.csv")
    names = {"resort": "Resort Hotel", "city": "City Hotel"}
    found = {}
    for name, rate, nights, cancelled in hotel.rows("SELECT hotel, rate, week_nights, cancelled FROM hotel_booking"):
        one = found.setdefault(names[name], [0, Decimal(), 0, 0])
        found[names[name]] = [one[0] + 1, one[1] + amount(rate), one[2] + nights, one[3] + bool(cancelled)]
    wanted = {}
    for row in rows:
        one = wanted.setdefault(row["hotel"], [0, Decimal(), 0, 0])
        more = (1, Decimal(row["adr"]), int(row["stays_in_week_nights"]), row["is_canceled"] == "1")
        wanted[row["hotel"]] = [before + new for before, new in zip(one, more, strict=True)]
    assert found == wanted


@pytest.mark.parametrize(
    ("column", "heading"),
    [("agent", "agent"), ("company", "company"), ("children", "children"), ("market", "market_segment")],
)
def test_null_and_na_are_nothing_and_all_else_is_kept(hotel, column, heading):
    wanted = Counter("" if row[heading] in {"NULL", "NA"} else row[heading] for row in read("hotel_bookings.csv"))
    found = hotel.rows(f"SELECT {column} FROM hotel_booking")
    assert Counter("" if value is None else str(value) for (value,) in found) == wanted


def test_countries_of_two_and_three_letters_become_one_code(hotel):
    rows = Counter(row["country"] for row in read("hotel_bookings.csv"))
    rows["CHN"] += rows.pop("CN")
    found = Counter(code for (code,) in hotel.rows("SELECT country FROM hotel_booking"))
    named = {"": "NULL", "PT": "PRT", "GB": "GBR", "CN": "CHN"}
    assert {code: found[code] for code in named} == {code: rows[name] for code, name in named.items()}
    assert sorted(found.values()) == sorted(rows.values())


def test_the_same_file_is_not_taken_twice_by_accident(hotel):
    refused = hotel.run("import", "booking", DATA / "hotel_bookings.csv", expect=1)
    assert b"--again" in refused.stderr
    assert hotel.rows("SELECT count(*) FROM hotel_booking") == [(14938,)]


def test_the_bookings_come_back_unchanged(hotel, tmp_path):
    exported = hotel.export("booking", tmp_path / "bookings.csv")
    assert hotel.import_file("booking", exported) == "new 0, updated 0, unchanged 14938, failed 0"


# The receivables: keys with leading zeros


@pytest.fixture(scope="module")
def receivables(setting) -> Iterator[Workplace]:
    with setting("receivables") as place:
        assert place.import_file("invoice", DATA / "accounts_receivable.csv").startswith("new 2466, updated 0")
        yield place


def test_every_invoice_arrives_with_the_zeros_of_its_number(receivables):
    numbers = [row["invoiceNumber"] for row in read("accounts_receivable.csv")]
    assert any(number.startswith("00") for number in numbers)
    assert {number for (number,) in receivables.rows("SELECT number FROM receivables_invoice")} == set(numbers)
    check_history(receivables, "receivables_invoice", len(numbers))


def test_the_amounts_of_each_customer_agree(receivables):
    wanted: Counter = Counter()
    for row in read("accounts_receivable.csv"):
        wanted[row["customerID"], row["countryCode"], row["Disputed"] == "Yes"] += Decimal(row["InvoiceAmount"])
    found: Counter = Counter()
    for *group, value in receivables.rows("SELECT customer, country, disputed, amount FROM receivables_invoice"):
        found[group[0], group[1], bool(group[2])] += amount(value)
    assert found == wanted


@pytest.mark.parametrize(
    ("column", "heading"),
    [
        ("issued_on", "InvoiceDate"),
        ("due_on", "DueDate"),
        ("settled_on", "SettledDate"),
        ("paperless_since", "PaperlessDate"),
    ],
)
def test_the_month_stands_before_the_day(receivables, column, heading):
    found = receivables.rows(f"SELECT {column} FROM receivables_invoice")
    assert days(found) == Counter(day(row[heading]) for row in read("accounts_receivable.csv"))


def test_the_invoices_are_known_again(receivables):
    told = receivables.import_file("invoice", DATA / "accounts_receivable.csv")
    assert told == "new 0, updated 0, unchanged 2466, failed 0"
    check_history(receivables, "receivables_invoice", 2466)


@pytest.mark.parametrize("format", ["csv", "xlsx", "json"])
def test_the_invoices_come_back_unchanged(receivables, tmp_path, format):
    exported = receivables.export("invoice", tmp_path / f"invoices.{format}")
    assert receivables.import_file("invoice", exported) == "new 0, updated 0, unchanged 2466, failed 0"


# Northwind: five files that point to one another


@pytest.fixture(scope="module")
def northwind(setting) -> Iterator[Workplace]:
    with setting("northwind") as place:
        for entity, name in NORTHWIND.items():
            told = place.import_file(entity, DATA / "northwind" / f"{name}.csv")
            assert told.startswith(f"new {len(read(f'northwind/{name}.csv'))}, updated 0"), told
        yield place


@pytest.mark.parametrize(("entity", "name"), NORTHWIND.items())
def test_every_row_of_northwind_arrives(northwind, entity, name):
    check_history(northwind, f"northwind_{entity.replace('_', '')}", len(read(f"northwind/{name}.csv")))


@pytest.mark.parametrize(("entity", "name"), NORTHWIND.items())
def test_the_rows_of_northwind_are_known_again(northwind, entity, name):
    count = len(read(f"northwind/{name}.csv"))
    told = northwind.import_file(entity, DATA / "northwind" / f"{name}.csv")
    assert told == f"new 0, updated 0, unchanged {count}, failed 0"


@pytest.mark.parametrize(
    ("entity", "format"), list(zip(NORTHWIND, ["xlsx", "json", "csv", "xlsx", "json"], strict=True))
)
def test_the_rows_of_northwind_come_back_unchanged(northwind, tmp_path, entity, format):
    exported = northwind.export(entity, tmp_path / f"{entity}.{format}")
    told = northwind.import_file(entity, exported)
    assert told == f"new 0, updated 0, unchanged {len(read(f'northwind/{NORTHWIND[entity]}.csv'))}, failed 0"


def test_texts_are_kept_letter_by_letter(northwind):
    columns = ("code", "company", "contact", "address_street", "address_city", "address_postcode", "phone", "fax")
    headings = ("customerID", "companyName", "contactName", "address", "city", "postalCode", "phone", "fax")
    found = northwind.rows(f"SELECT {', '.join(columns)} FROM northwind_customer")
    rows = read("northwind/customers.csv")
    assert any(not row["city"].isascii() for row in rows)
    wanted = {tuple("" if row[name] == "NULL" else row[name].strip() for name in headings) for row in rows}
    assert set(found) == wanted


def test_links_lead_where_the_files_say(northwind):
    lines = northwind.rows(
        "SELECT o.number, c.code, p.number, s.number, l.quantity, l.price, l.discount FROM northwind_orderline l "
        "JOIN northwind_order o ON o.id = l.order_id JOIN northwind_customer c ON c.id = o.customer_id "
        "JOIN northwind_product p ON p.id = l.product_id JOIN northwind_supplier s ON s.id = p.supplier_id"
    )
    customers = {row["orderID"]: row["customerID"] for row in read("northwind/orders.csv")}
    suppliers = {row["productID"]: int(row["supplierID"]) for row in read("northwind/products.csv")}
    wanted = {
        (
            int(row["orderID"]),
            customers[row["orderID"]],
            int(row["productID"]),
            suppliers[row["productID"]],
            int(row["quantity"]),
            amount(row["unitPrice"]),
            amount(row["discount"]),
        )
        for row in read("northwind/order_details.csv")
    }
    assert {(*line[:5], amount(line[5]), amount(line[6])) for line in lines} == wanted
    assert len(lines) == len(wanted) == 2155


def test_freight_by_customer_and_days_of_orders_agree(northwind):
    rows = read("northwind/orders.csv")
    wanted: Counter = Counter()
    for row in rows:
        wanted[row["customerID"], row["shipVia"]] += Decimal(row["freight"])
    found: Counter = Counter()
    joined = "FROM northwind_order o JOIN northwind_customer c ON c.id = o.customer_id"
    for code, shipper, freight in northwind.rows(f"SELECT c.code, o.shipper, o.freight {joined}"):
        found[code, shipper] += amount(freight)
    assert found == wanted
    shipped = Counter(None if row["shippedDate"] == "NULL" else day(row["shippedDate"]) for row in rows)
    assert days(northwind.rows("SELECT shipped_on FROM northwind_order")) == shipped


def test_countries_are_known_by_their_english_names(northwind):
    wanted = Counter(row["country"] for row in read("northwind/customers.csv"))
    found = Counter(code for (code,) in northwind.rows("SELECT address_country FROM northwind_customer"))
    assert (found["US"], found["GB"], found["DE"]) == (wanted["USA"], wanted["UK"], wanted["Germany"])
    assert sorted(found.values()) == sorted(wanted.values())


def test_a_wrong_row_stops_the_whole_file_and_every_error_is_told(northwind, tmp_path):
    broken = tmp_path / "order_details.csv"
    broken.write_text(
        "orderID,productID,unitPrice,quantity,discount\n10248,11,x,12,0\n99999,11,1,0,0\n10250,1,1.00,1,0\n"
    )
    told = northwind.run("import", "order_line", broken, expect=1)
    assert told.stderr.decode().splitlines() == [
        "order_details.csv, row 2, unitPrice: 'x' is not a number.",
        "order_details.csv, row 3, orderID: there is no order '99999'.",
        "order_details.csv, row 3, quantity: Ensure this value is greater than or equal to 1.",
        "Nothing was imported.",
    ]
    assert northwind.rows("SELECT count(*) FROM northwind_orderline") == [(2155,)]

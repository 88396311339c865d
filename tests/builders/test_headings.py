"""The headings of lists and rows: those of numbers are set right, as the numbers below them are."""

from __future__ import annotations

import re

import pytest

from tests.support.pages import address
from tests.support.records import make

pytestmark = pytest.mark.django_db


def test_the_heading_of_a_number_in_a_list_has_a_class_of_its_own(signed_in):
    make("booking")
    html = signed_in.get(address("booking")).content.decode()
    classes = set(re.findall(r"\bcolumn-(cell_\w+)", html))
    numbers = {"cell_seats__number", "cell_total__number", "cell_balance__number"}
    assert {name for name in classes if name.endswith("__number")} == numbers
    assert {"cell_number", "cell_customer", "cell_booked_on"} <= classes


def test_the_heading_of_a_number_in_rows_is_set_right(signed_in):
    html = signed_in.get(address("invoice", "add")).content.decode()
    right = set(re.findall(r'<th class="column-(\w+)(?: required)? crm-right', html))
    assert {"quantity", "price", "shown_amount"} <= right and "description" not in right


def test_show_all_is_offered_where_something_is_narrowed(signed_in):
    make("customer")
    assert b"Show all" not in signed_in.get(address("customer")).content
    assert b"Show all" in signed_in.get(f"{address('customer')}?q=zz").content

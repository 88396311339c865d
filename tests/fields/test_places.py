"""A country is read by its code and by its name, however its signs are typed."""

from __future__ import annotations

import pytest

from crm.fields.places import country_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Côte d\u2019Ivoire", "CI"),
        ("Côte d'Ivoire", "CI"),
        ("CÔTE D\u2018IVOIRE", "CI"),
        ("Co\u0302te d'Ivoire", "CI"),
        (" gb ", "GB"),
        ("GBR", "GB"),
        ("u.s.a.", "US"),
        ("United\u00a0Kingdom", "GB"),
        ("Atlantis", None),
    ],
)
def test_a_country_is_known_by_what_people_write(text, code):
    assert country_code(text) == code

"""The texts of definitions are texts: markup in any of them stands on the pages as it was written."""

from __future__ import annotations

import pytest

from tests.builders.marked_business import EVIL, MARK, marked, raw_markers, write
from tests.support.workplace import BUSINESSES, ROOT, Workplace


@pytest.fixture
def place(tmp_path):
    write(tmp_path / "marked", [ROOT / "definitions" / "travel", BUSINESSES / "every"])
    made = Workplace(tmp_path / "marked", tmp_path / "var")
    made.run("apply", "--yes")
    return made


def test_no_text_of_a_definition_is_markup_on_any_page(place):
    *findings, last = place.run_script(ROOT / "tests" / "builders" / "marked_business.py").decode().splitlines()
    assert not findings, "\n".join(findings[:40])
    assert int(last.split()[0]) > 80, last


def test_markup_would_be_noticed():
    assert raw_markers(f"<p>{MARK}</p>") and raw_markers(f"<p x-data=\"a('{MARK}')\">")
    assert raw_markers(f'<p title="{EVIL}">')
    assert not raw_markers('<p title="&lt;xss-mark&gt;">&lt;xss-mark&gt;</p>')
    assert marked({"menu": {"A": ["b"]}, "label": "c"}) == {"menu": {f"A {EVIL}": ["b"]}, "label": f"c {EVIL}"}

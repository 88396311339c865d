"""What a workbook unpacks to is counted over all its parts, and over all the pieces that a part is read in."""

from __future__ import annotations

import io
import zipfile

import pytest

from crm.capabilities.transfer import unpacking
from crm.capabilities.transfer.unpacking import is_bomb

SIZE = 1_000
"""What the archives are said to have: the limits follow from it."""


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch):
    """Limits of a hundredth, so that the test unpacks 60 KB and not 256 MB."""
    for name, value in (("SMALLEST", SIZE), ("PIECE", 4_096), ("MAX_TAGS_IN_A_ROW", 500)):
        monkeypatch.setattr(unpacking, name, value)


def bomb(*parts: bytes, name: str = "part") -> bool:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number, content in enumerate(parts):
            archive.writestr(f"{number}{name}.xml", content)
    with zipfile.ZipFile(data) as archive:
        return is_bomb(archive, SIZE)


BYTES = unpacking.MAX_RATIO * SIZE
TAGS = unpacking.MAX_TAGS_TO_A_BYTE * SIZE
TAG = b"<c/>row"


@pytest.mark.parametrize("parts", [1, 2, 7, 50])
def test_the_bytes_of_all_parts_count_together(parts):
    share = BYTES // parts
    assert not bomb(*[b"x" * share] * parts)
    assert bomb(*[b"x" * share] * (parts - 1), b"x" * (share + BYTES - share * parts + 1))


@pytest.mark.parametrize("parts", [1, 2, 7, 50])
def test_the_tags_of_all_parts_count_together(parts):
    share = TAGS // parts
    assert not bomb(*[TAG * share] * parts)
    assert bomb(*[TAG * share] * (parts - 1), TAG * (share + TAGS - share * parts + 1))


def test_the_tags_of_a_row_count_over_the_pieces_that_it_is_read_in():
    """A row of 600 tags of 40 bytes is read in six pieces, none of which holds more than a fifth of them."""
    tag = b"<c" + b" " * 36 + b"/>"
    assert not bomb(b"<row>" + tag * 400 + b"</row>" + b"<row>" + tag * 400 + b"</row>")
    assert bomb(b"<row>" + tag * 600 + b"</row>")


def test_texts_that_cells_share_stand_in_no_row():
    """All texts of an honest workbook follow one another in a part of their own."""
    texts = b"<sst>" + b"<si><t>text</t></si>" * 300 + b"</sst>"
    assert bomb(texts) and not bomb(texts, name="sharedStrings")

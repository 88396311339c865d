"""Zip and XML bombs: what a workbook unpacks to is counted before anything is built of it.

A file of 120 KB made the XML reader take 1.3 GB and 22 seconds, so the limits grow with the file: an honest workbook of
one word repeated unpacks to 24 times its size, and has three tags to a byte.
"""

from __future__ import annotations

import zipfile

MAX_UNZIPPED = 256 * 1024 * 1024
MAX_RATIO = 60
MAX_TAGS_TO_A_BYTE = 8
MAX_TAGS = 24_000_000
MAX_TAGS_IN_A_ROW = 120_000
"""Excel has 16,384 columns, and a cell has up to six tags; the reader builds a whole row at a time."""
SMALLEST = 20_000
PIECE = 1024 * 1024


def is_bomb(archive: zipfile.ZipFile, size: int) -> bool:
    """Say whether an archive of `size` bytes unpacks to more than an honest workbook does."""
    allowed = max(size, SMALLEST)
    bytes_left, tags_left = min(MAX_UNZIPPED, MAX_RATIO * allowed), min(MAX_TAGS, MAX_TAGS_TO_A_BYTE * allowed)
    for part in archive.infolist():
        in_row = 0
        with archive.open(part) as file:
            while piece := file.read(PIECE):
                tags = [run.count(b"<") for run in piece.split(b"row")]
                tags[0] += in_row
                in_row = tags[-1]
                bytes_left, tags_left = bytes_left - len(piece), tags_left - piece.count(b"<")
                is_text = part.filename.endswith("sharedStrings.xml")
                if bytes_left < 0 or tags_left < 0 or (max(tags) > MAX_TAGS_IN_A_ROW and not is_text):
                    return True
    return False

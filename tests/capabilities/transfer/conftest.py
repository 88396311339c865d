"""The tests of this folder work on files in parts of two rows, so that a file of three is a large one."""

from __future__ import annotations

import pytest

from crm.capabilities.transfer import preparation


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(preparation, "PART", 2)

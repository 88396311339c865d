"""A shop with records, made once and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.shop import RECORDS, Shop, new_shop
from tests.support.workplace import copied


@pytest.fixture(scope="session")
def full_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with new_shop(tmp_path_factory.mktemp("full")) as shop:
        shop.run("apply", "--yes")
        shop.shell(RECORDS)
        yield shop


@pytest.fixture
def shop(full_shop: Shop, tmp_path: Path) -> Iterator[Shop]:
    """A copy of the shop with records, for one test."""
    with copied(full_shop, tmp_path) as shop:
        yield shop


@pytest.fixture
def empty_shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop that was never applied, with an empty database."""
    with new_shop(tmp_path / "empty") as shop:
        yield shop

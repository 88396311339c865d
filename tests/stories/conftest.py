"""The travel business of the stories: a copy of its folder, with the demo's people and records, and a browser."""

from __future__ import annotations

import shutil

import pytest

from tests.support.browser import CHROMIUM, chromium, sign_in, window
from tests.support.server import Office, serving
from tests.support.workplace import POSTGRES, ROOT, Workplace, database


def opened(folder):
    """Copy the travel business to a folder, apply it and load its demo; yields its workplace and the demo's password."""
    shutil.copytree(ROOT / "definitions" / "travel", folder / "travel")
    with database("postgresql" if POSTGRES else "sqlite") as url:
        place = Workplace(folder / "travel", folder / "var", url, is_cold=True)
        place.run("apply", "--yes")
        said = place.run("demo").stdout.decode()
        yield place, said.split("admin / ")[1].split()[0]


@pytest.fixture(scope="session")
def office(tmp_path_factory):
    """The business, served for as long as the tests run."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    for place, password in opened(tmp_path_factory.mktemp("office")):
        with serving(place, "--noreload") as url:
            yield Office(place, url, password)


@pytest.fixture(scope="module")
def browser():
    """A Chromium for the tests of one file; not for longer, as it keeps Django from the database in this process."""
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser, office):
    """A window where the manager is signed in; in the end, no script may have failed in it."""
    found = window(browser)
    sign_in(found, office.url, "manager", office.password)
    yield found
    found.context.close()
    assert found.troubles == []

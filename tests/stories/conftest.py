"""The travel business of the stories: a copy of its folder, with the demo's people and records, and a browser."""

from __future__ import annotations

import shutil

import pytest

from tests.support.browser import CHROMIUM, chromium, sign_in, window
from tests.support.server import Office, serving
from tests.support.workplace import POSTGRES, ROOT, Workplace, copied, database


@pytest.fixture(scope="session")
def closed_office(tmp_path_factory):
    """A copy of the travel business, applied, with its demo, that nobody works in: its workplace and the password."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium-headless-shell")
    folder = tmp_path_factory.mktemp("office")
    shutil.copytree(ROOT / "definitions" / "travel", folder / "travel")
    with database("postgresql" if POSTGRES else "sqlite") as url:
        place = Workplace(folder / "travel", folder / "var", url)
        place.run("apply", "--yes")
        said = place.run("demo").stdout.decode()
        yield place, said.split("admin / ")[1].split()[0]


@pytest.fixture(scope="session")
def office(closed_office, tmp_path_factory):
    """The business, served for as long as the tests run."""
    made, password = closed_office
    with copied(made, tmp_path_factory.mktemp("served")) as place, serving(place, "--noreload") as url:
        yield Office(place, url, password)


@pytest.fixture(scope="module")
def browser():
    """A Chromium for the tests of one file; not for longer, as it keeps Django from the database in this process."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def manager(browser, office):
    """The cookies of the manager, who has signed in by the form."""
    page = window(browser)
    sign_in(page, office.url, "manager", office.password)
    found = page.context.cookies()
    page.context.close()
    assert page.troubles == []
    return found


@pytest.fixture
def page(browser, manager):
    """A window where the manager is signed in; in the end, no script may have failed in it."""
    found = window(browser, manager)
    yield found
    found.context.close()
    assert found.troubles == []

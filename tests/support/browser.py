"""A headless Chromium, driven as a person would: pages are opened, and keys pressed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))), None
)
"""The browser: the same engine takes half the processor time without the parts of a window that nobody sees."""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
WIDE, NARROW = 1440, 390
"""The widths of a desktop's window and of a phone."""
PATIENCE = 15
"""Seconds that anything may take that a page is waited for."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium, or skip the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (requirements-dev.txt)")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium-headless-shell")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, "--disable-sync"])
        yield browser
        browser.close()


def window(browser: Any, cookies: Any = ()) -> Any:
    """Open a window of its own, signed in as nobody unless the cookies of someone who is are given.

    Errors of scripts are collected in `page.troubles`, and what the page waits for in `page.asked`.
    """
    context = browser.new_context(viewport={"width": WIDE, "height": 900}, color_scheme="light", locale="en-GB")
    context.add_cookies(list(cookies))
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.troubles, page.asked = [], set()
    page.on("request", lambda one: page.asked.add(one))
    page.on("requestfinished", lambda one: page.asked.discard(one))
    page.on("requestfailed", lambda one: page.asked.discard(one))
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", lambda said: page.troubles.append(said.text) if said.type == "error" else None)
    return page


def settle(page: Any) -> None:
    """Wait until a page has all that it has asked for, and asks for nothing more; "networkidle" takes half a second."""
    page.wait_for_load_state()
    quiet, until = 0, time.monotonic() + PATIENCE
    while quiet < 3:
        page.wait_for_timeout(40)
        quiet = 0 if page.asked else quiet + 1
        assert time.monotonic() < until, f"there is no answer to {[one.url for one in page.asked]}"


def sign_in(page: Any, url: str, user: str, password: str) -> None:
    """Sign in by the form, as staff do."""
    page.goto(f"{url}/admin/login/")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/admin/")

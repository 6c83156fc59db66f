"""A real Chromium on the running stack, which sees no other host and must find nothing to complain about."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from deploy.local import demo
from tests.stack import Stack

WIDE: ViewportSize = {"width": 1280, "height": 850}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's or any other Chromium on the path."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed.")
        pytest.skip("needs Chromium on the path")
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, stack: Stack) -> AsyncIterator[Page]:
    """A page in a fresh profile. What it asked of other hosts, and what its console said, fails the test."""
    context = await browser.new_context(viewport=WIDE, base_url=stack.url)
    page = await context.new_page()
    page.set_default_timeout(10_000)
    strangers: list[str] = []
    complaints: list[str] = []
    ours = urlsplit(stack.url).netloc
    page.on("request", lambda r: strangers.append(r.url) if _foreign(r.url, ours) else None)
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    await context.close()
    assert not strangers
    # That a request failed is the story of some tests; that a script or the policy failed is of none.
    assert not [said for said in complaints if "Failed to load resource" not in said]


@pytest.fixture
async def signed_in(page: Page, stack: Stack) -> Page:
    """The page of the administrator, who came by the one-time link."""
    await page.goto(f"/welcome#{demo.sign_in_code(stack.folder)}")
    await page.get_by_role("button", name="Not Now").click()
    await page.get_by_role("heading", name="Projects").wait_for()
    return page


@pytest.fixture
def shots() -> Path:
    """Where pictures of the pages go, for people to look at."""
    folder = Path("build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _foreign(url: str, ours: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != ours

"""The sandbox page in a real browser: the whole bridge runs, and chromium is driven by playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright, expect

from adapters.registry import load_platform, platforms
from bridge.sandbox import Sandbox
from bridge.sandbox.rooms import PAGE_ROOMS
from bridge.sandbox.runner import listening, serve_page
from tests.support.patience import PATIENCE_S

_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
)
_PATIENCE_MS = PATIENCE_S * 1000
"""For a machine that runs the other tests meanwhile. Nothing here waits when the page is quick."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of an installed browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    if os.environ.get("MESSENGER_BRIDGE_NO_BROWSER") == "1":
        pytest.skip("no browser here, as MESSENGER_BRIDGE_NO_BROWSER says")
    pytest.fail("no browser: `apt-get install chromium`, or leave these tests out with MESSENGER_BRIDGE_NO_BROWSER=1")


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=list(_QUIET))
        yield opened
        await opened.close()


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    for platform in platforms():
        load_platform(platform).preload()
    async with Sandbox(tmp_path, manifests=load_platform, platforms=platforms(), rooms=PAGE_ROOMS) as running:
        await running.wait_connected(60)
        yield running


@pytest.fixture
async def url(sandbox: Sandbox) -> AsyncIterator[str]:
    with listening(0) as listener:
        async with serve_page(sandbox, listener) as address:
            yield address


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about."""
    return []


@pytest.fixture
async def page(browser: Browser, url: str, complaints: list[str]) -> AsyncIterator[Page]:
    """The page, opened on a wide screen. Whatever the browser complains about fails the test."""

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def raised(error: Error) -> None:
        complaints.append(str(error))

    opened = await browser.new_page(viewport={"width": 1600, "height": 1000})
    opened.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    opened.on("console", said)
    opened.on("pageerror", raised)
    await opened.add_init_script("localStorage.setItem('intro-seen', '1')")
    await opened.goto(url)
    await opened.wait_for_selector(".pane")
    yield opened
    await opened.close()
    assert not complaints

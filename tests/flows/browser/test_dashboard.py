"""The dashboard of a running daemon, in a real browser: what an operator does with it, by mouse and by keyboard, and how it looks
to everybody: axe has no complaint on any page, wide and narrow, light and dark."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.async_api import Browser, Page, expect

from tests.flows.browser.test_page_access import complaints_of_axe
from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually_asked

pytestmark = pytest.mark.browser

_PATIENCE_MS = 60_000
PASSWORD = "a-long-password-of-anna"
PAGES = ("", "route?name=lobby", "message?what=1", "tail", "dead", "replay?since=2020-01-01T00:00", "config", "audit")


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, platforms=("slack", "discord"))
    port = free_port()
    users = {"anna": {"password": PASSWORD, "role": "operate"}}
    world.settings["web"] = {"admin": {"listen": f"127.0.0.1:{port}", "dashboard": {"users": users}}}
    await world.start_platforms()
    yield world
    await world.stop_platforms()


@pytest.fixture
async def daemon(small: World) -> AsyncIterator[Daemon]:
    daemon = Daemon(small.write_config())
    await daemon.start()
    await daemon.until_notified("discord up")
    await daemon.until_notified("slack up")
    yield daemon
    if daemon.process is not None and daemon.process.returncode is None:
        await daemon.kill()
    daemon.close()
    assert "Traceback" not in daemon.output, daemon.output


@pytest.fixture
async def board(browser: Browser, small: World, daemon: Daemon, complaints: list[str]) -> AsyncIterator[Page]:
    """Signed in."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"http://{small.settings['web']['admin']['listen']}/")
    await expect(page.get_by_label("User")).to_be_focused()
    assert await complaints_of_axe(page) == []
    await page.keyboard.type("anna")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Relaying")
    yield page
    await page.close()
    assert not complaints


def refuse(small: World, refusals: dict[str, str]) -> None:
    slack: Any = small.emulators["slack"]
    slack.api.refusals = refusals


async def lose_one(small: World, text: str) -> None:
    """A message that Slack does not take."""
    refuse(small, {"chat.postMessage": "invalid_blocks"})
    await small.say("discord", text)


async def test_what_an_operator_does(board: Page, small: World) -> None:
    await board.get_by_role("link", name="Live").click()
    await expect(board.locator("#tail-state")).to_have_text("New ones appear by themselves.")
    await small.say("discord", "the words of a person")
    await small.copy("slack", "the words of a person")
    await expect(board.locator("#tail li").filter(has_text="delivered")).to_have_count(1)
    await expect(board.locator("#tail")).not_to_contain_text("the words of a person")
    await board.locator("#tail li").filter(has_text="delivered").get_by_role("link").click()
    await expect(board.get_by_role("heading", level=1)).to_have_text("What became of it")
    await expect(board.get_by_role("cell", name="delivered")).to_be_visible()

    for number in range(3):
        await lose_one(small, f"refused {number}")
    await board.get_by_role("link", name="Overview").click()
    await expect(board.locator("dd").get_by_role("link", name="3", exact=True)).to_be_visible()
    await board.get_by_role("link", name="Dead letters").click()
    await board.get_by_role("link", name="Retry all of a time").click()
    await board.get_by_role("link", name="the last hour").click()
    refuse(small, {})
    await board.get_by_role("button", name="Retry 3").click()
    await expect(board.get_by_text("retried: 3")).to_be_visible()
    await small.copy("slack", "refused 2")
    assert [one.text[-9:] for one in small.copies("slack", "refused")] == ["refused 0", "refused 1", "refused 2"]

    document = small.document()
    document["defaults"]["pins"] = True
    (small.folder / "bridge.yaml").write_text(yaml.safe_dump(document))
    await board.get_by_role("link", name="bridge.yaml").click()
    await expect(board.get_by_text("~ route lobby: pins")).to_be_visible()
    await expect(board.locator("pre")).not_to_contain_text(PASSWORD)
    await board.get_by_role("button", name="Reload").click()
    await expect(board.get_by_role("heading", level=1)).to_have_text("Reloaded")
    await board.get_by_role("link", name="Audit").click()
    await expect(board.get_by_role("cell", name="dashboard anna")).to_have_count(4)
    await board.get_by_role("button", name="Sign out").click()
    await expect(board.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_it_keeps_itself_up_to_date_and_never_under_the_reader(board: Page, small: World) -> None:
    since = await board.locator("[data-live] time").first.get_attribute("datetime")
    await expect(board.locator("[data-live] time").first).not_to_have_attribute("datetime", since or "")
    await board.get_by_label("Find a route").fill("lob")
    await small.say("discord", "one more")
    await small.copy("slack", "one more")
    await expect(board.get_by_label("Find a route")).to_have_value("lob")
    await expect(board.get_by_label("Find a route")).to_be_focused()
    await board.keyboard.press("Enter")
    await expect(board.get_by_role("link", name="lobby")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_for_everybody(board: Page, small: World, scheme: Any) -> None:
    await small.say("discord", "שלום לכולם", person="משה כהן")
    await lose_one(small, "refused")
    await board.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    base = f"http://{small.settings['web']['admin']['listen']}/dashboard/"
    await board.goto(base + "dead")
    await until_dead(board)
    shots = os.environ.get("SCREENSHOTS")
    for place in (*PAGES, "letter?id=2"):
        await board.goto(base + place)
        for width in (1440, 390) if scheme == "light" else (390,):
            await board.set_viewport_size({"width": width, "height": 900})
            assert await complaints_of_axe(board) == [], (place, width)
            over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await board.evaluate(over) <= 0, (place, width)
            if shots:
                name = f"{place.split('?')[0] or 'overview'}-{width}-{scheme}.png"
                await board.screenshot(path=Path(shots) / name, full_page=True)
    await board.goto(base)
    await board.evaluate("document.documentElement.dir = 'rtl'")
    assert await board.evaluate(over) <= 0
    await board.goto(base)
    await board.keyboard.press("Tab")
    await expect(board.get_by_role("link", name="Skip to the content")).to_be_focused()
    await board.keyboard.press("Enter")
    await expect(board.locator("#main")).to_be_focused()


async def until_dead(board: Page) -> None:
    async def is_there() -> bool:
        await board.reload()
        return await board.get_by_role("link", name="2", exact=True).count() > 0

    await eventually_asked(is_there, what="a dead letter")

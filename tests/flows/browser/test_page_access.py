"""The page for everybody: axe has no complaint, at three widths, light and dark, with dialogs open; nothing is wider than the
window; texts and names from right to left stay in their places."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from bridge.sandbox import Sandbox
from tests.flows.browser.test_page import ALL, message, pane, seen, type_into
from tests.flows.browser.test_page_teaches import add, enter
from tests.support.patience import PATIENCE_S
from tests.support.programs import NODE

pytestmark = pytest.mark.browser

AXE = NODE / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (1440, 1024, 390)
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


async def complaints_of_axe(page: Page) -> list[str]:
    if not AXE.exists():
        pytest.skip("axe is missing: scripts/setup.sh test")
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate("rules => axe.run(document, rules)", _RULES)
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found["violations"] for node in rule["nodes"]]


async def fill(page: Page, sandbox: Sandbox) -> None:
    """Something of everything."""
    await type_into(page, "telegram", "**bold** [label](https://example.com/) `code`")
    await add(page, "telegram", "An album")
    await expect(pane(page, "telegram").locator(".chip")).to_have_count(3)
    await type_into(page, "telegram", "three views")
    chat, slack = sandbox.rooms["lobby"]["slack"].chat_id, sandbox.emulators["slack"]
    said = await slack.say(chat, "משה כהן", "שלום לכולם")
    await slack.say(chat, "Anna", "an answer", reply_to=said)
    await slack.react(chat, said, "Anna", "👍")
    await slack.pin(chat, said, "Anna")  # type: ignore[attr-defined]
    for platform in ALL:
        await seen(page, platform, "an answer")
        await expect((await seen(page, platform, "three views")).locator(".picture img")).to_have_count(3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_nothing_is_too_wide(page: Page, sandbox: Sandbox, scheme: Any) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await fill(page, sandbox)
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        assert await complaints_of_axe(page) == [], width
        assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        for scroller in await page.locator(".scroller").all():
            assert await scroller.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, width
    await page.set_viewport_size({"width": 1440, "height": 800})
    await pane(page, "slack").get_by_role("button", name="Insert an emoji").click()
    await expect(page.get_by_role("dialog", name="Emoji")).to_be_visible()
    assert await complaints_of_axe(page) == []
    await page.keyboard.press("Escape")
    await pane(page, "slack").get_by_role("button", name="Add …").click()
    assert await complaints_of_axe(page) == []
    await page.keyboard.press("Escape")
    await pane(page, "slack").get_by_role("button", name="Break Slack").click()
    await (await seen(page, "telegram", "three views")).locator(".mark").click()
    await expect(page.get_by_role("dialog", name="What became of this message")).to_contain_text("Discord delivered")
    assert await complaints_of_axe(page) == []


async def test_a_first_visit_is_for_everybody(browser: Browser, url: str) -> None:
    page = await browser.new_page(viewport={"width": 1024, "height": 768})
    await page.goto(url)
    await expect(page.locator(".intro")).to_be_visible(timeout=PATIENCE_S * 1000)
    assert await complaints_of_axe(page) == []
    await page.close()


async def test_everything_is_reached_by_keyboard(page: Page) -> None:
    await type_into(page, "slack", "to be walked to")
    await seen(page, "slack", "to be walked to")
    await message(page, "slack", "to be walked to").focus()
    reached = []
    for _ in range(7):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert any(re.match("^Delivered|^Waiting|^Not with", label or "") for label in reached), reached
    for name in ("React", "Reply", "Open a thread", "Pin"):
        assert name in reached


async def test_names_and_texts_from_right_to_left(page: Page, sandbox: Sandbox) -> None:
    slack = sandbox.emulators["slack"]
    await slack.say(sandbox.rooms["lobby"]["slack"].chat_id, "משה כהן", "שלום לכולם (at 15:00)")
    for platform in ALL:
        row = await seen(page, platform, "שלום לכולם")
        await expect(row.locator(".text")).to_have_css("direction", "rtl")
    author = (await seen(page, "slack", "שלום לכולם")).locator(".author")
    await expect(author).to_have_css("direction", "rtl")
    avatar = await (await seen(page, "slack", "שלום לכולם")).locator(".avatar").bounding_box()
    body = await (await seen(page, "slack", "שלום לכולם")).locator(".body").bounding_box()
    assert avatar is not None
    assert body is not None
    assert avatar["x"] < body["x"], "the line itself stays as it is"
    await enter(page, "News")

"""The page beside the plain course of things: before the bridge listens, with a slow upload, a draft, a long column, a thread, a
message that does not arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, Route, expect

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from adapters.registry import load_platform, platforms
from bridge.sandbox import Sandbox
from bridge.sandbox.runner import listening, serve_page
from tests.flows.browser.test_page import ALL, message, pane, seen, type_into, use

pytestmark = pytest.mark.browser


class NotConnectedYet(Sandbox):
    """Slack takes no connection until the test lets it."""

    async def _start_emulators(self) -> None:
        await super()._start_emulators()
        await self.emulators["slack"].refuse_connections(True)


@pytest.fixture
async def early(browser: Browser, tmp_path: Path) -> AsyncIterator[tuple[Page, Sandbox]]:
    for platform in platforms():
        load_platform(platform).preload()
    async with NotConnectedYet(tmp_path, manifests=load_platform, platforms=platforms()) as running:
        with listening(0) as listener:
            async with serve_page(running, listener) as url:
                page = await browser.new_page(viewport={"width": 1600, "height": 1000})
                await page.goto(url)
                yield page, running
                await page.close()


async def test_nobody_can_write_before_the_bridge_listens(early: tuple[Page, Sandbox]) -> None:
    page, sandbox = early
    await expect(page.locator("#strip")).to_contain_text(
        f"The bridge is connecting: {len(platforms()) - 1} of {len(platforms())} accounts"
    )
    for platform in ALL:
        await expect(pane(page, platform).get_by_role("textbox")).to_be_disabled()
        await expect(pane(page, platform).get_by_role("button", name="Say hello")).to_be_disabled()
    await sandbox.emulators["slack"].refuse_connections(False)
    await type_into(page, "telegram", "the very first words")  # waits until the field takes them
    for platform in ALL:
        await seen(page, platform, "the very first words")
    await sandbox.emulators["slack"].refuse_connections(True)
    await expect(page.locator("#strip")).to_contain_text("not Slack")
    await expect(pane(page, "slack").get_by_role("textbox")).to_be_enabled()  # what is said now waits in the journal


async def attach(page: Page, platform: str) -> None:
    field = pane(page, platform).locator("input[type=file]")
    await field.set_input_files(FilePayload(name="plan.txt", mimeType="text/plain", buffer=b"the plan"))


async def test_what_is_typed_during_an_upload_stays(page: Page) -> None:
    release = asyncio.Event()

    async def slow(route: Route) -> None:
        await release.wait()
        await route.continue_()

    await page.route("**/api/discord/say", slow, times=1)
    await attach(page, "discord")
    await type_into(page, "discord", "with a file")
    field = pane(page, "discord").get_by_role("textbox")
    await expect(field).to_have_value("")
    await field.press_sequentially("typed meanwhile")
    release.set()
    await seen(page, "slack", "with a file")
    await expect(field).to_have_value("typed meanwhile")
    await field.press("Enter")
    await seen(page, "slack", "typed meanwhile")


async def test_what_could_not_be_sent_comes_back_into_the_field(page: Page, complaints: list[str]) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json={"error": "no room"})

    await page.route("**/api/discord/say", refuse, times=1)
    await attach(page, "discord")
    await type_into(page, "discord", "with a file")
    await expect(page.locator(".toast")).to_contain_text("no room")
    await expect(pane(page, "discord").get_by_role("textbox")).to_have_value("with a file")
    await expect(pane(page, "discord").locator(".chip")).to_contain_text("plan.txt")
    complaints.clear()  # the browser tells of the answer, too


async def test_a_draft_survives_a_change_of_another_message(page: Page) -> None:
    await type_into(page, "telegram", "first")
    field = pane(page, "telegram").get_by_role("textbox")
    await field.fill("half a thought")
    await use(await seen(page, "telegram", "first"), "Edit")
    await expect(field).to_have_value("first")
    await field.press("Escape")
    await expect(field).to_have_value("half a thought")
    await use(await seen(page, "telegram", "first"), "Edit")
    await field.fill("first, changed")
    await field.press("Enter")
    await seen(page, "slack", "first, changed")
    await expect(field).to_have_value("half a thought")


async def test_what_is_typed_outlives_the_page(page: Page) -> None:
    field = pane(page, "telegram").get_by_role("textbox")
    await field.fill("half a thought")
    await page.reload()
    await expect(field).to_have_value("half a thought")
    await field.press("Enter")
    await seen(page, "slack", "half a thought")
    await page.reload()
    await expect(field).to_be_enabled()
    await expect(field).to_have_value("")


async def from_end(page: Page, platform: str) -> float:
    script = "pane => pane.scrollHeight - pane.scrollTop - pane.clientHeight"
    return float(await pane(page, platform).locator(".scroller").evaluate(script))


async def test_columns_stay_at_their_end_while_pictures_load(page: Page, sandbox: Sandbox) -> None:
    drawn = await page.evaluate(
        """async () => {
            const canvas = Object.assign(document.createElement("canvas"), {width: 300, height: 240});
            canvas.getContext("2d").fillRect(20, 20, 200, 100);
            const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
            return [...new Uint8Array(await blob.arrayBuffer())];
        }"""
    )
    chat = sandbox.rooms["lobby"]["discord"].chat_id
    for number in range(12):
        files = [Upload(name=f"{number}.png", mime="image/png", content=bytes(drawn))]
        await sandbox.emulators["discord"].say(chat, "Anna", f"picture {number}", files=files)
        await sandbox.emulators["discord"].say(chat, "Boris", f"said {number}")
    for platform in ALL:
        await seen(page, platform, "said 11")
        await expect(pane(page, platform).locator(".picture img")).to_have_count(12)
        await page.wait_for_function(
            """name => {
                const pane = document.querySelector(`.pane.${name} .scroller`);
                // those far above the pane's end are loaded once somebody reads there
                const loaded = [...pane.querySelectorAll(".picture img")].slice(-3).every((image) => image.complete);
                return loaded && pane.scrollHeight - pane.scrollTop - pane.clientHeight < 2;
            }""",
            arg=platform,
        )
    await pane(page, "slack").locator(".message").first.scroll_into_view_if_needed()
    await type_into(page, "discord", "something new")
    await seen(page, "slack", "something new")
    await expect(pane(page, "slack").get_by_role("button", name="New messages")).to_be_visible()
    assert await from_end(page, "slack") > 500, "whoever reads above is left there"


async def test_slacks_answers_stand_in_their_thread(page: Page) -> None:
    await type_into(page, "slack", "the question")
    await type_into(page, "slack", "something else")
    await seen(page, "slack", "something else")
    await use(await seen(page, "slack", "the question"), "Reply")
    await type_into(page, "slack", "the answer")
    await seen(page, "telegram", "the answer")
    await expect(pane(page, "slack").locator(".message .text")).to_have_text(["the question", "the answer", "something else"])
    await expect(await seen(page, "slack", "the answer")).to_have_class("message mine threaded")


async def test_what_does_not_arrive_is_told_and_can_be_tried_again(page: Page, sandbox: Sandbox) -> None:
    discord: Any = sandbox.emulators["discord"]
    discord.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="POST /webhooks/*", status=400))
    for words in ("refused", "refused too"):
        await type_into(page, "slack", words)
        await expect((await seen(page, "slack", words)).locator(".dead")).to_contain_text("not in Discord: refused")
    panel = page.locator(".undelivered")
    await expect(panel.locator("summary")).to_have_text("2 not delivered")
    discord.clear_faults()
    await panel.locator("summary").click()
    await panel.get_by_role("button", name="Try again").last.click()
    await seen(page, "discord", "refused too")
    await expect(panel.locator("summary")).to_have_text("1 not delivered")
    assert await message(page, "discord", "refused").count() == 1, "only what was asked for"
    # what has no copy cannot be deleted there: a rule with a name, and it is told as well
    await use(message(page, "slack", "refused").first, "Delete")
    await expect(panel.locator("summary")).to_contain_text("left out by rule")
    await expect(panel).to_contain_text("Left out in Discord once: the deleted message has no copy here")


async def test_a_text_from_right_to_left_is_shown_so(page: Page) -> None:
    await type_into(page, "slack", "שלום עולם")
    for platform in ("slack", "discord"):
        await expect((await seen(page, platform, "שלום עולם")).locator(".text")).to_have_css("direction", "rtl")
    field = pane(page, "slack").get_by_role("textbox")
    await field.fill("مرحبا")
    await expect(field).to_have_css("direction", "rtl")
    await field.fill("hello")
    await expect(field).to_have_css("direction", "ltr")


async def test_the_head_stays_where_it_is(page: Page, sandbox: Sandbox) -> None:
    place = page.locator("#strip").bounding_box
    before = await place()
    await sandbox.emulators["slack"].refuse_connections(True)
    await type_into(page, "discord", "waits")
    await expect(page.locator("#strip")).to_contain_text("waits in the journal")
    assert await place() == before
    await sandbox.emulators["slack"].refuse_connections(False)
    await expect(page.locator("#strip")).to_have_text("All accounts are connected")
    assert await place() == before

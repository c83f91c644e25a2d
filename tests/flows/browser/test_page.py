"""What a newcomer does on the sandbox page, done by a test: type, edit, answer, delete, react, drop a file, break and heal."""

from __future__ import annotations

import hashlib
import re

import pytest
from playwright.async_api import Locator, Page, expect

from adapters.registry import platforms
from bridge.sandbox import Sandbox

pytestmark = pytest.mark.browser

ALL = ("teamspirit", "telegram", "slack", "discord")


def pane(page: Page, platform: str) -> Locator:
    return page.locator(f".pane.{platform}")


def message(page: Page, platform: str, words: str) -> Locator:
    """Those that say it themselves, not those that quote it."""
    return pane(page, platform).locator(".message").filter(has=page.locator(".text", has_text=words))


async def type_into(page: Page, platform: str, text: str) -> None:
    field = pane(page, platform).get_by_role("textbox")
    await field.fill(text)
    await field.press("Enter")


async def seen(page: Page, platform: str, words: str) -> Locator:
    """The only message with these words, once it is there."""
    found = message(page, platform, words)
    await expect(found).to_have_count(1)
    return found


async def use(found: Locator, tool: str) -> None:
    """Point at a message and press one of its buttons."""
    await found.hover()
    await found.get_by_role("button", name=re.compile(f"^{tool}")).first.click()


async def test_a_conversation(page: Page, sandbox: Sandbox) -> None:
    await expect(page.locator("#strip")).to_contain_text("All accounts are connected")
    await expect(page.locator(".lead")).to_contain_text(f"{len(platforms())} messengers on your machine")
    await pane(page, "telegram").get_by_label("Who writes in Telegram").select_option("Boris")
    await type_into(page, "telegram", "hello from the page")
    for platform in ("teamspirit", "slack", "discord"):
        copy = await seen(page, platform, "hello from the page")
        await expect(copy.locator(".author")).to_have_text("Boris")

    # edited: by the keyboard alone, as people do
    field = pane(page, "telegram").get_by_role("textbox")
    await field.press("ArrowUp")
    await expect(field).to_have_value("hello from the page")
    await field.fill("hello, better said")
    await field.press("Enter")
    for platform in ALL:
        await seen(page, platform, "hello, better said")
        await expect(message(page, platform, "hello from the page")).to_have_count(0)

    # answered in Slack, where it is a copy
    await use(await seen(page, "slack", "hello, better said"), "Reply")
    await type_into(page, "slack", "an answer")
    for platform in ("teamspirit", "slack"):
        await expect(await seen(page, platform, "an answer")).to_have_class(re.compile("threaded"))
    await expect(await seen(page, "telegram", "an answer")).to_contain_text("hello, better said")
    await seen(page, "discord", "an answer")
    quote = (await seen(page, "telegram", "an answer")).locator("button.quote")
    await quote.click()
    await expect(await seen(page, "telegram", "hello, better said")).to_be_focused()

    # reacted to in Discord
    original = message(page, "discord", "hello, better said").first  # the answer quotes it there, in its text
    await use(original, "React")
    await original.get_by_role("button", name="React with 🎉").click()
    await expect((await seen(page, "telegram", "hello, better said")).locator(".reaction")).to_contain_text("🎉")

    # said and deleted in Discord
    await type_into(page, "discord", "a slip")
    for platform in ALL:
        await seen(page, platform, "a slip")
    await use(await seen(page, "discord", "a slip"), "Delete")
    for platform in ALL:
        await expect(await seen(page, platform, "a slip")).to_have_class(re.compile("deleted"))


async def test_files_are_dropped_and_shown(page: Page, sandbox: Sandbox) -> None:
    transfer = await page.evaluate_handle(
        """async () => {
            const canvas = Object.assign(document.createElement("canvas"), {width: 40, height: 30});
            canvas.getContext("2d").fillRect(5, 5, 20, 10);
            const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
            const transfer = new DataTransfer();
            transfer.items.add(new File([blob], "drawing.png", {type: "image/png"}));
            return transfer;
        }"""
    )
    column = pane(page, "teamspirit")
    await column.dispatch_event("dragenter", {"dataTransfer": transfer})
    await expect(column.locator(".drop-hint")).to_be_visible()
    await column.dispatch_event("drop", {"dataTransfer": transfer})
    await expect(column.locator(".chip")).to_contain_text("drawing.png")
    await type_into(page, "teamspirit", "with a drawing")
    for platform in ALL:
        picture = pane(page, platform).locator(".message .picture img")
        await expect(picture).to_have_count(1)
        await expect(picture).to_have_js_property("naturalWidth", 40)
    digests = set()
    for platform, chat in sandbox.rooms["lobby"].items():
        emulator = sandbox.emulators[platform]
        for file in (file for found in emulator.transcript(chat.chat_id) for file in found.files):
            digests.add(hashlib.sha256(emulator.file_bytes(file.file_id)).hexdigest())
    assert len(digests) == 1, "every messenger shows the same bytes"


async def test_a_broken_messenger_heals(page: Page) -> None:
    await pane(page, "slack").get_by_role("button", name="Break Slack").click()
    await pane(page, "slack").get_by_role("button", name="Too many requests").click()
    await expect(pane(page, "slack").locator(".banner")).to_contain_text("answers every call with 429")
    await type_into(page, "discord", "said while Slack is broken")
    await seen(page, "teamspirit", "said while Slack is broken")
    await expect(page.locator("#strip")).to_contain_text("waits in the journal")
    assert await message(page, "slack", "said while Slack is broken").count() == 0
    await page.reload()  # what is broken is still shown to somebody who opens the page later
    await expect(pane(page, "slack").locator(".banner")).to_be_visible()
    await pane(page, "slack").locator(".banner").get_by_role("button", name="Heal").click()
    await seen(page, "slack", "said while Slack is broken")
    await expect(page.locator("#strip")).to_contain_text("All accounts are connected")


async def test_keys_and_narrow_screens(page: Page) -> None:
    field = pane(page, "discord").get_by_role("textbox")
    await field.fill("one")
    await field.press("Shift+Enter")
    await field.press_sequentially("two")
    assert await message(page, "discord", "one").count() == 0
    await field.press("Enter")
    await seen(page, "telegram", "one\ntwo")
    await page.set_viewport_size({"width": 390, "height": 780})
    await expect(pane(page, "teamspirit")).to_be_visible()
    await expect(pane(page, "discord")).to_be_hidden()
    await page.get_by_role("tab", name="Discord").click()
    await expect(pane(page, "discord")).to_be_visible()
    await type_into(page, "discord", "from a phone")
    await expect(page.get_by_role("tab", name="Slack").locator(".count")).to_have_text("1")
    overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0


FOREIGN = """
<b onclick="alert(1)" style="position:fixed" id=x class="spoiler evil">bold</b><script>alert(1)</script>
<img src=x onerror=alert(1)><a href="javascript:alert(1)">bad</a><a href="https://example.com/?a=1&amp;b=2" onclick=x>good</a>
<iframe src="https://example.com"></iframe><svg><script>alert(1)</script></svg>
<math><mtext><style><img src onerror=alert(1)></style></mtext></math>
<form action=//evil><input name=x></form><table><tr><td>cell</td></tr></table>"""


async def test_foreign_markup_is_rebuilt_from_an_allow_list(page: Page, complaints: list[str]) -> None:
    result = await page.evaluate(
        """async (html) => {
            const { render } = await import("./markup.js");
            const holder = document.createElement("div");
            holder.append(render(html));
            const tags = [...holder.querySelectorAll("*")].map((element) => element.tagName);
            return { html: new XMLSerializer().serializeToString(holder), tags };
        }""",
        FOREIGN,
    )
    assert result["tags"] == ["B", "A", "TABLE", "TBODY", "TR", "TD"]
    assert "alert" not in result["html"]
    assert "evil" not in result["html"]
    assert "onclick" not in result["html"]
    assert 'href="https://example.com/?a=1&amp;b=2"' in result["html"]
    for words in ("bold", "bad", "good", "cell"):
        assert words in result["html"]
    assert all("Content Security Policy" in complaint for complaint in complaints)
    complaints.clear()  # the browser tells of each handler that it would have refused to run, too


async def test_a_stranger_in_the_chat_cannot_run_anything(page: Page, sandbox: Sandbox) -> None:
    chat = sandbox.rooms["lobby"]["telegram"].chat_id
    await sandbox.emulators["telegram"].say(
        chat, "<img src=x onerror=document.title='owned'>", "<script>document.title='owned'</script>"
    )
    await seen(page, "telegram", "document.title='owned'")
    await seen(page, "slack", "document.title='owned'")
    assert await page.title() == "messenger-bridge sandbox"

"""What the page teaches beside writing: rooms, threads, pins, the emoji picker, mentions, albums, stickers, voice, what became of a
message, dead ends, and its own introduction."""

from __future__ import annotations

import io
import re

import av
import pytest
from playwright.async_api import Browser, Page, expect

from adapters.common.emulation.contract import Fault, FaultKind
from bridge.sandbox import Sandbox
from tests.flows.browser.test_page import ALL, message, pane, seen, type_into, use
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.browser


async def enter(page: Page, room: str) -> None:
    await page.locator("#rooms").get_by_role("button", name=room).click()


async def test_rooms_are_apart(page: Page) -> None:
    await type_into(page, "telegram", "said in the lobby")
    await seen(page, "slack", "said in the lobby")
    await enter(page, "News")
    await expect(pane(page, "slack").locator(".message")).to_have_count(0)
    await expect(pane(page, "slack").locator(".empty")).to_contain_text("only receives")
    await type_into(page, "slack", "nobody hears this")
    mark = (await seen(page, "slack", "nobody hears this")).locator(".mark")
    await expect(mark).to_have_attribute("title", re.compile("^Not relayed"))
    await type_into(page, "teamspirit", "news for all")
    for platform in ALL:
        await seen(page, platform, "news for all")
    await expect(page).to_have_url(re.compile("#news$"))
    await page.reload()
    await seen(page, "slack", "news for all")
    await enter(page, "Lobby")
    await seen(page, "slack", "said in the lobby")


async def test_an_address_that_was_cut_off_opens_the_first_room(page: Page, url: str) -> None:
    await page.goto(f"{url}#news%")
    await page.reload()
    await expect(page.locator("#rooms .room[aria-pressed='true']")).to_contain_text("Lobby")
    await type_into(page, "telegram", "said in the lobby")
    await seen(page, "slack", "said in the lobby")


async def test_threads_and_topics_are_opened_and_written_in(page: Page) -> None:
    await enter(page, "Projects")
    telegram = pane(page, "telegram")
    await telegram.get_by_role("button", name="New thread in Telegram").click()
    await telegram.get_by_role("textbox", name="Name of the new thread").fill("Website")
    await telegram.get_by_role("button", name="Open").click()
    await expect(telegram.get_by_role("button", name="Website", exact=True)).to_have_attribute("aria-pressed", "true")
    field = telegram.get_by_role("textbox", name="Message in Telegram")
    await expect(field).to_have_attribute("placeholder", "Write in Website …")
    await field.fill("in the topic")
    await field.press("Enter")
    await seen(page, "slack", "in the topic")
    await pane(page, "discord").get_by_role("button", name="Website", exact=True).click()  # it has one of that name, too
    await expect(await seen(page, "discord", "in the topic")).to_be_visible()
    await telegram.get_by_role("button", name="All", exact=True).click()
    await field.fill("beside it")
    await field.press("Enter")
    await seen(page, "telegram", "beside it")
    await telegram.get_by_role("button", name="Website", exact=True).click()
    await expect(message(page, "telegram", "beside it")).to_be_hidden()
    await expect(message(page, "telegram", "in the topic")).to_be_visible()
    # a new name and a closing go to its partner
    await telegram.get_by_role("button", name="Rename the thread Website").click()
    await telegram.get_by_role("textbox", name="Name of the chosen thread").fill("Web pages")
    await telegram.get_by_role("button", name="Rename", exact=True).click()
    await expect(pane(page, "discord").get_by_role("button", name="Web pages", exact=True)).to_be_visible()
    await telegram.get_by_role("button", name="Close the thread Web pages").click()
    await expect(pane(page, "discord").get_by_title("Web pages (closed)")).to_be_visible()
    await telegram.get_by_role("button", name="Reopen the thread Web pages").click()
    await expect(pane(page, "discord").get_by_title("Web pages (closed)")).to_be_hidden()

    # a thread that grows from a message
    await use(await seen(page, "slack", "beside it"), "Open a thread")
    slack = pane(page, "slack").get_by_role("textbox", name="Message in Slack")
    await slack.fill("an answer in its thread")
    await slack.press("Enter")
    await expect(await seen(page, "slack", "an answer in its thread")).to_have_class(re.compile("threaded"))
    await expect(await seen(page, "slack", "beside it")).to_contain_text("1 answer in its thread")
    await seen(page, "discord", "an answer in its thread")


async def test_a_pin_crosses_and_is_shown_above(page: Page) -> None:
    await type_into(page, "slack", "worth keeping")
    await use(await seen(page, "slack", "worth keeping"), "Pin")
    for platform in ("slack", "discord"):
        pins = pane(page, platform).locator(".pins")
        await expect(pins).to_contain_text("worth keeping")
    await pane(page, "discord").locator(".pins button").click()
    await expect(message(page, "discord", "worth keeping").first).to_be_focused()
    await use(await seen(page, "slack", "worth keeping"), "Unpin")
    await expect(pane(page, "slack").locator(".pins")).to_be_hidden()


async def test_the_emoji_picker_by_keyboard(page: Page) -> None:
    await type_into(page, "slack", "react to this")
    original = await seen(page, "slack", "react to this")
    await use(original, "React")
    await original.get_by_role("button", name="More emoji").click()
    picker = page.get_by_role("dialog", name="Emoji")
    search = picker.get_by_role("searchbox")
    await expect(search).to_be_focused()
    await search.fill("rocket")
    await expect(picker.get_by_role("status")).to_contain_text("found")
    await search.press("Enter")
    await expect(picker).to_have_count(0)
    await expect(original.locator(".reaction")).to_contain_text("🚀")
    await expect((await seen(page, "discord", "react to this")).locator(".reaction")).to_contain_text("🚀")

    # the arrow keys, a group, what was used lately, a skin tone
    await pane(page, "slack").get_by_role("button", name="Insert an emoji").click()
    await expect(picker.get_by_role("button", name="Insert 🚀 rocket")).to_be_visible()
    await picker.get_by_role("button", name="Food & drink").click()
    await expect(picker.get_by_role("button", name="Insert 🍎 red apple")).to_be_visible()
    await picker.get_by_role("button", name=re.compile("^Skin tone: no")).click()
    await search.fill("waving hand")
    await search.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(pane(page, "slack").get_by_role("textbox", name="Message in")).to_have_value("👋🏻")
    await pane(page, "slack").get_by_role("button", name="Insert an emoji").click()
    await page.keyboard.press("Escape")
    await expect(picker).to_have_count(0)


async def test_the_open_reactions_of_a_message_outlive_its_news(page: Page, sandbox: Sandbox) -> None:
    """The row is drawn anew when its mark comes, or somebody reacts."""
    await type_into(page, "slack", "react to this")
    original = await seen(page, "slack", "react to this")
    await use(original, "React")
    await page.keyboard.press("Tab")
    chosen = await page.evaluate("document.activeElement.textContent")
    chat, message_id = sandbox.rooms["lobby"]["slack"].chat_id, await original.get_attribute("data-id")
    assert message_id
    await sandbox.emulators["slack"].react(chat, message_id, "Boris", "🎉")
    await expect(original.locator(".reaction")).to_contain_text("🎉")
    await expect(original.locator(".mark")).to_have_attribute("title", re.compile("^Delivered to all"))
    await expect(original.get_by_role("button", name="More emoji")).to_be_visible()
    assert await page.evaluate("document.activeElement.textContent") == chosen


async def test_an_at_offers_the_people(page: Page) -> None:
    for platform in ("slack", "discord"):
        field = pane(page, platform).get_by_role("textbox", name="Message in")
        await field.press_sequentially("hello @ch")
        option = pane(page, platform).locator(".people").get_by_role("option", name="Chiara")
        await expect(option).to_have_attribute("aria-selected", "true")
        await field.press("Enter")
        await field.press_sequentially(f"from {platform}")
        await field.press("Enter")
        copy = await seen(page, "slack", f"from {platform}")
        await expect(copy.locator(".mention")).to_have_text("@Chiara")


async def add(page: Page, platform: str, what: str) -> None:
    await pane(page, platform).get_by_role("button", name="Add …").click()
    await page.get_by_role("menuitem", name=what).click()


async def test_samples_to_send(page: Page) -> None:
    await add(page, "telegram", "An album")
    await expect(pane(page, "telegram").locator(".chip")).to_have_count(3)
    await type_into(page, "telegram", "three views")
    for platform in ALL:
        await expect((await seen(page, platform, "three views")).locator(".picture img")).to_have_count(3)
    await add(page, "telegram", "A sticker")
    await expect(pane(page, "telegram").locator(".picture.sticker img")).to_have_js_property("naturalWidth", 512)
    await add(page, "telegram", "A voice message")
    voice = pane(page, "telegram").locator(".voice")
    await expect(voice).to_contain_text("Voice message")
    await expect(pane(page, "slack").locator("audio")).to_have_count(1)
    await voice.locator("audio").evaluate("audio => audio.play()")  # the browser can play it


async def test_what_is_spoken_is_a_voice_message(page: Page, sandbox: Sandbox) -> None:
    """Into the browser's own microphone, which beeps; the messenger has it as its clients send it."""
    telegram = pane(page, "telegram")
    await telegram.get_by_role("button", name="Record a voice message").click()
    await expect(page.locator("#toasts")).to_contain_text("the microphone is not allowed for this page")
    await page.context.grant_permissions(["microphone"])
    for button in ("Throw the recording away", "Send the recording"):
        await telegram.get_by_role("button", name="Record a voice message").click()
        # visible: while the browser opens the microphone anew, the hidden words are those of the recording before
        await expect(telegram.get_by_text("Recording 0:02")).to_be_visible()
        await telegram.get_by_role("button", name=button).click()
    voice = telegram.locator(".voice")
    await expect(voice).to_have_count(1)
    await voice.locator("audio").evaluate("audio => audio.play()")
    await expect(pane(page, "slack").locator("audio")).to_have_count(1)
    chat = sandbox.rooms["lobby"]["telegram"].chat_id
    (file,) = [file for message in sandbox.emulators["telegram"].transcript(chat) for file in message.files]
    assert (file.kind, file.mime) == ("voice", "audio/ogg")
    with av.open(io.BytesIO(sandbox.emulators["telegram"].file_bytes(file.file_id)), mode="r", format="ogg") as sound:
        assert sound.duration is not None
        assert sound.duration / av.time_base > 1.0
        assert sum(frame.samples for frame in sound.decode(audio=0)) > 48_000


async def test_the_sign_tells_the_story_and_a_dead_end_is_tried_again(page: Page) -> None:
    await pane(page, "slack").get_by_role("button", name="Break Slack").click()
    await pane(page, "slack").get_by_role("button", name="Dead end").click()
    await expect(pane(page, "slack").locator(".banner")).to_contain_text("refuses every message for good")
    await type_into(page, "discord", "into a dead end")
    mark = (await seen(page, "discord", "into a dead end")).locator(".mark")
    await expect(mark).to_have_class("mark bad")
    await expect(page.locator(".undelivered summary")).to_contain_text("1 not delivered")
    await mark.click()
    story = page.get_by_role("dialog", name="What became of this message")
    await expect(story).to_contain_text("Slack not delivered")
    await expect(story).to_contain_text("TeamSpirit delivered")
    await page.keyboard.press("Escape")
    await page.reload()  # it is still known what is broken
    await expect(pane(page, "slack").locator(".banner")).to_contain_text("refuses every message for good")
    await pane(page, "slack").locator(".banner").get_by_role("button", name="Heal").click()
    await expect(pane(page, "slack").locator(".banner")).to_be_hidden()
    await (await seen(page, "discord", "into a dead end")).locator(".mark").click()
    await story.get_by_role("button", name="Try again").click()
    await expect(story).to_contain_text("Slack delivered")
    await page.keyboard.press("Escape")
    await seen(page, "slack", "into a dead end")
    await expect((await seen(page, "discord", "into a dead end")).locator(".mark")).to_have_class("mark good")


async def test_what_waits_for_a_closed_chat_arrives_when_it_is_opened(page: Page) -> None:
    await pane(page, "slack").get_by_role("button", name="Break Slack").click()
    await pane(page, "slack").get_by_role("button", name="Closed chat").click()
    await type_into(page, "discord", "for later")
    mark = (await seen(page, "discord", "for later")).locator(".mark")
    await expect(mark).to_have_attribute("title", re.compile("^Waiting for 1 of 4"))
    await page.reload()  # it is still known what is broken
    await expect(pane(page, "slack").locator(".banner")).to_contain_text("takes nothing more in this chat")
    await pane(page, "slack").locator(".banner").get_by_role("button", name="Heal").click()
    await expect(mark).to_have_class("mark good")
    await seen(page, "slack", "for later")


async def test_a_switch_with_a_time_goes_off_by_itself(page: Page, sandbox: Sandbox) -> None:
    await pane(page, "slack").get_by_role("button", name="Break Slack").click()
    switch = pane(page, "slack").get_by_role("button", name="429 for 20 s")
    await switch.click()
    await expect(switch).to_have_attribute("aria-pressed", "true")
    await type_into(page, "discord", "waits a while")
    await expect((await seen(page, "discord", "waits a while")).locator(".mark")).to_have_class("mark wait")
    await seen(page, "slack", "waits a while")
    await expect(switch).to_have_attribute("aria-pressed", "false")


async def test_somebody_types(page: Page) -> None:
    field = pane(page, "discord").get_by_role("textbox", name="Message in")
    await field.press_sequentially("about to say")
    await expect(pane(page, "discord").locator(".typing")).to_contain_text("Dmitri is typing")
    await expect(pane(page, "telegram").locator(".typing")).to_contain_text("typing")
    await field.press("Enter")
    await expect(pane(page, "discord").locator(".typing")).to_be_hidden()


async def test_a_first_visit_explains_itself_in_three_steps(browser: Browser, url: str) -> None:
    page = await browser.new_page(viewport={"width": 390, "height": 800})
    expect.set_options(timeout=PATIENCE_S * 1000)
    await page.goto(url)
    card = page.locator(".intro")
    for number in (1, 2, 3):
        await expect(card).to_contain_text(f"{number} of 3")
        await expect(card.get_by_role("heading")).to_be_focused()
        await expect(page.locator(".spot")).to_have_count(1)
        await card.get_by_role("button", name="Start" if number == 3 else "Next").click()
    await expect(card).to_have_count(0)
    await page.reload()
    await page.wait_for_selector(".pane")
    await expect(card).to_have_count(0)
    await page.get_by_text("What can I try?").click()
    await page.get_by_role("button", name="Show the three steps again").click()
    await expect(card).to_contain_text("1 of 3")
    await page.keyboard.press("Escape")
    await expect(card).to_have_count(0)
    await page.close()


async def test_who_writes_at_once_is_shown_the_next_step_and_writes_on(browser: Browser, url: str) -> None:
    page = await browser.new_page(viewport={"width": 1400, "height": 900})
    expect.set_options(timeout=PATIENCE_S * 1000)
    await page.goto(url)
    card = page.locator(".intro")
    await expect(card).to_contain_text("1 of 3")
    field = page.locator(".pane textarea").first
    await field.fill("hello")
    await field.press("Enter")
    await expect(card).to_contain_text("2 of 3")
    await expect(field).to_be_focused()
    await field.fill("and more")
    await field.press("Enter")
    await expect(page.locator(".pane").nth(1).get_by_text("and more")).to_be_visible()
    await expect(card).to_contain_text("2 of 3")
    await page.close()


async def test_a_crowded_chat_stays_small_and_strangers_stay_in_their_lines(page: Page, sandbox: Sandbox) -> None:
    chat, emulator = sandbox.rooms["news"]["slack"], sandbox.emulators["slack"]
    for number in range(2000):
        await emulator.say(chat.chat_id, "Anna", f"number {number}")
    await emulator.say(chat.chat_id, "\u202eevil" + "n" * 5000, "z" + "\u0301" * 500 + " \u202ereversed " + "w" * 40_000)
    await emulator.say(chat.chat_id, "Anna", "long words " * 4000)
    await enter(page, "News")
    last = message(page, "slack", "long words").last
    await expect(last).to_be_visible()
    rows = pane(page, "slack").locator(".message")
    await expect(rows).to_have_count(500)
    size = await last.evaluate("row => [row.textContent.length, row.getBoundingClientRect().height]")
    assert size[0] < 5000, "the whole text is drawn when somebody asks for it"
    await last.get_by_role("button", name=re.compile("^Show all")).click()
    assert await last.evaluate("row => row.textContent.length") > 40_000
    overflow = await pane(page, "slack").locator(".scroller").evaluate("node => node.scrollWidth - node.clientWidth")
    assert overflow <= 0
    evil = rows.nth(498)
    assert await evil.locator(".author").evaluate("node => getComputedStyle(node).unicodeBidi") == "isolate"
    assert "\u202e" not in (await evil.get_attribute("aria-label") or "\u202e")


async def test_faults_elsewhere_do_not_stop_the_page(page: Page, sandbox: Sandbox) -> None:
    """The marks are asked of the journal, so that they are told while every messenger is broken."""
    for platform in ("telegram", "slack", "teamspirit"):
        sandbox.emulators[platform].inject(Fault(kind=FaultKind.SERVER_ERROR, status=500))
    await type_into(page, "discord", "nobody answers")
    mark = (await seen(page, "discord", "nobody answers")).locator(".mark")
    await expect(mark).to_have_attribute("title", re.compile("^Waiting for 3 of 4"))
    for platform in ("telegram", "slack", "teamspirit"):
        sandbox.emulators[platform].clear_faults()
    await expect(mark).to_have_attribute("title", re.compile("^Delivered to all 4"))


async def test_a_poll_is_asked_voted_on_and_closed(page: Page) -> None:
    await add(page, "telegram", "A poll")
    form = page.get_by_role("dialog", name="Ask a poll in Telegram")
    await form.get_by_label("Question").fill("Where do we eat?")
    await form.get_by_role("button", name="Ask", exact=True).click()
    await expect(form.get_by_role("alert")).to_contain_text("at least 2 answers")
    for number, answer in enumerate(("In the park", "At home"), 1):
        await form.get_by_label(f"Answer {number}", exact=True).fill(answer)
    await form.get_by_role("button", name="Ask", exact=True).click()
    await expect(form).to_have_count(0)
    for platform in ("telegram", "discord"):
        await expect(pane(page, platform).locator(".poll")).to_contain_text("Where do we eat?")
    await expect(pane(page, "slack").locator(".message")).to_contain_text("In the park")
    option = pane(page, "telegram").get_by_role("button", name=re.compile("^In the park"))
    await option.click()
    await expect(option).to_have_attribute("aria-pressed", "true")
    await expect(option).to_have_attribute("aria-label", "In the park: 1 vote, Boris")
    await option.click()  # once more: the vote is taken back
    await expect(option).to_have_attribute("aria-pressed", "false")
    await pane(page, "telegram").locator(".poll").get_by_role("button", name="Close").click()
    await expect(pane(page, "telegram").locator(".poll-state")).to_contain_text("Closed poll")
    await expect(option).to_be_disabled()
    await expect(pane(page, "discord").locator(".poll-state")).to_contain_text("Closed poll")


async def test_the_story_of_a_message_comes_back_after_a_fault(page: Page) -> None:
    await type_into(page, "slack", "the whole story")
    mark = (await seen(page, "slack", "the whole story")).locator(".mark")
    await expect(mark).to_have_attribute("title", re.compile("^Delivered to all"))
    await mark.click()
    told = page.get_by_role("dialog", name="What became of this message").locator(".trace")
    await expect(told).to_contain_text("delivered")
    await page.route("**/trace", lambda route: route.fulfill(body="no JSON"))
    await expect(told).not_to_contain_text("delivered")
    await page.unroute("**/trace")
    await expect(told).to_contain_text("delivered")

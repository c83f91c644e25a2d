"""What somebody without a terminal does with an invitation, in a real browser: choose, make, try, paste the form, send it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bridge.journal.sqlite import SqliteJournal
from bridge.model.clock import SystemClock
from bridge.web.invited_texts import ENGLISH, RUSSIAN
from tests.support.accepting_account import AcceptingAccount
from tests.support.keyed_door import HOOKS, Door
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.browser

_PATIENCE_MS = PATIENCE_S * 1000


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    door = Door(journal, clock=SystemClock())
    door.port = await door.public.start("127.0.0.1", 0)
    door.public.public_url = f"http://127.0.0.1:{door.port}"
    yield door
    await door.public.stop()
    await journal.close()


@pytest.fixture
def account(door: Door) -> AcceptingAccount:
    made = AcceptingAccount(door.journal, door.clock, HOOKS)
    door.public.of(HOOKS).serve_keys(made.handle)
    return made


async def opened(browser: Browser, *, javascript: bool, locale: str, complaints: list[str]) -> Page:
    context = await browser.new_context(java_script_enabled=javascript, locale=locale)
    page = await context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_websites_form_is_set_up_tried_and_sent(
    browser: Browser, door: Door, account: AcceptingAccount, complaints: list[str], tmp_path: Path, javascript: bool
) -> None:
    page = await opened(browser, javascript=javascript, locale="en-GB", complaints=complaints)
    await page.goto(door.public.public_url + await door.invite("alerts", "site"))
    await page.get_by_role("button", name=ENGLISH["begin"]).click()
    await page.get_by_label(re.compile("hooks/site goes to tg/site")).check()
    await page.get_by_label(re.compile(ENGLISH["label"], re.IGNORECASE)).fill("Contact form")
    await page.get_by_label(ENGLISH["phone"]).check()
    await page.get_by_label(ENGLISH["more_fields"]).fill("Favourite colour")
    await page.get_by_role("button", name=ENGLISH["make"]).click()
    await expect(page.get_by_role("heading", name=ENGLISH["ready"])).to_be_visible()
    await expect(page.get_by_role("button", name=ENGLISH["copy"])).to_be_visible(visible=javascript)
    snippet = await page.locator("#snippet").input_value()
    await page.get_by_role("button", name=ENGLISH["test"]).click()
    await expect(page.locator(".delivered")).to_have_text(ENGLISH["delivered"])
    assert account.texts == [f"Contact form / {ENGLISH['test_words']}"]
    assert not complaints

    site = tmp_path / "contact.html"
    site.write_text(f"<!doctype html><meta charset=utf-8><title>Us</title>{snippet}", encoding="utf-8")
    await page.goto(site.as_uri())
    await expect(page.get_by_label(ENGLISH["leave_empty"])).to_be_hidden()
    await page.get_by_label(ENGLISH["name"]).fill("Zoë")
    await page.get_by_label(ENGLISH["email"]).fill("zoe@example.com")
    await page.get_by_label(ENGLISH["message"]).fill("Grüße, привет")
    await page.get_by_label("Favourite colour").fill("green")
    await page.get_by_role("button", name=ENGLISH["send"]).click()
    await expect(page.locator("body")).to_have_text("thank you")
    assert account.texts[1:] == ["Zoë / zoe@example.com / Grüße, привет / green"]
    await page.context.close()


async def test_a_service_is_set_up_in_russian(
    browser: Browser, door: Door, account: AcceptingAccount, complaints: list[str]
) -> None:
    page = await opened(browser, javascript=True, locale="ru-RU", complaints=complaints)
    await page.goto(door.public.public_url + await door.invite("alerts"))
    await page.get_by_role("button", name=RUSSIAN["begin"]).click()
    await expect(page.locator("#of-form")).to_be_visible()
    await page.get_by_label(RUSSIAN["service"]).check()
    await expect(page.locator("#of-form")).to_be_hidden()
    await page.get_by_role("button", name=RUSSIAN["make"]).click()
    url = await page.locator("#url").input_value()
    answer = await page.request.post(url, data="привет", headers={"Content-Type": "text/plain"})
    assert answer.status == 200
    await page.get_by_role("button", name=RUSSIAN["test"]).click()
    await expect(page.locator(".delivered")).to_have_text(RUSSIAN["delivered"])
    assert account.texts == ["привет", RUSSIAN["test_words"]]
    await page.get_by_role("link", name=RUSSIAN["another"]).click()
    await expect(page.get_by_role("button", name=RUSSIAN["make"])).to_be_visible()
    assert not complaints
    await page.context.close()

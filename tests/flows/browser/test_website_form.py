"""A website's form in a real browser, as the recipe in docs/webhooks.md has it: what a visitor sends reaches the group chat."""

from __future__ import annotations

import hashlib

import pytest
from aiohttp import web
from playwright.async_api import Browser, expect

from tests.flows.hooked import Hooked

pytestmark = pytest.mark.browser

FORM = """<!doctype html><meta charset="{charset}"><title>Магазин</title>
<form action="{url}" method="post" enctype="{enctype}">
  <input type="hidden" name="_charset_">
  <input name="name">
  <textarea name="words" required></textarea>
  {file}
  <input name="url" style="display:none" tabindex="-1" autocomplete="off">
  <button>Send</button>
</form>"""


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251"])
@pytest.mark.parametrize("enctype", ["multipart/form-data", "application/x-www-form-urlencoded"])
async def test_what_a_visitor_sends_reaches_the_group(hooked: Hooked, browser: Browser, charset: str, enctype: str) -> None:
    has_file = enctype.startswith("multipart")
    given = {"charset": charset, "url": await hooked.key("site", is_form=True), "enctype": enctype}
    html = FORM.format(**given, file='<input type="file" name="photo">' if has_file else "").encode(charset)

    async def site(_: web.Request) -> web.Response:
        return web.Response(body=html, headers={"Content-Type": f"text/html; charset={charset}"})

    app = web.Application()
    app.router.add_get("/", site)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        await page.fill("[name=name]", "Анна")
        await page.fill("[name=words]", "Привет!\nВы открыты?")
        if has_file:
            picture = {"name": "витрина.png", "mimeType": "image/png", "buffer": b"\x89PNG picture"}
            await page.set_input_files("[name=photo]", picture)  # type: ignore[arg-type]
        await page.click("button")
        await expect(page.locator("body")).to_have_text("Thank you.")
    finally:
        await runner.cleanup()
    copy = await hooked.copy("telegram", "From the website")
    assert copy.text.endswith("From the website\nName: Анна\nYour words:\nПривет!\nВы открыты?")
    if has_file:
        (file,) = [file for seen in hooked.seen("telegram") for file in seen.files]
        assert (file.sha256, file.name) == (hashlib.sha256(b"\x89PNG picture").hexdigest(), "витрина.png")

"""Systems that post into a group chat, through the real listener: with a key, signed, by a form and by a page that was called."""

from __future__ import annotations

import hashlib
import hmac
import json

import aiohttp

from tests.adapters.webhook.inbound.senders import GITHUB, alertmanager
from tests.flows.hooked import Hooked
from tests.support.patience import eventually


async def test_a_websites_form_reaches_the_group(hooked: Hooked) -> None:
    key = await hooked.key("site", is_form=True)
    form = aiohttp.FormData({"name": "Anna", "words": "Is it open?\nToday?", "url": ""})
    form.add_field("photo", b"\x89PNG picture", filename="shop.png", content_type="image/png")
    page = await hooked.call("POST", key, data=form, headers={"Accept": "text/html"})
    assert "Thank you" in page
    copy = await hooked.copy("telegram", "From the website")
    assert copy.text.endswith("From the website\nName: Anna\nYour words:\nIs it open?\nToday?")
    assert "Anna" in copy.text.splitlines()[0]
    files = await eventually(lambda: [file for seen in hooked.seen("telegram") for file in seen.files], what="the picture")
    assert [file.sha256 for file in files] == [hashlib.sha256(b"\x89PNG picture").hexdigest()]
    await hooked.call("POST", key, data={"name": "Robot", "words": "Buy", "url": "http://spam"}, headers={"Accept": "text/html"})
    await hooked.call("POST", key, data={"name": "Ben", "words": "the last word"})
    await hooked.copy("telegram", "the last word")
    assert not hooked.copies("telegram", "Robot")


async def test_a_page_that_was_called_is_told_to_the_group(hooked: Hooked) -> None:
    key = await hooked.key("page")
    await hooked.call("GET", key, headers={"User-Agent": "TelegramBot (like TwitterBot)"})
    await hooked.call("GET", f"{key}?page=prices", headers={"User-Agent": "Mozilla/5.0 Firefox/128.0"})
    copy = await hooked.copy("telegram", "prices was called")
    assert "a sender" in copy.text
    assert len(hooked.seen("telegram")) == 1


async def test_a_signed_push_reaches_the_group(hooked: Hooked) -> None:
    event, payload = GITHUB["push"]
    body = json.dumps(payload).encode()
    signature = "sha256=" + hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-GitHub-Event": event, "X-Hub-Signature-256": signature}
    await hooked.call("POST", f"{hooked.url}/hooks/hooks/deploys", data=body, headers=headers)
    await hooked.call("POST", f"{hooked.url}/hooks/hooks/deploys", 401, data=body + b" ", headers=headers)
    copy = await hooked.copy("telegram", "pushed 2 commits (forced) to octo/web main")
    assert "Fix *the* _thing_" in copy.text


async def test_resolved_edits_the_copy_and_the_next_fire_is_a_message_after_a_restart_too(hooked: Hooked) -> None:
    key = await hooked.key("alerts")
    await hooked.call("POST", key, json=alertmanager())
    first = await hooked.copy("telegram", "[FIRING:1] DiskFull")
    await hooked.stop_bridge()
    await hooked.start_bridge(wait_up=False)
    await hooked.all_up("telegram", "hooks")
    await hooked.call("POST", key, json=alertmanager())
    await hooked.call("POST", key, json=alertmanager("resolved"))
    assert (await hooked.copy("telegram", "[RESOLVED] DiskFull")).message_id == first.message_id
    await hooked.call("POST", key, json=alertmanager())
    assert (await hooked.copy("telegram", "[FIRING:1] DiskFull")).message_id != first.message_id
    assert len(hooked.seen("telegram")) == 2

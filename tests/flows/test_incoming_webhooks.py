"""Systems that post into a group chat, through the real listener: with a key, signed, by a form and by a page that was called."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import apprise
import pytest

from bridge.model.refs import AccountName, ChatAddress
from bridge.model.web_mount import KeyDirection
from bridge.web.new_keys import make_key
from tests.adapters.webhook.inbound.senders import GITHUB, alertmanager
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import PATIENCE_S, eventually

HOOKS = AccountName("hooks")
ENDS: Mapping[str, Any] = {
    "site": {"form": {"title": "From the website", "fields": {"name": "Name", "words": "Your words"}, "honeypot": "url"}},
    "page": {"get": True},
    "alerts": {},
    "deploys": {"signature": {"scheme": "github", "secret": "hush"}},
}


class Hooked(World):
    """Telegram's group, and an account of webhooks with an end for each sender."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, platforms=("telegram",))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings["web"] = {"public": {"listen": f"127.0.0.1:{self.port}", "url": self.url}}

    def document(self) -> dict[str, Any]:
        document = super().document()
        document["accounts"]["hooks"] = {"platform": "webhook", "ends": ENDS}
        group = f"telegram/{self.chats['telegram'].address}"
        document["routes"] = [{"name": "hooks", "from": [f"hooks/{end}" for end in ENDS], "to": group}]
        return document

    async def key(self, end: str, **more: Any) -> str:
        """Its URL."""
        assert self.app is not None
        stored, secret = make_key(ChatAddress(HOOKS, end), KeyDirection.IN, now=datetime.now(UTC), label="a sender", **more)
        await self.app.journal.add_key(stored)
        return f"{self.url}/in/{secret}"

    async def call(self, method: str, url: str, status: int = 200, **more: Any) -> str:
        async with aiohttp.ClientSession() as session, session.request(method, url, **more) as response:
            text = await response.text()
            assert response.status == status, text
            return text


@pytest.fixture
async def hooked(tmp_path: Path) -> AsyncIterator[Hooked]:
    world = Hooked(tmp_path)
    await world.start_platforms()
    await world.start_bridge(wait_up=False)
    await world.all_up("telegram", "hooks")
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


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


# -- senders that we did not write -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["json", "form"])
async def test_apprise_posts_unchanged(hooked: Hooked, scheme: str) -> None:
    """What it makes for Slack and Mattermost goes to their own paths alone: those are read in the adapter's tests."""
    notifier = apprise.Apprise()
    notifier.add((await hooked.key("alerts")).replace("http://", f"{scheme}://"))
    assert await asyncio.wait_for(notifier.async_notify(body="the words", title="The title"), PATIENCE_S)
    copy = await hooked.copy("telegram", "the words")
    assert "The title" in copy.text


_SLACK_WEBHOOK = """
const { IncomingWebhook } = require("@slack/webhook");
new IncomingWebhook(process.argv[1]).send({ text: "*bold* words" }).then((answer) => console.log(answer.text));
"""


async def test_slacks_own_library_posts_unchanged(hooked: Hooked) -> None:
    """npm's @slack/webhook, where NODE_PATH leads to it."""
    node = shutil.which("node")
    if node is None or await _ran(node, "-e", "require.resolve('@slack/webhook')") != (0, ""):
        pytest.skip("node with @slack/webhook is not installed: test_doors.py has what it posts")
    assert await _ran(node, "-e", _SLACK_WEBHOOK, await hooked.key("alerts")) == (0, "ok\n")
    assert "bold words" in (await hooked.copy("telegram", "bold words")).text


async def _ran(*command: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, out.decode()


_ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


@pytest.mark.skipif(_ALERTMANAGER is None, reason="prometheus-alertmanager (Debian) is not installed: senders.py stands in")
@pytest.mark.parametrize("kind", ["webhook_configs", "slack_configs"])
async def test_alertmanager_posts_unchanged(hooked: Hooked, tmp_path: Path, kind: str) -> None:
    key, port = await hooked.key("alerts"), free_port()
    receiver = {"url": key} if kind == "webhook_configs" else {"api_url": key, "channel": "#alerts", "send_resolved": True}
    config = {
        "route": {"receiver": "bridge", "group_by": ["alertname"], "group_wait": "100ms", "group_interval": "1s"},
        "receivers": [{"name": "bridge", kind: [receiver]}],
    }
    path = tmp_path / "alertmanager.yml"
    path.write_text(json.dumps(config))
    assert _ALERTMANAGER is not None
    listen = [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    options = [f"--config.file={path}", f"--storage.path={tmp_path}/data", *listen]
    process = await asyncio.create_subprocess_exec(_ALERTMANAGER, *options, stderr=asyncio.subprocess.DEVNULL)
    try:
        alert: dict[str, Any] = {"labels": {"alertname": "DiskFull", "instance": "db1"}, "annotations": {"summary": "full"}}
        await alert_once_up(hooked, port, [alert])
        first = await hooked.copy("telegram", "[FIRING:1] DiskFull")
        await alert_once_up(hooked, port, [{**alert, "endsAt": datetime.now(UTC).isoformat()}])
        resolved = await hooked.copy("telegram", "[RESOLVED] DiskFull")
        assert (resolved.message_id == first.message_id) is (kind == "webhook_configs")
    finally:
        process.kill()
        await process.wait()


async def alert_once_up(hooked: Hooked, port: int, alerts: list[Any]) -> None:
    await eventually(lambda: listens(port), what="Alertmanager listens")
    await hooked.call("POST", f"http://127.0.0.1:{port}/api/v2/alerts", json=alerts)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

"""Senders that we did not write post into a group chat unchanged: programs of Debian, packages of npm and of PyPI."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apprise
import matterhook
import pytest
from matterhook.incoming import HTTPError

from tests.flows.hooked import Hooked, running
from tests.support.network import free_port
from tests.support.patience import PATIENCE_S, eventually
from tests.support.programs import debian, node


async def test_apprise_posts_unchanged(hooked: Hooked) -> None:
    """By those of its services that can be given an address. Of XML it is told that it is not read."""
    url = await hooked.key("alerts")
    place, key = url.removeprefix("http://"), url.rpartition("/")[2]
    server = hooked.url.removeprefix("http://")
    addresses = {
        "json": f"json://{place}",
        "form": f"form://{place}",
        "mattermost": f"mmost://{server}/{key}?format=markdown",
        "ntfy": f"ntfy://{server}/backups?token={key}&priority=max&tags=disk&image=no",
    }
    for name, address in addresses.items():
        assert await notified(address, f"the words of {name}"), name
        copy = await hooked.copy("telegram", f"the words of {name}")
        assert "The title" in copy.text, name
    assert "highest priority" in copy.text
    assert "🏷️ disk" in copy.text
    assert not await notified(f"xml://{place}", "never")


async def test_apprise_sends_files(hooked: Hooked, tmp_path: Path) -> None:
    url = await hooked.key("alerts")
    server, key = hooked.url.removeprefix("http://"), url.rpartition("/")[2]
    report = tmp_path / "report.csv"
    report.write_bytes(b"a;b\n")
    for address in (f"form://{url.removeprefix('http://')}", f"ntfy://{server}/backups?token={key}"):
        assert await notified(address, "as a file", attach=str(report)), address
    files = await eventually(lambda: two([file for seen in hooked.seen("telegram") for file in seen.files]), what="both files")
    assert {(file.name, file.sha256) for file in files} == {("report.csv", hashlib.sha256(b"a;b\n").hexdigest())}


def two(found: list[Any]) -> list[Any] | None:
    return found if len(found) == 2 else None


async def notified(address: str, words: str, **more: Any) -> bool:
    notifier = apprise.Apprise()
    assert notifier.add(address), address
    sent = await asyncio.wait_for(notifier.async_notify(body=words, title="The title", **more), PATIENCE_S)
    return bool(sent)


async def test_matterhook_posts_unchanged(hooked: Hooked) -> None:
    """It adds the path of Mattermost's incoming webhooks itself, and writes Mattermost's Markdown."""
    key = (await hooked.key("alerts")).rpartition("/")[2]
    hook = matterhook.Webhook(hooked.url, key, username="Deploys", channel="town-square")
    await asyncio.to_thread(hook.send, "**bold** [words](https://example.com/w)")
    copy = await hooked.copy("telegram", "bold words")
    assert "Deploys" in copy.text
    box = matterhook.Attachment(fallback="x", title="Backup", text="*done*")
    await asyncio.to_thread(hook.send, None, attachments=[box.payload])
    assert "Backup" in (await hooked.copy("telegram", "done")).text
    with pytest.raises(HTTPError, match="not authorised"):
        await asyncio.to_thread(matterhook.Webhook(hooked.url, key[:-1] + "x").send, "never")


_SLACK_WEBHOOK = """
import { IncomingWebhook } from "@slack/webhook";
const blocks = [{ type: "section", text: { type: "mrkdwn", text: "*bold* words" } }];
const answer = await new IncomingWebhook(process.argv[1], { username: "Deploys" }).send({ text: "in short", blocks });
console.log(answer.text);
"""


async def test_slacks_own_library_posts_unchanged(hooked: Hooked) -> None:
    assert await node(_SLACK_WEBHOOK, await hooked.key("alerts")) == "ok\n"
    assert "Deploys" in (await hooked.copy("telegram", "bold words")).text


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
    listen = [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    async with debian("prometheus-alertmanager", f"--config.file={path}", f"--storage.path={tmp_path}/data", *listen):
        alert: dict[str, Any] = {"labels": {"alertname": "DiskFull", "instance": "db1"}, "annotations": {"summary": "full"}}
        await up(port)
        await hooked.call("POST", f"http://127.0.0.1:{port}/api/v2/alerts", json=[alert])
        first = await hooked.copy("telegram", "[FIRING:1] DiskFull")
        ended = {**alert, "endsAt": datetime.now(UTC).isoformat()}
        await hooked.call("POST", f"http://127.0.0.1:{port}/api/v2/alerts", json=[ended])
        resolved = await hooked.copy("telegram", "[RESOLVED] DiskFull")
        assert (resolved.message_id == first.message_id) is (kind == "webhook_configs")


_ANSWER = """
import json, sys, urllib.request
said = json.loads(sys.argv[2])["data"]["text"]
urllib.request.urlopen(sys.argv[1], data=f"heard: {said}".encode()).read()
"""


class Answered(Hooked):
    """Debian's `webhook` is told what is said in the group, and its command answers there."""

    bot = ""

    def document(self) -> dict[str, Any]:
        document = super().document()
        hooks = document["accounts"]["hooks"]
        hooks["allow_hosts"] = ["127.0.0.0/8"]
        hooks["ends"] = {**hooks["ends"], "bot": {"url": self.bot, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}
        group = f"telegram/{self.chats['telegram'].address}"
        document["routes"].append({"name": "bot", "from": group, "to": "hooks/bot"})
        return document


async def test_debians_webhook_is_told_and_its_command_answers(tmp_path: Path) -> None:
    world, port = Answered(tmp_path), free_port()
    world.bot = f"http://127.0.0.1:{port}/hooks/bot"
    async with running(world):
        arguments = [{"source": "string", "name": text} for text in ("-c", _ANSWER, await world.key("alerts"))]
        hook = {
            "id": "bot",
            "execute-command": sys.executable,
            "pass-arguments-to-command": [*arguments, {"source": "entire-payload"}],
            "trigger-rule": {
                "match": {
                    "type": "value",
                    "value": "message.created",
                    "parameter": {"source": "payload", "name": "type"},
                }
            },
        }
        (tmp_path / "hooks.json").write_text(json.dumps([hook]))
        async with debian("webhook", "-hooks", str(tmp_path / "hooks.json"), "-verbose", "-ip", "127.0.0.1", "-port", str(port)):
            await up(port)
            await world.say("telegram", "hello, bot")
            await world.copy("telegram", "heard: hello, bot")


async def up(port: int) -> None:
    await eventually(lambda: listens(port), what="the program listens")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

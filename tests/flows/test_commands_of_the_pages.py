"""Every command that a page of the documentation shows is run: by a table of what each must do, beside a bridge between emulators
that has accounts, routes, keys and a dead letter as the pages mean them. A command that is new on a page needs a line here."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import yaml

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.registry import load_emulator
from tests.flows.process import Daemon
from tests.flows.test_newcomer import shell
from tests.support.doc_blocks import ROOT, blocks, commands
from tests.support.network import free_port
from tests.support.patience import eventually, eventually_asked

ELSEWHERE = {
    "init": "test_newcomer.py plays it",
    "init --set teamspirit.dialect=mattermost": "tests/bridge/cli/test_init.py plays it",
    "run": "the daemon beside all others here",
    "chats telegram --listen 60": "test_newcomer.py plays it, for 3 s",
    "sandbox": "tests/bridge/sandbox and tests/flows/browser",
    "--help": "tests/bridge/cli/test_cli.py",
    "--version": "tests/bridge/cli/test_cli.py",
    "--install-completion": "tests/bridge/cli/test_completing.py",
    "dialect test teamspirit --read-only": "the same as with the account spirit",
    "trace --follow --route lobby": "tests/bridge/cli/test_following.py; it never ends by itself",
}


class Play(NamedTuple):
    """`says`: what is shown, among other things. `more`: words that are added, so that it ends, or changes nothing of this host."""

    says: str = ""
    code: int = 0
    more: Sequence[str] = ()


PLAYS = {
    "import matterbridge.toml --secrets bridge.env": Play("accounts:"),
    "check": Play("ok, 5 accounts"),
    "check --json": Play('"ok": true'),
    "check -c /etc/messenger-bridge/bridge.yaml": Play("ok, 5 accounts"),
    "check --env-file bridge.env": Play("ok, 5 accounts"),
    "check --diff": Play("nothing differs"),
    "reload": Play(),
    "check --online": Play("token"),
    "check --online --json": Play('"ok": true'),
    "check --online --env-file bridge.env": Play("token"),
    "routes --json": Play('"lobby"'),
    "routes engineering": Play("engineering"),
    "status --once": Play("1 dead letter"),
    "test lobby": Play("all 6 directions work"),
    "test engineering --env-file bridge.env": Play("all 2 directions work"),
    "trace https://acme.slack.com/archives/C024BE7LH/p1715000000000100": Play("delivered"),
    "trace team/C024BE7LH#1715000000.000100": Play("delivered"),
    "dead list": Play("lobby"),
    "dead list --json": Play("lobby"),
    "dead retry 117": Play(),
    "retry-now tg/-1009876543210": Play(),
    "mute Anna Petrova --minutes 60": Play("Anna Petrova"),
    "people list": Play("Anna Petrova"),
    "audit": Play("mute"),
    "forget tg/123456789 --dry-run": Play(),
    "keys create hooks/alerts --in --label Grafana": Play("/in/"),
    "keys create hooks/alerts --in --label Alertmanager": Play("/in/"),
    "keys create game/gateway1 --api --label Game server": Play(),
    "keys create game/* --api --label All gateways": Play(),
    "keys list": Play("Grafana"),
    "keys invite website --hours 24": Play("/keys/"),
    "hooks listen arvxp389": Play("POST", more=("--count", "1")),
    "hooks replay arvxp389 --since 10m": Play(),
    "keys rotate arvxp389 --overlap-days 3": Play("/in/"),
    "keys rotate arvxp389 --overlap-days 1": Play("/in/"),
    "keys revoke arvxp389": Play(),
    "journal check": Play(),
    "journal backup before-the-upgrade.journal": Play(),
    "journal export events.jsonl": Play(),
    "journal export": Play("{"),
    "dialect test spirit --read-only": Play(),
    "dialect test spirit --chat duty": Play(more=("--yes",)),
}
"""In the order in which they are run."""


class Bridge:
    """As the pages mean it. `real`: what stands here for the examples of the pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.emulators = {"tg": load_emulator("telegram"), "team": load_emulator("slack"), "spirit": load_emulator("teamspirit")}
        self.port = free_port()
        self.real: dict[str, str] = {}
        self.url = ""

    async def start(self) -> None:
        for emulator in self.emulators.values():
            await emulator.start()
        rooms = {name: {room: one.add_chat(room) for room in ("lobby", "duty")} for name, one in self.emulators.items()}
        self.rooms = rooms
        document: dict[str, Any] = {
            "accounts": {
                **{
                    name: {"platform": one.platform, **one.account_options(), **({"token": "${TG_TOKEN}"} if name == "tg" else {})}
                    for name, one in self.emulators.items()
                },
                "hooks": {
                    "platform": "webhook",
                    "ends": {"alerts": {}, "site": {"form": {"title": "From the website", "fields": {"text": "Your words"}}}},
                },
                "game": {"platform": "webhook", "style": "matterbridge", "ends": {"gateway1": {}}},
            },
            "routes": [
                {"name": "lobby", "between": [f"{name}/{room['lobby'].address}" for name, room in rooms.items()]},
                {"name": "engineering", "between": [f"{name}/{rooms[name]['duty'].address}" for name in ("tg", "spirit")]},
                {"name": "alerts", "from": "hooks/alerts", "to": f"team/{rooms['team']['duty'].address}"},
                {"name": "website", "from": "hooks/site", "to": f"team/{rooms['team']['duty'].address}"},
                {"name": "game", "between": ["game/gateway1", f"team/{rooms['team']['duty'].address}"]},
            ],
            "people": [{"name": "Anna Petrova", "tg": "123456789", "roles": ["moderator"]}],
            "web": {"public": {"listen": f"127.0.0.1:{self.port}", "url": f"http://127.0.0.1:{self.port}"}},
            "journal": {"path": str(self.folder / "bridge.journal")},
            "defaults": {"pace": "fast"},
            "media": {"convert": "off"},
        }
        self.config = self.folder / "bridge.yaml"
        self.config.touch(mode=0o600)
        self.config.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
        self.token = str(self.emulators["tg"].account_options()["token"])
        shutil.copy(ROOT / "tests" / "bridge" / "cli" / "matterbridge.toml", self.folder)
        self.daemon = Daemon(self.config, TG_TOKEN=self.token)

    async def relayed(self, said: str) -> str:
        """Says it in Slack's lobby; returns its id once Telegram has the copy."""
        chat = self.rooms["team"]["lobby"].chat_id
        message = await self.emulators["team"].say(chat, "Anna", said)
        there, room = self.emulators["tg"], self.rooms["tg"]["lobby"].chat_id
        await eventually(lambda: any(said in one.text for one in there.transcript(room)), what=said)
        return message

    async def run(self, *words: str) -> tuple[int, str]:
        """From the folder, as an admin would."""
        return await shell(*words, cwd=self.folder, TG_TOKEN=self.token)


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    running = Bridge(tmp_path)
    await running.start()
    try:
        await running.daemon.start()
        for name in running.emulators:
            await running.daemon.until_notified(f"{name} up")
        yield running
    finally:
        await running.daemon.kill()
        running.daemon.close()
        for emulator in running.emulators.values():
            await emulator.stop()


def of_pages() -> list[list[str]]:
    """Each once."""
    found = [words for block in blocks("sh", "bash", "console", "") for words in commands(block) if words and "..." not in words]
    return [json.loads(one) for one in dict.fromkeys(map(json.dumps, found))]


def test_every_command_of_the_pages_has_its_play() -> None:
    shown = {" ".join(words) for words in of_pages()}
    assert shown - PLAYS.keys() - ELSEWHERE.keys() == set()
    assert PLAYS.keys() - shown == set(), "no page shows it any more"
    assert ELSEWHERE.keys() - shown - {"--version", "--install-completion"} == set()


async def test_every_command_of_the_pages_does_what_it_says(bridge: Bridge) -> None:
    ts = await bridge.relayed("hello everybody")
    chat = bridge.rooms["team"]["lobby"].chat_id
    link = f"https://acme.slack.com/archives/{chat}/p{ts.replace('.', '')}"
    bridge.real = {
        "https://acme.slack.com/archives/C024BE7LH/p1715000000000100": link,
        "team/C024BE7LH#1715000000.000100": f"team/{chat}#{ts}",
        "tg/-1009876543210": f"tg/{bridge.rooms['tg']['lobby'].address}",
        "/etc/messenger-bridge/bridge.yaml": str(bridge.config),
        "117": await dead_letter(bridge),
    }
    words_of = {" ".join(words): words for words in of_pages()}
    wrong = []
    for name, play in PLAYS.items():
        if name.startswith("retry-now"):
            await something_waits(bridge)
        words = [bridge.real.get(word, word) for word in words_of[name]] + list(play.more)
        if name.startswith("hooks listen"):
            code, shown = await listened(bridge, words)
        else:
            code, shown = await bridge.run(*words)
        if code != play.code or play.says not in shown:
            wrong.append(f"{name}: {code}\n{shown}")
        if name.startswith("keys create hooks/alerts --in --label Grafana"):
            bridge.real["arvxp389"], bridge.url = await key_of(bridge, "Grafana"), url_in(shown)
        if name.startswith("import"):  # its variables, and this one
            with (bridge.folder / "bridge.env").open("a", encoding="utf-8") as file:
                file.write(f"TG_TOKEN={bridge.token}\n")
        if name.startswith("keys rotate"):
            bridge.real["arvxp389"] = await key_of(bridge, "Grafana")
    assert not wrong, "\n".join(wrong)


async def dead_letter(bridge: Bridge) -> str:
    """Its id."""
    fault = Fault(kind=FaultKind.SERVER_ERROR, status=400, operation="sendMessage", times=1)
    bridge.emulators["tg"].inject(fault)
    await bridge.emulators["team"].say(bridge.rooms["team"]["lobby"].chat_id, "Anna", "this one is refused")

    async def letters() -> list[Any]:
        _, shown = await bridge.run("dead", "list", "--json")
        return list(json.loads(shown)["dead"])

    (letter,) = await eventually_asked(letters, what="a dead letter")
    return str(letter["id"])


async def something_waits(bridge: Bridge) -> None:
    """For Telegram's lobby, longer than any test."""
    bridge.emulators["tg"].inject(Fault(kind=FaultKind.RATE_LIMIT, operation="sendMessage", times=1, retry_after_s=3000.0))
    await bridge.emulators["team"].say(bridge.rooms["team"]["lobby"].chat_id, "Anna", "this one waits")
    there, room = bridge.emulators["spirit"], bridge.rooms["spirit"]["lobby"].chat_id
    await eventually(lambda: any("this one waits" in one.text for one in there.transcript(room)), what="the copy elsewhere")


async def listened(bridge: Bridge, words: Sequence[str]) -> tuple[int, str]:
    """While a request comes."""
    listening = asyncio.create_task(bridge.run(*words))

    async def is_shown() -> bool:
        """Nothing is shown of what comes before it listens."""
        async with aiohttp.ClientSession() as session, session.post(bridge.url, json={"text": "disk full"}) as response:
            assert response.status == 200, await response.text()
        return listening.done()

    await eventually_asked(is_shown, what="a request that is shown")
    return await listening


async def key_of(bridge: Bridge, label: str) -> str:
    _, shown = await bridge.run("keys", "list", "--json")
    return str([one["id"] for one in json.loads(shown)["keys"] if one["label"] == label][-1])


def url_in(shown: str) -> str:
    return next(word for word in shown.split() if word.startswith("http") and "/in/" in word)

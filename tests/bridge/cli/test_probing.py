"""`check --online`: accounts are asked at once, each within its time, each failure its own finding; and against the emulators."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters import registry
from adapters.common.conformance import Lacks
from adapters.common.emulation.contract import Emulator
from bridge.cli.probing import Finding, probe_all
from bridge.config.load import load_config
from bridge.config.model import Config
from bridge.model.adapter import ProbeItem
from bridge.model.errors import AccountDown, ChatDown, RetryLater
from tests.support.patience import PATIENCE_S

SECRET = "a-very-secret-token"


class Scripted:
    """An adapter whose answers the test wrote."""

    def __init__(self, context: Any, act: Callable[[], Any]) -> None:
        self.account = context.account
        self._act = act
        self.closed = 0

    async def resolve(self, address: str) -> str:
        if address == "gone":
            raise ChatDown("not a member", action="invite the bot")
        return f"id of {address}"

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        found = self._act()
        if asyncio.iscoroutine(found):
            found = await found
        return [*found, *(ProbeItem(name="membership", ok=True, chat_id=chat_id) for chat_id in chat_ids)]

    async def close(self) -> None:
        self.closed += 1


def fail(error: Exception) -> Callable[[], Any]:
    def act() -> Any:
        raise error

    return act


@pytest.fixture
def probe(tmp_path: Path) -> Callable[..., Any]:
    """Probe accounts a0, a1, ... of which each acts as given; returns findings and adapters."""

    async def run(
        *acts: Callable[[], Any],
        timeout_s: float = 5.0,
        route: dict[str, Any] | None = None,
    ) -> tuple[list[Finding], list[Scripted]]:
        real = registry.load_platform("teamspirit")
        document = {
            "accounts": {
                f"a{number}": {"platform": "teamspirit", "server": "http://127.0.0.1:9", "api_key": f"{SECRET}-{number}"}
                for number in range(len(acts))
            },
            "routes": [
                {"name": "r"}
                | (route or {"between": [f"a{number}/{chat}" for number in range(len(acts)) for chat in ("lobby", "gone")]})
            ],
        }
        path = tmp_path / "bridge.yaml"
        path.write_text(yaml.safe_dump(document))
        loaded = load_config(path, {}, registry.load_platform)
        assert loaded.config is not None, [str(fault) for fault in loaded.faults]
        adapters: list[Scripted] = []

        class Platform:
            name = real.name
            manifest = real.manifest

            @staticmethod
            def build(context: Any) -> Any:
                adapters.append(Scripted(context, acts[len(adapters)]))
                return adapters[-1]

        findings = await probe_all(loaded.config, lambda _: Platform, timeout_s=timeout_s)  # type: ignore[arg-type, return-value]
        return list(findings), adapters

    return run


@pytest.mark.parametrize(("end", "expected"), [("a0/lobby/*", {"topics": False, "makes": False}), ("a0/lobby", {"makes": True})])
async def test_what_threads_need_is_asked_of_ends_of_all_threads(probe: Any, end: str, expected: dict[str, bool]) -> None:
    def act() -> list[ProbeItem]:
        chat_id = "id of lobby"
        return [
            ProbeItem(name="topics", ok=True, chat_id=chat_id, every_thread=True, bars_threads=True),
            ProbeItem(name="makes", ok=True, chat_id=chat_id, bars_threads=True),
        ]

    findings, _ = await probe(act, route={"between": [end, "a0/other"]})
    assert {found.name: found.ok for found in findings if found.name in ("topics", "makes")} == expected


async def test_items_are_findings_with_the_address_from_the_file(probe: Any) -> None:
    findings, adapters = await probe(lambda: [ProbeItem(name="token", ok=True, detail="bot @x")])
    assert [(found.where, found.name, found.ok) for found in findings] == [
        ("gone", "chat", False),
        ("", "token", True),
        ("lobby", "membership", True),
    ]
    assert findings[0].action == "invite the bot"
    assert adapters[0].closed == 1


@pytest.mark.parametrize("relayed", ["lobby", "gone"])
async def test_what_is_not_heard_counts_where_it_is_relayed_from(probe: Any, relayed: str) -> None:
    """An end that only receives need hear nothing; then the cause for the whole account is none either."""

    def items() -> list[ProbeItem]:
        there = ProbeItem(name="reads all messages", ok=False, chat_id="id of lobby", deaf=True)
        return [ProbeItem(name="privacy mode", ok=False, deaf=True), there]

    to = "gone" if relayed == "lobby" else "lobby"
    findings, _ = await probe(items, route={"from": f"a0/{relayed}", "to": f"a0/{to}"})
    wrong = [(found.where, found.name) for found in findings if not found.ok and found.name != "chat"]
    assert wrong == ([("", "privacy mode"), ("lobby", "reads all messages")] if relayed == "lobby" else [])


async def test_failures_are_findings_of_their_account_only(probe: Any) -> None:
    findings, adapters = await probe(
        lambda: [],
        fail(AccountDown("token refused", action="make a new token")),
        fail(RetryLater("busy")),
        fail(OSError("no route to host")),
        fail(ValueError(f"bug with {SECRET}-4")),
    )
    bad = {found.account: found for found in findings if not found.ok and found.where == ""}
    assert set(bad) == {"a1", "a2", "a3", "a4"}
    assert (bad["a1"].detail, bad["a1"].action, bad["a1"].temporary) == ("token refused", "make a new token", False)
    assert bad["a2"].temporary
    assert bad["a3"].temporary
    assert (bad["a4"].detail, bad["a4"].temporary) == ("unexpected ValueError: bug with ***", False)
    assert [adapter.closed for adapter in adapters] == [1] * 5


async def test_all_at_once_and_never_longer_than_allowed(probe: Any) -> None:
    async def hang() -> list[ProbeItem]:
        await asyncio.Event().wait()
        return []

    begun = time.monotonic()
    findings, adapters = await probe(*[hang] * 4, timeout_s=0.3)
    assert time.monotonic() - begun < PATIENCE_S
    assert [found.detail for found in findings if found.name == "connection"] == ["no answer within 0.3 s"] * 4
    assert all(adapter.closed for adapter in adapters)


# -- the real adapters against their emulators ------------------------------------------------------------------------------


@pytest.fixture(params=registry.platforms())
async def emulator(request: pytest.FixtureRequest) -> AsyncIterator[Emulator]:
    server = registry.load_emulator(request.param)
    await server.start()
    yield server
    await server.stop()


def configured(emulator: Emulator, folder: Path, chat: str, **changes: Any) -> Path:
    account = {"platform": emulator.platform, **emulator.account_options(), **changes}
    document = {
        "accounts": {"one": account, "other": {"platform": "teamspirit", "server": "http://127.0.0.1:9", "api_key": "another-key"}},
        "routes": [{"name": "r", "between": [f"one/{chat}", "other/lobby"]}],
        "web": {"public": {"listen": "127.0.0.1:9", "url": "http://127.0.0.1:9"}},
    }
    path = folder / "bridge.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def of_one(config: Config) -> Config:
    """Without the account that is only there to make a route."""
    import dataclasses

    return dataclasses.replace(config, accounts={name: account for name, account in config.accounts.items() if name == "one"})


async def test_a_bot_in_order_passes(emulator: Emulator, tmp_path: Path) -> None:
    chat = emulator.add_chat("lobby")
    loaded = load_config(configured(emulator, tmp_path, chat.address), {}, registry.load_platform)
    assert loaded.config is not None, [str(fault) for fault in loaded.faults]
    findings = await probe_all(of_one(loaded.config), registry.load_platform, timeout_s=20)
    assert findings
    assert not [found for found in findings if not found.ok]
    assert any(found.where == chat.address for found in findings), "the chat was asked about, by its address in the file"


def skip_if_never_asked(emulator: Emulator) -> None:
    if Lacks.SIGNS_OF_LIFE in registry.people_lack(emulator.platform):
        pytest.skip("its receivers are not called by a check: a call would be a message")


async def test_a_messenger_that_is_away_is_a_finding(emulator: Emulator, tmp_path: Path) -> None:
    skip_if_never_asked(emulator)
    chat = emulator.add_chat("lobby")
    loaded = load_config(configured(emulator, tmp_path, chat.address), {}, registry.load_platform)
    assert loaded.config is not None, [str(fault) for fault in loaded.faults]
    await emulator.refuse_connections(True)
    findings = await probe_all(of_one(loaded.config), registry.load_platform, timeout_s=10)
    bad = [found for found in findings if not found.ok]
    assert bad
    assert not any("unexpected" in found.detail for found in bad), bad
    assert all(found.temporary for found in bad), "nothing is wrong as far as anybody can tell"


async def test_without_a_network_the_command_says_so_and_ends_with_75(emulator: Emulator, tmp_path: Path) -> None:
    skip_if_never_asked(emulator)
    chat = emulator.add_chat("lobby")
    configured(emulator, tmp_path, chat.address)
    await emulator.stop()
    code, out, err = await checked(tmp_path)
    assert code == 75, out + err
    assert "could not be reached" in out
    assert "could not be made: try again later" in out
    assert "FAILED" not in out
    assert "failed" not in out.splitlines()[-1]
    await emulator.start()


async def test_whom_the_people_of_the_file_are(tmp_path: Path) -> None:
    server = registry.load_emulator("teamspirit")
    await server.start()
    try:
        chat = server.add_chat("lobby")
        await server.say(chat.chat_id, "Anna", "hello")
        path = configured(server, tmp_path, chat.address)
        document = yaml.safe_load(path.read_text())
        document["people"] = [
            {"name": "Anna Petrova", "one": "@anna"},
            {"name": "Boris", "one": "boris@corp.example", "other": "b"},
        ]
        path.write_text(yaml.safe_dump(document))
        loaded = load_config(path, {}, registry.load_platform)
        assert loaded.config is not None, [str(fault) for fault in loaded.faults]
        findings = await probe_all(of_one(loaded.config), registry.load_platform, timeout_s=20)
        told = {found.name: found.detail for found in findings if found.name.startswith("person ")}
        assert told["person Anna Petrova"].startswith("@anna is Anna, anna, u")
        assert told["person Boris"].startswith("boris@corp.example: no person, or several, found")
        assert all(found.ok for found in findings)
    finally:
        await server.stop()


async def checked(folder: Path) -> tuple[int | None, str, str]:
    """`check --online` as a user calls it: exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "bridge.cli", "check", "--online", "--timeout", "20"],
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1"},
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = (piece.decode() for piece in await process.communicate())
    return process.returncode, out, err


def test_the_same_click_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    from bridge.cli.check import _show

    scopes = [Finding("team", "", f"scope {scope}", False, f"{scope} is missing", "reinstall the app") for scope in ("a", "b", "c")]
    _show([*scopes, Finding("team", "#general", "chat", False, "busy", temporary=True), Finding("tg", "", "token", True)])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("->")] == ["-> team: reinstall the app"]
    assert lines[-1] == "3 of 5 checks failed; 1 could not be made: try again later"
    assert len(set(lines)) == len(lines)


async def test_the_command_as_a_user_calls_it(tmp_path: Path) -> None:
    """A wrong token and a right one, in one run: exit code 1, what failed, what to do."""
    server = registry.load_emulator("telegram")
    await server.start()
    try:
        chat = server.add_chat("lobby")
        good = {"platform": "telegram", **server.account_options()}
        wrong = {**good, "token": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}
        document = {
            "accounts": {"good": good, "wrong": wrong},
            "routes": [{"name": "r", "between": [f"good/{chat.address}", "wrong/@somewhere"]}],
        }
        (tmp_path / "bridge.yaml").write_text(yaml.safe_dump(document))
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "bridge.cli", "check", "--online"],
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "NO_COLOR": "1"},
        )
        async with asyncio.timeout(PATIENCE_S):
            out, err = (piece.decode() for piece in await process.communicate())
        assert process.returncode == 1, out + err
        assert "FAILED" in out
        assert "-> wrong" in out
        assert "-> good" not in out
        assert "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw" not in out + err
    finally:
        await server.stop()

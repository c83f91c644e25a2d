"""What all emulators share: options by name, bodies that are slow or cut, a bounded memory, and followers who are told of a gap."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.contract import ChangesLost, Emulator, Fault, FaultKind, Upload
from adapters.common.emulation.control_client import ControlClient
from adapters.common.emulation.options import OptionFault, parse_options
from adapters.registry import load_emulator, platforms
from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[3]


def built(platform: str, **options: Any) -> Any:
    emulator = load_emulator(platform)
    emulator.configure(options)
    return emulator


# -- options ------------------------------------------------------------------------------------------------------------------


def test_options_do_what_they_say() -> None:
    assert built("telegram", local=True).account_options()["local_server"] is True
    assert built("teamspirit", max_upload_mb=1000).account_options()["max_upload_mb"] == 1000
    assert built("teamspirit", max_upload_mb=1000).world.rules.max_file_bytes == 1_000_000_000
    assert built("discord", boost=2).world.max_file_bytes == 50 * 1024**2
    assert built("slack", rate_limits=True, post_burst=1).api.budgets.retry_after_s("chat.postMessage", "C1") == 0


@pytest.mark.parametrize("platform", platforms())
def test_every_option_is_documented(platform: str) -> None:
    page = (ROOT / "docs" / "sandbox.md").read_text()
    for name, field in built(platform).options_model.model_fields.items():
        assert f"`{name}`" in page
        assert field.description


@pytest.mark.parametrize(
    ("platform", "options", "words"),
    [
        ("telegram", {"locale": True}, "locale: there is no such option; did you mean local?"),
        ("telegram", {"zzz": True}, "there are messages_kept"),
        ("discord", {"boost": 4}, "boost: .*less than or equal to 3"),
        ("teamspirit", {"max_upload_mb": "many"}, "max_upload_mb: .*number.*largest file"),
    ],
)
def test_a_wrong_option_is_named(platform: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionFault, match=words):
        built(platform, **options)


def test_options_of_a_command_line() -> None:
    entries = ["telegram.local=true", "telegram.chat_per_s=0.5", "teamspirit.max_upload_mb=40"]
    assert parse_options(entries, ("telegram", "teamspirit")) == {
        "telegram": {"local": True, "chat_per_s": 0.5},
        "teamspirit": {"max_upload_mb": 40},
    }


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (["telegram.local"], "not PLATFORM.NAME=VALUE"),
        (["local=true"], "not PLATFORM.NAME=VALUE"),
        (["icq.local=true"], "icq is not among the platforms"),
        (["telegram.local=true", "telegram.local=false"], "given twice"),
        (["telegram.local=["], "is not a value"),
    ],
)
def test_a_wrong_command_line_is_explained(entries: list[str], words: str) -> None:
    with pytest.raises(OptionFault, match=words):
        parse_options(entries, ("telegram", "slack"))


# -- memory -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", platforms())
async def test_an_emulator_remembers_no_more_than_it_is_told_to(platform: str) -> None:
    emulator: Emulator = built(platform, messages_kept=20, changes_kept=30, files_kept=5)
    await emulator.start()
    try:
        chat = emulator.add_chat("lobby")
        for number in range(200):
            files = [Upload(name=f"{number}.txt", mime="text/plain", content=b"%d" % number)] if number % 10 == 0 else ()
            last = await emulator.say(chat.chat_id, "Anna", f"m{number}", files=files)
        seen = emulator.transcript(chat.chat_id)
        assert len(seen) <= 22, "a tenth more, since the oldest may go several at a time"
        assert [message.text for message in seen][-1] == "m199"
        await emulator.edit(chat.chat_id, last, "again")
        assert emulator.transcript(chat.chat_id)[-1].text == "again"
        kept = [change.message.text async for change in _first(emulator, 171, 30)]
        assert kept == [*(f"m{number}" for number in range(171, 200)), "again"]
    finally:
        await emulator.stop()


async def _first(emulator: Emulator, since: int, count: int) -> Any:
    async for change in emulator.changes(since):
        yield change
        if change.seq == since + count:
            return


async def test_who_falls_behind_is_told_and_can_go_on(emulators: dict[str, EmulatorBase]) -> None:
    emulator = emulators["telegram"]
    emulator.configure({"changes_kept": 3})
    chat = emulator.chats()[0]
    await emulator.say(chat.chat_id, "Anna", "m0")
    changes = emulator.changes()
    assert (await anext(changes)).message.text == "m0"
    for number in range(1, 6):
        await emulator.say(chat.chat_id, "Anna", f"m{number}")
    with pytest.raises(ChangesLost) as lost:
        await anext(changes)
    assert [change.message.text async for change in _first(emulator, lost.value.resume_seq, 3)] == ["m3", "m4", "m5"]


async def test_a_gap_is_told_over_the_control_api_too(emulators: dict[str, EmulatorBase], control_url: str) -> None:
    emulator = emulators["telegram"]
    emulator.configure({"changes_kept": 3})
    chat = emulator.chats()[0]
    for number in range(6):
        await emulator.say(chat.chat_id, "Anna", f"m{number}")
    async with ControlClient(control_url, timeout_s=PATIENCE_S) as client:
        remote = await client.emulator("telegram")
        with pytest.raises(ChangesLost) as lost:
            await anext(remote.changes())
        after = remote.changes(lost.value.resume_seq)
        assert [(await anext(after)).message.text for _ in range(3)] == ["m3", "m4", "m5"]
        await after.aclose()  # type: ignore[attr-defined]
    # a plain reader of server-sent events goes on by itself, and knows
    async with aiohttp.ClientSession() as session, session.get(f"{control_url}/telegram/changes") as response:
        events = []
        async with asyncio.timeout(PATIENCE_S):
            async for line in response.content:
                if line.startswith(b"event: "):
                    events.append(line[len(b"event: ") :].strip())
                if len(events) == 4:
                    break
    assert events == [b"reset", b"change", b"change", b"change"]


# -- bodies -------------------------------------------------------------------------------------------------------------------


async def test_an_answers_body_comes_slowly_but_whole(emulators: dict[str, EmulatorBase]) -> None:
    emulator = emulators["telegram"]
    emulator.inject(Fault(kind=FaultKind.SLOW_BODY, bytes_per_s=40, times=1))
    began_s = time.monotonic()
    async with aiohttp.ClientSession() as session, session.get(f"{emulator.base_url}/ping") as response:
        assert await response.json() == {"ok": True}
    assert time.monotonic() - began_s > 0.2


async def test_an_answers_body_is_cut_where_it_is_told_to(emulators: dict[str, EmulatorBase]) -> None:
    emulator = emulators["telegram"]
    emulator.inject(Fault(kind=FaultKind.CUT_BODY, after_bytes=5, times=1))
    async with aiohttp.ClientSession() as session, session.get(f"{emulator.base_url}/ping") as response:
        assert response.content_length == len('{"ok": true}')
        assert await response.content.readexactly(5) == b'{"ok"'
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.read()


async def test_a_fault_without_sense_is_refused(emulators: dict[str, EmulatorBase]) -> None:
    with pytest.raises(ValueError, match="bytes_per_s"):
        emulators["telegram"].inject(Fault(kind=FaultKind.SLOW_BODY, bytes_per_s=0))

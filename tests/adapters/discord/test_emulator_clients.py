"""The emulator speaks Discord's protocol: checked with three client libraries, two of which the adapter does not use."""

from __future__ import annotations

import asyncio
import io
import json
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import hikari
import pytest
import yarl

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault, Upload
from tests.support.patience import eventually

from .conftest import Bench

HERE = Path(__file__).parent
NEXTCORD = HERE.parents[2] / ".venv-nextcord" / "bin" / "python"
INTENTS = 34305
TOO_MANY = 2001


@asynccontextmanager
async def hikari_bot(bench: Bench, events: list[Any]) -> AsyncIterator[hikari.GatewayBot]:
    bot = hikari.GatewayBot(
        bench.emulator.bot.token,
        rest_url=bench.emulator.base_url + "/api/v10",
        banner=None,
        logs=None,
        suppress_optimization_warning=True,
        intents=hikari.Intents(INTENTS | hikari.Intents.GUILD_MESSAGE_TYPING),
    )

    async def keep(event: Any) -> None:
        events.append(event)

    for kind in (
        hikari.GuildMessageCreateEvent,
        hikari.GuildMessageUpdateEvent,
        hikari.GuildMessageDeleteEvent,
        hikari.GuildReactionAddEvent,
        hikari.GuildTypingEvent,
    ):
        bot.event_manager.subscribe(kind, keep)
    await bot.start(check_for_updates=False)
    try:
        yield bot
    finally:
        await bot.close()


async def test_hikari_receives_what_people_do(bench: Bench) -> None:
    events: list[Any] = []
    emulator, chat = bench.emulator, bench.chat
    async with hikari_bot(bench, events):
        message_id = await emulator.say(chat, "Anna", "hello", files=[Upload(name="a.txt", mime="text/plain", content=b"abc")])
        await emulator.edit(chat, message_id, "edited")
        await emulator.react(chat, message_id, "Boris", "👍")
        await emulator.type(chat, "Anna")
        await emulator.delete(chat, message_id)
        await eventually(lambda: len(events) == 5)
    created, edited, reacted, typing, deleted = events
    assert (created.message.content, created.message.attachments[0].size) == ("hello", 3)
    assert edited.message.content == "edited"
    assert (reacted.emoji_name, typing.member.display_name) == ("👍", "Anna")
    assert str(deleted.message_id) == message_id


async def test_hikari_posts_as_bot_and_as_webhook(bench: Bench) -> None:
    emulator, chat = bench.emulator, bench.chat
    question = await emulator.say(chat, "Anna", "question")
    async with hikari_bot(bench, []) as bot:
        rest, channel = bot.rest, int(chat)
        answer = await rest.create_message(channel, "answer", reply=int(question), attachments=[hikari.Bytes(b"zz", "z.txt")])
        await rest.edit_message(channel, answer, "answer, edited")
        await rest.add_reaction(channel, int(question), "😀")
        hook = await rest.create_webhook(channel, "bridge")
        assert hook.token is not None
        posted = await rest.execute_webhook(hook, hook.token, "as Boris", username="Boris", avatar_url="http://x/a.png")
        await rest.edit_webhook_message(hook, hook.token, posted, "as Boris, edited")
        thread = await rest.create_message_thread(channel, int(question), "Topic")
        await rest.create_message(thread, "in the thread")
        await rest.pin_message(channel, int(question))
        history = [m.content for m in await rest.fetch_messages(channel)]
        with pytest.raises(hikari.BadRequestError):
            await rest.create_message(channel, "x" * TOO_MANY)
        with pytest.raises(hikari.NotFoundError):
            await rest.fetch_message(channel, 1)
    assert history == [None, "as Boris, edited", "answer, edited", "question"]
    seen = {m.text: m for m in emulator.transcript(chat)}
    assert seen["answer, edited"].reply_to == question
    assert [f.name for f in seen["answer, edited"].files] == ["z.txt"]
    assert (seen["as Boris, edited"].author_name, seen["as Boris, edited"].author_avatar_url) == ("Boris", "http://x/a.png")
    assert seen["in the thread"].thread_id == str(thread.id)
    assert seen["Bridge pinned a message to this channel."].system


async def test_hikari_resumes_and_is_told_what_it_missed(bench: Bench) -> None:
    events: list[Any] = []
    async with hikari_bot(bench, events):
        await bench.emulator.disturb(StreamFault.DISCONNECT_CLEAN)
        await bench.emulator.say(bench.chat, "Anna", "meanwhile")
        await eventually(lambda: [e.message.content for e in events] == ["meanwhile"])
    assert bench.emulator.gateway.identifies == 1


@asynccontextmanager
async def running_client(client: Any, token: str, ready: Callable[[], bool]) -> AsyncIterator[None]:
    task = asyncio.create_task(client.start(token))
    try:
        await eventually(lambda: ready() or task.done())
        if task.done():
            task.result()
        yield
    finally:
        await client.close()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()


@pytest.mark.skipif(not NEXTCORD.exists(), reason="nextcord's own environment is missing: scripts/setup.sh test")
async def test_nextcord_works_in_both_directions(bench: Bench) -> None:
    """As a process in an environment of its own: it brings a package named `discord`, which would hide discord.py's."""
    emulator, chat = bench.emulator, bench.chat
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, times=1, operation="POST /channels/*", retry_after_s=0.05))
    command = [str(NEXTCORD), str(HERE / "nextcord" / "client.py"), emulator.base_url + "/api/v10", emulator.bot.token, chat]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    stdout, stderr = process.stdout, process.stderr
    assert stdout is not None
    assert stderr is not None
    told: list[list[str]] = []

    async def hears(kind: str) -> list[str]:
        while not told or told[-1][0] != kind:
            line = await stdout.readline()
            assert line, f"nextcord ended after {told}: {(await stderr.read()).decode()}"
            told.append(json.loads(line))
        return told[-1][1:]

    try:
        await hears("ready")
        message_id = await emulator.say(chat, "Anna", "hello", files=[Upload(name="a.txt", mime="text/plain", content=b"abc")])
        assert await hears("created") == ["hello"]
        await emulator.edit(chat, message_id, "edited")
        assert await hears("edited") == ["edited"]
        await emulator.react(chat, message_id, "Anna", "👍")
        assert await hears("reacted") == ["👍"]
        assert await hears("file") == ["abc"]
        assert await hears("history") == ["posted", "hook, edited", "reply, edited", "edited"]
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert [f.name for m in emulator.transcript(chat) for f in m.files if m.text == "reply, edited"] == ["f.txt"]


@asynccontextmanager
async def discord_client(bench: Bench, monkeypatch: pytest.MonkeyPatch, **handlers: Any) -> AsyncIterator[discord.Client]:
    monkeypatch.setattr(discord.http.Route, "BASE", bench.emulator.base_url + "/api/v10")
    address = yarl.URL(bench.emulator.account_options()["gateway_url"])
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", address)
    client = discord.Client(intents=discord.Intents(INTENTS), chunk_guilds_at_startup=False)
    for name, handler in handlers.items():
        setattr(client, name, handler)
    async with running_client(client, bench.emulator.bot.token, client.is_ready):
        yield client


async def test_discord_py_works_in_both_directions(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def on_message(message: discord.Message) -> None:
        seen.append(message.content)

    emulator, chat = bench.emulator, bench.chat
    async with discord_client(bench, monkeypatch, on_message=on_message) as client:
        await emulator.say(chat, "Anna", "hello <@1> @everyone")
        channel: Any = client.get_channel(int(chat))
        first = await channel.send("by the bot", nonce="n-1")
        hook = await channel.create_webhook(name="bridge")
        posted = await hook.send("hook", username="Boris", wait=True, file=discord.File(io.BytesIO(b"12"), "f.txt"))
        await posted.edit(content="hook, edited")
        await first.add_reaction("😀")
        await first.pin()
        assert [m.content for m in [p async for p in channel.pins()]] == ["by the bot"]
        for name in ("my Discord", "CLYDE", "everyone"):
            with pytest.raises(discord.HTTPException) as refused:
                await hook.send("x", username=name)
            assert refused.value.code == 50035
        with pytest.raises(discord.HTTPException) as too_many:
            await channel.send(files=[discord.File(io.BytesIO(b"1"), f"{n}.txt") for n in range(11)])
        assert too_many.value.code == 30015
        await eventually(lambda: len(seen) == 4)
        assert await hook.fetch_message(posted.id)
        await posted.delete()
    assert seen == ["hello <@1> @everyone", "by the bot", "hook", ""]


async def test_one_poison_payload_ends_discord_pys_own_client(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why the adapter reads raw events."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        monkeypatch.setattr(discord.http.Route, "BASE", bench.emulator.base_url + "/api/v10")
        address = yarl.URL(bench.emulator.account_options()["gateway_url"])
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", address)
        client = discord.Client(intents=discord.Intents(INTENTS), chunk_guilds_at_startup=False)
        task = asyncio.create_task(client.start(bench.emulator.bot.token))
        await eventually(client.is_ready)
        await bench.emulator.disturb(StreamFault.POISON)
        await eventually(task.done)
        assert task.exception() is not None
        await client.close()

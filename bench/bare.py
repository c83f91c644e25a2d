"""The yardstick: the plainest possible Telegram -> Discord relay with the same client libraries. No journal, no edits, no files, no
retries; what the libraries cost, and nothing else. Reads the bridge.yaml that the bridge is measured with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import aiohttp
import discord
import sdnotify
import uvloop
import yaml
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Message


async def webhook_of(session: aiohttp.ClientSession, base: str, token: str, channel: str) -> discord.Webhook:
    headers = {"Authorization": f"Bot {token}"}
    async with session.post(f"{base}/channels/{channel}/webhooks", json={"name": "bare"}, headers=headers) as answer:
        made: dict[str, Any] = await answer.json()
    return discord.Webhook.partial(int(made["id"]), made["token"], session=session)


async def relay(config: dict[str, Any]) -> None:
    telegram, guild = config["accounts"]["telegram"], config["accounts"]["discord"]
    base = guild["api_url"].rstrip("/")
    discord.http.Route.BASE = base
    bot = Bot(telegram["token"], session=AiohttpSession(api=TelegramAPIServer.from_base(telegram["base_url"])))
    dispatcher = Dispatcher()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        hooks: dict[str, discord.Webhook] = {}
        for route in config["routes"]:
            ends = dict(end.split("/", 1) for end in route["between"])
            hooks[ends["telegram"]] = await webhook_of(session, base, guild["token"], ends["discord"])

        @dispatcher.message()
        async def on_message(message: Message) -> None:
            hook = hooks.get(str(message.chat.id))
            if hook is not None and message.text and message.from_user:
                await hook.send(
                    message.text,
                    username=message.from_user.full_name,
                    allowed_mentions=discord.AllowedMentions.none(),
                    wait=True,
                )

        sdnotify.SystemdNotifier().notify("READY=1")
        await dispatcher.start_polling(bot, handle_signals=True)


if __name__ == "__main__":
    uvloop.run(relay(yaml.safe_load(Path(sys.argv[1]).read_text())))

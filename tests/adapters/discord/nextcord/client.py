"""A nextcord bot, run by the environment `.venv-nextcord`: `client.py API TOKEN CHANNEL`.

It prints one JSON list a line for what it receives. Once somebody reacted to the first message it fetches that message, reads its
file, answers it, posts by a webhook and once more after a refusal, and prints what the channel then holds.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import nextcord

API, TOKEN, CHANNEL = sys.argv[1:]
nextcord.http.Route.BASE = API
INTENTS = nextcord.Intents(guilds=True, guild_messages=True, guild_reactions=True, message_content=True)
client = nextcord.Client(intents=INTENTS, chunk_guilds_at_startup=False)


def tell(*words: str) -> None:
    print(json.dumps(words), flush=True)


async def on_ready() -> None:
    tell("ready")


async def on_message(message: nextcord.Message) -> None:
    tell("created", message.content)


async def on_raw_message_edit(payload: nextcord.RawMessageUpdateEvent) -> None:
    tell("edited", payload.data["content"])


async def on_raw_reaction_add(payload: nextcord.RawReactionActionEvent) -> None:
    tell("reacted", str(payload.emoji))
    channel: Any = client.get_channel(int(CHANNEL))
    message = await channel.fetch_message(payload.message_id)
    tell("file", (await message.attachments[0].read()).decode())
    reply = await message.reply("reply", file=nextcord.File(io.BytesIO(b"12"), "f.txt"))
    await reply.edit(content="reply, edited")
    hook = await channel.create_webhook(name="bridge")
    posted = await hook.send("hook", username="Boris", wait=True)
    await posted.edit(content="hook, edited")
    await channel.send("posted")
    tell("history", *[m.content async for m in channel.history()])
    await client.close()


for handler in (on_ready, on_message, on_raw_message_edit, on_raw_reaction_add):
    client.event(handler)
client.run(TOKEN)

"""Platforms that call us: TeamSpirit's outgoing webhooks through the public listener."""

from __future__ import annotations

from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually


async def test_teamspirit_by_webhook_tells_everything(quiet_world: World) -> None:
    port = free_port()
    quiet_world.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    await quiet_world.start_bridge()
    spirit, chat = quiet_world.emulators["teamspirit"], quiet_world.chats["teamspirit"].chat_id
    said = await quiet_world.say("teamspirit", "by webhook")
    others = ("telegram", "slack", "discord")
    copies = {platform: await quiet_world.copy(platform, "by webhook") for platform in others}

    await spirit.react(chat, said, "Boris", "👍")
    for platform, copy in copies.items():
        await eventually(lambda platform=platform, copy=copy: reactions(quiet_world, platform, copy.message_id), what=platform)
    await spirit.edit(chat, said, "by webhook, edited")
    for platform in others:
        await quiet_world.copy(platform, "by webhook, edited")
    await spirit.delete(chat, said)
    for platform in others:
        await eventually(lambda platform=platform: not quiet_world.copies(platform, "by webhook"), what=f"deletion on {platform}")

    await quiet_world.say("telegram", "and back")
    await quiet_world.copy("teamspirit", "and back")


async def test_a_message_crosses_once_however_many_ends_see_it(world: World) -> None:
    """Every platform's echo of our own copies is recognised: nothing comes back, nothing goes round."""
    for platform in world.emulators:
        await world.say(platform, f"said on {platform}")
    for origin in world.emulators:
        for target in world.emulators:
            if origin != target:
                await world.copy(target, f"said on {origin}")
    await world.say("telegram", "the last word")
    for target in ("teamspirit", "slack", "discord"):
        await world.copy(target, "the last word")
    for platform in world.emulators:
        assert len(world.seen(platform)) == len(world.emulators) + 1, world.texts(platform)


def reactions(world: World, platform: str, message_id: str) -> bool:
    return any(message.message_id == message_id and message.reactions for message in world.seen(platform))

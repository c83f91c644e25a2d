"""Files that people add to, take out of, or replace in a message that has crossed already: what the others see then, with the
real client libraries in between."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from adapters.common.emulation.contract import SeenMessage, Upload
from tests.flows.world import World
from tests.support.patience import eventually

ADDED, REPLACED = "added by an edit", "replaced by an edit"
REMOVED = "a file here was removed by an edit"


def paper(name: str) -> Upload:
    return Upload(name=f"{name}.pdf", mime="application/pdf", content=b"%PDF-1.4 " + name.encode() * 100)


def digest(name: str) -> str:
    return hashlib.sha256(paper(name).content).hexdigest()


async def until(world: World, platform: str, holds: Callable[[list[SeenMessage]], Any]) -> list[SeenMessage]:
    """The bridge's messages on that platform, once this holds of them."""

    def bots() -> list[SeenMessage]:
        return [message for message in world.seen(platform) if message.is_bot and not message.deleted]

    await eventually(lambda: holds(bots()), what=f"{platform}: {[(m.text, [f.name for f in m.files]) for m in bots()]}")
    return bots()


def files(*messages: SeenMessage) -> list[str]:
    return [file.sha256 for message in messages for file in message.files]


def act(world: World, platform: str, name: str) -> Any:
    """What people do on one platform only."""
    return getattr(world.emulators[platform], name)


async def test_a_file_replaced_on_telegram_is_replaced_on_discord_and_told_on_slack(world: World) -> None:
    chat = world.chats["telegram"].chat_id
    said = await world.say("telegram", "see the plan", files=[paper("one")])
    await until(world, "discord", lambda seen: files(*seen) == [digest("one")])
    await until(world, "slack", lambda seen: files(*seen) == [digest("one")])
    await act(world, "telegram", "replace_file")(chat, said, paper("two"))
    for platform in ("discord", "slack"):
        copy, new = await until(world, platform, lambda seen: len(seen) == 2 and files(*seen) == [digest("two")])
        assert "see the plan" in copy.text
        assert REPLACED in new.text
        assert copy.message_id in (new.reply_to, new.thread_id) or "see the plan" in f"{new.text}{new.reply_quote}"
    await world.emulators["telegram"].edit(chat, said, "see the new plan")
    await until(world, "discord", lambda seen: len(seen) == 2 and "see the new plan" in seen[0].text and REPLACED in seen[1].text)


async def test_a_file_added_to_a_text_on_telegram(world: World) -> None:
    chat = world.chats["telegram"].chat_id
    said = await world.say("telegram", "see the plan")
    for platform in ("discord", "slack", "teamspirit"):
        await world.copy(platform, "see the plan")
    await act(world, "telegram", "replace_file")(chat, said, paper("one"))
    for platform in ("discord", "slack", "teamspirit"):
        copy, new = await until(world, platform, lambda seen: len(seen) == 2 and files(*seen) == [digest("one")])
        assert (copy.files, ADDED in new.text) == ((), True)


async def test_a_picture_without_words_is_replaced(world: World) -> None:
    chat = world.chats["telegram"].chat_id
    said = await world.say("telegram", "", files=[paper("one")])
    for platform in ("discord", "slack", "teamspirit"):
        await until(world, platform, lambda seen: files(*seen) == [digest("one")])
    await act(world, "telegram", "replace_file")(chat, said, paper("two"))
    for platform in ("discord", "slack", "teamspirit"):
        (new,) = await until(world, platform, lambda seen: files(*seen) == [digest("two")])
        assert REPLACED in new.text


async def test_an_attachment_removed_on_discord_leaves_slack_and_teamspirit_and_telegrams_album(world: World) -> None:
    chat = world.chats["discord"].chat_id
    said = await world.say("discord", "two plans", files=[paper("one"), paper("two")])
    for platform in ("slack", "telegram", "teamspirit"):
        await until(world, platform, lambda seen: files(*seen) == [digest("one"), digest("two")])
    await act(world, "discord", "remove_file")(chat, said, 1)
    await until(world, "slack", lambda seen: files(*seen) == [digest("one")])
    await until(world, "telegram", lambda seen: files(*seen) == [digest("one")])
    told = await until(world, "teamspirit", lambda seen: len(files(*seen)) == 1 or REMOVED in seen[0].text)
    assert "two plans" in told[0].text
    await act(world, "discord", "remove_file")(chat, said, 0)
    await until(world, "slack", lambda seen: not files(*seen) and "two plans" in seen[0].text)
    await until(world, "telegram", lambda seen: REMOVED in seen[0].text)  # a caption's file cannot leave a Telegram message


async def test_a_file_deleted_on_slack_leaves_telegrams_album(world: World) -> None:
    chat = world.chats["slack"].chat_id
    said = await world.say("slack", "two plans", files=[paper("one"), paper("two")])
    for platform in ("discord", "telegram"):
        await until(world, platform, lambda seen: files(*seen) == [digest("one"), digest("two")])
    await act(world, "slack", "delete_file")(chat, said, 1)
    for platform in ("discord", "telegram"):
        await until(world, platform, lambda seen: files(*seen) == [digest("one")])
    await act(world, "slack", "delete_file")(chat, said, 0)
    await until(world, "discord", lambda seen: not files(*seen))
    await until(world, "telegram", lambda seen: REMOVED in seen[0].text)
    await world.emulators["slack"].edit(chat, said, "no plans")
    await until(world, "telegram", lambda seen: REMOVED in seen[0].text and "no plans" in seen[0].text)
    await until(world, "discord", lambda seen: seen[0].text == "no plans" and len(seen) == 1)


@pytest.mark.parametrize("target", ["discord", "slack", "telegram"])
async def test_a_file_taken_out_on_teamspirit(world: World, target: str) -> None:
    chat = world.chats["teamspirit"].chat_id
    said = await world.say("teamspirit", "the plan", files=[paper("one")])
    await until(world, target, lambda seen: files(*seen) == [digest("one")])
    await act(world, "teamspirit", "remove_file")(chat, said)
    (copy,) = await until(world, target, lambda seen: not files(*seen) or REMOVED in seen[0].text)
    assert "the plan" in copy.text


async def test_one_of_an_album_on_telegram_is_replaced(world: World) -> None:
    chat = world.chats["telegram"].chat_id
    said = await world.say("telegram", "three plans", files=[paper("one"), paper("two"), paper("three")])
    for platform in ("discord", "slack"):
        await until(world, platform, lambda seen: files(*seen) == [digest("one"), digest("two"), digest("three")])
    await act(world, "telegram", "replace_file")(chat, str(int(said) + 1), paper("four"))
    for platform in ("discord", "slack"):
        copy, new = await until(world, platform, lambda seen: files(*seen) == [digest("one"), digest("three"), digest("four")])
        assert ("three plans" in copy.text, REPLACED in new.text) == (True, True)
    await world.emulators["telegram"].edit(chat, said, "better plans")
    for platform in ("discord", "slack"):
        seen = await until(world, platform, lambda seen: "better plans" in seen[0].text)
        assert files(*seen) == [digest("one"), digest("three"), digest("four")]

"""Links to messages: in each chat they lead to that chat's copy, and what is not known stays as it was."""

from __future__ import annotations

import re

import pytest

from adapters.registry import load_platform
from adapters.telegram.emulator.server import TelegramEmulator
from bridge.model.abilities import LinksToMessages
from bridge.model.adapter import Copy
from bridge.model.refs import AccountName
from tests.flows.world import PAIRS, PLATFORMS, World
from tests.support.patience import eventually


def link_to(world: World, platform: str, message_id: str, thread_id: str | None = None) -> str:
    """As that platform's own clients copy it."""
    assert world.app is not None
    adapter = world.app._supervisors[AccountName(platform)].adapter
    assert isinstance(adapter, LinksToMessages)
    link = adapter.message_link(Copy(chat_id=world.chats[platform].chat_id, message_ids=(message_id,), thread_id=thread_id))
    options = world.app._config.accounts[AccountName(platform)].options
    read = load_platform(platform).message_of_link(options, link)
    assert read is not None
    assert read.message_id == message_id
    return link


def links_in(html: str) -> list[str]:
    return [found.replace("&amp;", "&") for found in re.findall(r'href="([^"]+)"', html)]


@pytest.mark.parametrize(("origin", "target"), PAIRS)
async def test_a_link_leads_to_the_copy_there(world: World, origin: str, target: str) -> None:
    """To the original, to a copy of it, and back to where it was written; with others beside them that stay."""
    original = await world.say(origin, "the first word")
    copy = await world.copy(target, "the first word")
    here, there = link_to(world, origin, original), link_to(world, target, copy.message_id)
    await world.say(origin, f"as said in {here} and not in {here}9 or https://example.com/x")
    seen = await world.copy(target, "as said in")
    assert f"as said in {there} and not in {here}9 or https://example.com/x" in seen.text
    # an answer from there names the copy, and leads to the original here
    await world.say(target, f"you mean {there}")
    back = await world.copy(origin, "you mean")
    assert f"you mean {here}" in back.text


async def test_a_link_into_the_target_already_stays_and_a_third_chat_sees_its_own(world: World) -> None:
    original = await world.say("discord", "the first word")
    copies = {name: await world.copy(name, "the first word") for name in PLATFORMS if name != "discord"}
    slack = link_to(world, "slack", copies["slack"].message_id)
    await world.say("telegram", f"see {slack}")
    assert f"see {slack}" in (await world.copy("slack", "see ")).text
    assert f"see {link_to(world, 'discord', original)}" in (await world.copy("discord", "see ")).text
    assert f"see {link_to(world, 'teamspirit', copies['teamspirit'].message_id)}" in (await world.copy("teamspirit", "see ")).text


async def test_an_edit_and_a_label_follow_too_and_code_does_not(world: World) -> None:
    original = await world.say("discord", "the first word")
    here = link_to(world, "discord", original)
    there = link_to(world, "telegram", (await world.copy("telegram", "the first word")).message_id)
    said = await world.say("discord", "nothing yet")
    await world.copy("telegram", "nothing yet")
    await world.emulators["discord"].edit(world.chats["discord"].chat_id, said, f"[a label]({here}) and `{here}`")
    seen = await eventually(lambda: world.copies("telegram", "a label"), "the edit")
    assert links_in(seen[0].html) == [there]
    assert f"a label and {here}" in seen[0].text


@pytest.mark.parametrize(
    "form", ["https://t.me/{}/{}", "https://t.me/s/{}/{}", "https://{}.t.me/{}", "tg://resolve?domain={}&post={}"]
)
async def test_a_public_groups_links_are_known_by_its_name(world: World, form: str) -> None:
    """Routes name it by its id; its messages say its name. A link to a comment on a post is another message, and stays."""
    telegram = world.emulators["telegram"]
    assert isinstance(telegram, TelegramEmulator)
    telegram.world.chats[int(world.chats["telegram"].chat_id)].username = "Lobby_Public"
    original = await world.say("telegram", "the first word")
    there = link_to(world, "discord", (await world.copy("discord", "the first word")).message_id)
    link, comment = form.format("lobby_public", original), f"https://t.me/lobby_public/{original}?comment=7"
    unknown = form.format("another_group", original)
    await world.say("slack", f"see {link} and {comment} and {unknown}")
    assert f"see {there} and {comment} and {unknown}" in (await world.copy("discord", "see ")).text

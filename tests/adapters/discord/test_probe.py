"""`check --online` for Discord: what is missing, what cannot be told, and what to click, which is never the wrong thing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import BOT_PERMISSIONS, Permission
from adapters.discord.guild_cache import GuildCache
from adapters.discord.servers import tags_of
from bridge.model.adapter import ProbeItem
from bridge.model.errors import ChatDown, RetryLater
from tests.adapters.discord.conftest import Bench


def test_the_permissions_asked_for_are_the_documented_ones() -> None:
    assert int(BOT_PERMISSIONS) == 2885445466057792


MEMBER, GUILD, CHANNELS = "GET /guilds/{guild}/members/{user}", "GET /guilds/{guild}", "GET /guilds/{guild}/channels"


THREADS = "GET /guilds/{guild}/threads/active"


def wrong(items: Sequence[ProbeItem]) -> list[ProbeItem]:
    return [item for item in items if not item.ok]


async def test_the_probe_is_content_with_a_bot_that_has_all_rights(bench: Bench) -> None:
    items = await bench.adapter().probe([bench.chat])
    assert all(item.ok for item in items)
    assert [item.name for item in items] == ["token", "message content intent", "servers", "#general"]


async def test_the_probe_says_what_to_click(bench: Bench) -> None:
    bench.emulator.bot.message_content = False
    bench.emulator.deny(bench.chat, Permission.MANAGE_WEBHOOKS | Permission.ATTACH_FILES)
    hidden = bench.emulator.add_chat("hidden").chat_id
    bench.emulator.deny(hidden, Permission.VIEW_CHANNEL)
    adapter = bench.adapter()
    items = {(item.name, item.chat_id): item for item in await adapter.probe([bench.chat, hidden, "123456789012345678"])}
    assert "MESSAGE CONTENT INTENT" in items["message content intent", ""].action
    assert "Manage Webhooks" in items["#general", bench.chat].action
    assert "Attach Files" in items["#general", bench.chat].action
    assert "View Channel" in items["#hidden", hidden].action
    assert not items["channel", "123456789012345678"].ok
    wrong = await bench.adapter(token="wrong").probe([bench.chat])
    assert [item.ok for item in wrong] == [False]
    assert "token" in wrong[0].action


async def test_without_manage_webhooks_the_bridge_works_and_says_how(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.deny(bench.chat, Permission.MANAGE_WEBHOOKS)
    items = await adapter.probe([bench.chat])
    assert wrong(items) == []
    assert "Manage Webhooks" in items[-1].detail
    assert wrong(await bench.adapter(post_as="bot").probe([bench.chat])) == []


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.RATE_LIMIT, FaultKind.DROP])
@pytest.mark.parametrize("operation", [MEMBER, GUILD, CHANNELS, THREADS, "GET /users/@me/guilds", "GET *"])
async def test_what_passes_by_itself_is_no_advice(bench: Bench, adapter: DiscordAdapter, operation: str, kind: FaultKind) -> None:
    """One call of a server's look-up fails: nothing says to invite the bot or to give it rights that it has."""
    bench.emulator.inject(Fault(kind=kind, operation=operation, retry_after_s=0.01))
    found = wrong(await adapter.probe([bench.chat]))
    assert found
    assert all(item.temporary for item in found), found
    assert not [item for item in found if "invite" in item.action or "give" in item.action or "missing" in item.detail]


@pytest.mark.parametrize("operation", [MEMBER, CHANNELS, THREADS])
async def test_a_refused_look_up_says_what_could_not_be_told(bench: Bench, adapter: DiscordAdapter, operation: str) -> None:
    bench.emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=operation, status=403))
    found = wrong(await adapter.probe([bench.chat]))
    assert found
    assert all("cannot look up" in item.detail for item in found)
    assert not [item for item in found if "invite" in item.action or "missing" in item.detail]


@pytest.mark.parametrize(
    "guild",
    [
        {"roles": []},
        {"roles": None},
        {"roles": [{"id": "1", "permissions": "0"}], "members": [{"user": {"id": "9"}}]},
        {"roles": [{"id": "1", "permissions": "0"}], "members": None},
    ],
)
def test_rights_that_an_answer_does_not_tell_are_not_missing(guild: dict[str, object]) -> None:
    guilds = GuildCache()
    guilds.apply("GUILD_CREATE", {"id": "1", "name": "g", "channels": [{"id": "5", "type": 0, "name": "a"}], **guild}, "9")
    assert guilds.permissions("5", "9") is None
    guilds.apply("GUILD_ROLE_CREATE", {"guild_id": "1", "role": {"id": "1", "permissions": "2048"}}, "9")
    guilds.apply("GUILD_MEMBER_UPDATE", {"guild_id": "1", "user": {"id": "9"}, "roles": []}, "9")
    assert guilds.permissions("5", "9") == 2048


async def test_a_bot_that_is_nowhere_is_to_be_invited(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.world.bots[bench.emulator.bot.token].is_member = False
    found = wrong(await adapter.probe([]))
    assert [item.name for item in found] == ["servers"]
    assert "invite the bot" in found[0].action
    assert not found[0].temporary


async def test_a_forum_is_to_be_named_by_its_posts(bench: Bench, adapter: DiscordAdapter) -> None:
    forum = bench.emulator.add_forum("help")
    (item,) = wrong(await adapter.probe([forum.chat_id, bench.chat]))
    assert (item.chat_id, item.whole_chat, item.temporary) == (forum.chat_id, True, False)
    assert "<channel>/<post>" in item.action


@pytest.mark.parametrize("operation", [GUILD, CHANNELS])
async def test_a_name_that_cannot_be_looked_up_now_is_not_an_unknown_one(
    bench: Bench, adapter: DiscordAdapter, operation: str
) -> None:
    bench.emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=operation))
    with pytest.raises(RetryLater, match="cannot be told"):
        await adapter.resolve("#general")
    bench.emulator.clear_faults()
    assert await adapter.resolve("#general") == bench.chat
    with pytest.raises(ChatDown, match="sees no channel"):
        await adapter.resolve("#nowhere")


async def test_a_name_in_a_server_whose_channels_may_not_be_listed_asks_for_the_id(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=CHANNELS, status=403))
    with pytest.raises(ChatDown) as raised:
        await adapter.resolve("#general")
    assert "write its id" in raised.value.action
    assert "invite" not in raised.value.action


async def test_the_probe_says_what_threads_need(bench: Bench) -> None:
    """For ends that stand for all of them; elsewhere nothing of it is a fault."""

    async def asked(chat_id: str) -> list[tuple[str, bool]]:
        found = [item for item in await bench.adapter().probe([chat_id]) if item.every_thread or item.bars_threads]
        assert all(item.ok for item in found)
        return [(item.detail, item.bars_threads) for item in found]

    channels = bench.emulator.world.channels
    assert await asked(bench.chat) == []
    bench.emulator.deny(bench.chat, Permission.CREATE_PUBLIC_THREADS | Permission.MANAGE_THREADS)
    (making, bars), (following, does_not_bar) = await asked(bench.chat)
    assert ("Create Public Threads" in making, bars) == (True, True)
    assert ("Manage Threads" in following, does_not_bar) == (True, False)
    forum = bench.emulator.add_forum("help").chat_id
    assert await asked(forum) == []
    channels[int(forum)].requires_tag = True
    ((tagged, bars),) = await asked(forum)
    assert ("requires a tag: posts get “news”" in tagged, bars) == (True, False)
    voice = bench.emulator.add_chat("talk").chat_id
    channels[int(voice)].kind = 2
    ((none, bars),) = await asked(voice)
    assert ("no threads" in none, bars) == (True, True)


def test_tags_that_only_moderators_give_come_last() -> None:
    tags = [{"id": "1", "name": "official", "moderated": True}, {"id": "2", "name": "news"}, {"id": "3", "moderated": "odd"}]
    assert list(tags_of(tags)) == ["2", "3", "1"]  # type: ignore[arg-type]

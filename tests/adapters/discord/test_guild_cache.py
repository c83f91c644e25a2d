"""What is known of servers: rights by roles and overwrites, and what a broken part of a server costs."""

from __future__ import annotations

from adapters.discord.guild_cache import GuildCache


def test_permissions_follow_roles_then_overwrites() -> None:
    guilds = GuildCache()
    roles = [
        {"id": "1", "name": "@everyone", "permissions": str(0b0011)},
        {"id": "2", "name": "bridge", "permissions": str(0b0100)},
    ]
    overwrites = [
        {"id": "1", "type": 0, "allow": "0", "deny": str(0b0001)},
        {"id": "2", "type": 0, "allow": str(0b1000), "deny": "0"},
        {"id": "9", "type": 1, "allow": "0", "deny": str(0b0010)},
    ]
    channels = [{"id": "5", "type": 0, "name": "a", "permission_overwrites": overwrites}, {"id": "6", "type": 0, "name": "b"}]
    guild = {
        "id": "1",
        "name": "g",
        "owner_id": "77",
        "roles": roles,
        "channels": channels,
        "threads": [{"id": "7", "type": 11, "name": "t", "parent_id": "5"}],
        "members": [{"user": {"id": "9"}, "roles": ["2"]}],
    }
    guilds.apply("GUILD_CREATE", guild, "9")
    assert guilds.permissions("5", "9") == 0b1100
    assert guilds.permissions("7", "9") == 0b1100, "a thread has its channel's"
    assert guilds.permissions("6", "9") == 0b0111
    assert guilds.permissions("404", "9") is None
    guilds.apply("GUILD_ROLE_UPDATE", {"guild_id": "1", "role": {"id": "2", "name": "bridge", "permissions": "8"}}, "9")
    assert guilds.permissions("5", "9") == -1, "an administrator may do everything"


def test_one_broken_part_of_a_server_leaves_the_others() -> None:
    guilds = GuildCache()
    guild = {
        "id": "1",
        "name": None,
        "premium_tier": "odd",
        "roles": [{"id": "1", "permissions": "2048"}, {"name": "without an id", "permissions": {}}, None],
        "emojis": {"not": "a list"},
        "channels": [{"id": "5", "type": 0, "name": "a", "permission_overwrites": [None, {"id": "1", "deny": []}]}, {"id": "6"}, 7],
        "threads": None,
        "members": [{"user": None}, {"user": {"id": "9"}, "roles": []}],
    }
    guilds.apply("GUILD_CREATE", guild, "9")
    assert guilds.channel_name("5") == "a"
    assert guilds.permissions("5", "9") == 2048
    guilds.apply("GUILD_EMOJIS_UPDATE", {"guild_id": "1", "emojis": [None, {"id": "3", "name": "party"}]}, "9")
    assert guilds.emoji("party") == "party:3"

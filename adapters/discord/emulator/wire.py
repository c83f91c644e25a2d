"""The JSON objects of the API and the gateway, made from the world's records. Pure.

Source for every field list: Discord API reference (guild, channel, message, user, webhook resources), read August 2026.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from adapters.discord.emulator.ids import made_at, stamp
from adapters.discord.emulator.records import (
    BOT_PERMISSIONS,
    Author,
    Bot,
    Channel,
    Emoji,
    Message,
    Permission,
    Reaction,
    StoredAttachment,
    User,
    Webhook,
)
from adapters.discord.emulator.unfurl import unfurl
from adapters.discord.emulator.world import World

Json = dict[str, Any]

EVERYONE_PERMISSIONS = BOT_PERMISSIONS | Permission.MENTION_EVERYONE
CONTENT_FIELDS = ("embeds", "attachments", "components")


class Payloads:
    """Objects of one world; `cdn_url` signs attachment addresses."""

    def __init__(self, world: World, cdn: AttachmentUrls) -> None:
        self._world = world
        self._cdn = cdn

    # -- people ---------------------------------------------------------------------------------------------------------------

    def user(self, user: User) -> Json:
        return {
            "id": str(user.id),
            "username": user.username,
            "discriminator": "0",
            "global_name": None if user.is_bot else user.display_name,
            "avatar": user.avatar,
            "bot": user.is_bot,
            "system": False,
            "public_flags": 0,
            "avatar_decoration_data": None,
            "collectibles": None,
            "primary_guild": None,
        }

    def own_user(self, bot: Bot) -> Json:
        return {
            **self.user(bot.user),
            "flags": 0,
            "mfa_enabled": True,
            "locale": "en-US",
            "verified": True,
            "email": None,
            "banner": None,
            "accent_color": None,
            "premium_type": 0,
        }

    def author(self, author: Author) -> Json:
        known = self._world.users.get(author.id)
        if known is not None:
            return self.user(known)
        return {
            "id": str(author.id),
            "username": author.username,
            "discriminator": "0000",
            "global_name": None,
            "avatar": author.avatar,
            "bot": True,
            "public_flags": 0,
        }

    def member(self, user: User, *, with_user: bool = True) -> Json:
        bot = self._world.bots_by_user.get(user.id)
        member: Json = {
            "nick": bot.nick if bot is not None else None,
            "avatar": None,
            "banner": None,
            "roles": [str(bot.role_id)] if bot is not None else [],
            "joined_at": stamp(made_at(user.id)),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
        }
        if with_user:
            member["user"] = self.user(user)
        return member

    # -- the guild ------------------------------------------------------------------------------------------------------------

    def role(self, role_id: int, name: str, permissions: Permission, *, position: int, bot: Bot | None = None) -> Json:
        return {
            "id": str(role_id),
            "name": name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": position,
            "permissions": str(int(permissions)),
            "managed": bot is not None,
            "mentionable": False,
            "flags": 0,
            **({"tags": {"bot_id": str(bot.user.id)}} if bot is not None else {}),
        }

    def roles(self) -> list[Json]:
        everyone = self.role(self._world.guild_id, "@everyone", Permission(0), position=0)
        bots = self._world.bots.values()
        return [everyone, *(self.role(b.role_id, b.user.display_name, b.permissions, position=1, bot=b) for b in bots)]

    def guild(self) -> Json:
        world = self._world
        return {
            "id": str(world.guild_id),
            "name": world.guild_name,
            "icon": None,
            "icon_hash": None,
            "splash": None,
            "discovery_splash": None,
            "owner_id": str(world.owner.id),
            "afk_channel_id": None,
            "afk_timeout": 300,
            "widget_enabled": False,
            "widget_channel_id": None,
            "verification_level": 1,
            "default_message_notifications": 1,
            "explicit_content_filter": 2,
            "roles": self.roles(),
            "emojis": [self.emoji(e) for e in world.emojis.values()],
            "features": [],
            "mfa_level": 0,
            "application_id": None,
            "system_channel_id": None if world.system_channel_id is None else str(world.system_channel_id),
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "max_presences": None,
            "max_members": 500_000,
            "vanity_url_code": None,
            "description": None,
            "banner": None,
            "premium_tier": world.boost_level,
            "premium_subscription_count": 0,
            "preferred_locale": "en-US",
            "public_updates_channel_id": None,
            "max_video_channel_users": 25,
            "max_stage_video_channel_users": 50,
            "nsfw_level": 0,
            "stickers": [],
            "premium_progress_bar_enabled": False,
            "safety_alerts_channel_id": None,
            "incidents_data": None,
        }

    def guild_create(self, bot: Bot) -> Json:
        """The guild as the gateway introduces it: only what this bot may see."""
        world = self._world
        visible = [c for c in world.channels.values() if world.can_view(bot, c) and not c.is_direct]
        return {
            **self.guild(),
            "joined_at": stamp(made_at(bot.user.id)),
            "large": False,
            "unavailable": False,
            "member_count": len(world.users),
            "voice_states": [],
            "members": [self.member(bot.user)],
            "channels": [self.channel(c) for c in visible if not c.is_thread],
            "threads": [self.channel(c) for c in visible if c.is_thread and not c.is_archived],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def emoji(self, emoji: Emoji) -> Json:
        return {
            "id": str(emoji.id),
            "name": emoji.name,
            "roles": [],
            "require_colons": True,
            "managed": False,
            "animated": emoji.is_animated,
            "available": True,
        }

    # -- channels and webhooks ------------------------------------------------------------------------------------------------

    def channel(self, channel: Channel) -> Json:
        common: Json = {
            "id": str(channel.id),
            "type": channel.kind,
            "guild_id": str(self._world.guild_id),
            "name": channel.name,
            "parent_id": str(channel.parent_id) if channel.parent_id is not None else None,
            "last_message_id": str(channel.last_message_id) if channel.last_message_id is not None else None,
            "rate_limit_per_user": 0,
            "flags": 1 << 4 if channel.requires_tag else 0,
        }
        if channel.requires_tag:
            tag: Json = {"id": str(channel.id), "name": "news", "moderated": False, "emoji_id": None, "emoji_name": None}
            common["available_tags"] = [tag]
        if channel.is_thread:
            return {
                **common,
                "owner_id": str(channel.owner_id),
                "message_count": min(len(channel.messages), 50),
                "member_count": 1,
                "total_message_sent": len(channel.messages),
                "thread_metadata": {
                    "archived": channel.is_archived,
                    "auto_archive_duration": 4320,
                    "archive_timestamp": stamp(channel.archived_at),
                    "locked": channel.is_locked,
                    "create_timestamp": stamp(made_at(channel.id)),
                },
            }
        denials = [
            {"id": str(user_id), "type": 1, "allow": "0", "deny": str(int(denied))} for user_id, denied in channel.denied.items()
        ]
        return {
            **common,
            "position": 0,
            "permission_overwrites": denials,
            "topic": None,
            "nsfw": False,
            "last_pin_timestamp": None,
            "default_auto_archive_duration": 4320,
        }

    def webhook(self, webhook: Webhook, *, with_token: bool, with_creator: bool = True) -> Json:
        payload: Json = {
            "id": str(webhook.id),
            "type": 1,
            "guild_id": str(self._world.guild_id),
            "channel_id": str(webhook.channel_id),
            "name": webhook.name,
            "avatar": webhook.avatar,
        }
        if self._world.tells_applications:
            payload["application_id"] = str(webhook.application_id) if webhook.application_id is not None else None
        if with_creator:
            payload["user"] = self.user(webhook.creator)
        if with_token:
            payload["token"] = webhook.token
        return payload

    # -- messages -------------------------------------------------------------------------------------------------------------

    def attachment(self, channel_id: int, stored: StoredAttachment) -> Json:
        url = self._cdn.sign(channel_id, stored)
        payload: Json = {
            "id": str(stored.id),
            "filename": stored.filename,
            "size": stored.size_bytes,
            "url": url,
            "proxy_url": url,
            "content_type": stored.mime,
            "flags": 8 if stored.is_spoiler else 0,
        }
        optional = {
            "description": stored.description,
            "title": stored.title,
            "width": stored.width,
            "height": stored.height,
            "duration_secs": stored.duration_s,
            "waveform": stored.waveform,
        }
        payload.update({key: value for key, value in optional.items() if value is not None})
        return payload

    def reactions(self, reactions: Iterable[Reaction], viewer: Bot | None) -> list[Json]:
        return [
            {
                "emoji": self.reaction_emoji(r),
                "count": len(r.user_ids),
                "count_details": {"normal": len(r.user_ids), "burst": 0},
                "burst_colors": [],
                "me": viewer is not None and viewer.user.id in r.user_ids,
                "me_burst": False,
            }
            for r in reactions
        ]

    def reaction_emoji(self, reaction: Reaction) -> Json:
        custom = reaction.emoji_id is not None
        return {
            "id": str(reaction.emoji_id) if custom else None,
            "name": reaction.name,
            **({"animated": reaction.is_animated} if custom else {}),
        }

    def message(self, message: Message, *, viewer: Bot | None = None, depth: int = 1) -> Json:
        """The message object; `depth` 0 leaves the replied-to message out, as Discord does inside a referenced message."""
        world = self._world
        pinged = [world.users[u] for u in message.mentions if u in world.users]
        payload: Json = {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
            "type": message.type,
            "content": message.content,
            "author": self.author(message.author),
            "timestamp": stamp(message.sent_at),
            "edited_timestamp": _stamp_or_none(message.edited_at),
            "flags": message.flags,
            "tts": False,
            "pinned": message.pinned_at is not None,
            "mention_everyone": message.mention_everyone,
            "mentions": [self.user(u) for u in pinged],
            "mention_roles": [str(r) for r in message.mention_roles],
            **self._shown(message),
        }
        if message.reactions:
            payload["reactions"] = self.reactions(message.reactions, viewer)
        if message.nonce is not None:
            payload["nonce"] = message.nonce
        if message.webhook_id is not None:
            payload["webhook_id"] = str(message.webhook_id)
        if message.application_id is not None and self._world.tells_applications:
            payload["application_id"] = str(message.application_id)
        if message.stickers:
            payload["sticker_items"] = list(message.stickers)
        if message.poll is not None:
            payload["poll"] = message.poll
        if message.reference is not None:
            payload["message_reference"] = {
                "type": message.reference.kind,
                "guild_id": str(world.guild_id),
                "channel_id": str(message.reference.channel_id),
                "message_id": str(message.reference.message_id),
            }
        if message.snapshot is not None:
            payload["message_snapshots"] = [{"message": message.snapshot}]
        if message.type in (19, 21) and message.reference is not None and depth:
            referenced = world.channels[message.reference.channel_id].messages.get(message.reference.message_id)
            payload["referenced_message"] = None if referenced is None else self.message(referenced, depth=0)
        if message.thread_id is not None and message.thread_id in world.channels:
            payload["thread"] = self.channel(world.channels[message.thread_id])
        return payload

    def _shown(self, message: Message) -> Json:
        """Embeds and components, and the files that neither of them shows."""
        used: set[int] = set()
        files = {a.filename: a for a in message.attachments}

        def sign(stored: StoredAttachment) -> str:
            return self._cdn.sign(message.channel_id, stored)

        embeds = unfurl(message.embeds, files, sign, used)
        components = unfurl(message.components, files, sign, used)
        listed = [self.attachment(message.channel_id, a) for a in message.attachments if a.id not in used]
        return {"attachments": listed, "embeds": embeds, "components": components}

    def message_event(self, message: Message) -> Json:
        """The message object as the gateway sends it: with the guild and, unless a webhook wrote it, the member."""
        payload = self.message(message)
        payload["guild_id"] = str(self._world.guild_id)
        payload["channel_type"] = self._world.channels[message.channel_id].kind
        author = self._world.users.get(message.author.id)
        if message.webhook_id is None and author is not None:
            payload["member"] = self.member(author, with_user=False)
        for user in payload["mentions"]:
            user["member"] = self.member(self._world.users[int(user["id"])], with_user=False)
        return payload


def without_content(payload: Json) -> Json:
    """What a bot without the message content intent gets of a message that is neither its own nor mentions it."""
    blank = {**payload, "content": "", **{key: [] for key in CONTENT_FIELDS}}
    blank.pop("poll", None)
    blank.pop("message_snapshots", None)
    if isinstance(blank.get("referenced_message"), dict):
        blank["referenced_message"] = {**blank["referenced_message"], "content": "", **{key: [] for key in CONTENT_FIELDS}}
    return blank


def _stamp_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


class AttachmentUrls(Protocol):
    """How attachment addresses are made; the CDN implements it."""

    def sign(self, channel_id: int, attachment: StoredAttachment) -> str: ...

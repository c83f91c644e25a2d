"""One emulated guild: its people, channels and permissions. No I/O; `operations` changes it."""

from __future__ import annotations

import base64
import hashlib
import secrets

from adapters.common.emulation.options import EmulatorOptions
from adapters.discord.emulator.ids import Snowflakes
from adapters.discord.emulator.records import Bot, Channel, Emoji, Permission, User, Webhook


class World:
    """One guild and everything in it."""

    def __init__(self, guild_name: str = "Sandbox") -> None:
        self.ids = Snowflakes()
        self.guild_id = self.ids.next()
        self.guild_name = guild_name
        self.boost_level = 0
        self.messages_kept = EmulatorOptions().messages_kept
        """Per channel; older ones are forgotten."""
        self.system_channel_id: int | None = None
        self.owner = User(id=self.ids.next(), username="owner", display_name="Owner")
        self.users: dict[int, User] = {self.owner.id: self.owner}
        self.bots: dict[str, Bot] = {}
        self.bots_by_user: dict[int, Bot] = {}
        self.channels: dict[int, Channel] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.emojis: dict[int, Emoji] = {}
        self.file_limit_bytes: int | None = None
        """Overrides what the boost level allows, for tests and benchmarks."""
        self.tells_applications = True
        """Whether messages and webhooks have the id of their application: servers that speak Discord's API may leave it out."""

    @property
    def max_file_bytes(self) -> int:
        """Per file. Source: discord.py guild.py, 2.7.1."""
        if self.file_limit_bytes is not None:
            return self.file_limit_bytes
        return {2: 50, 3: 100}.get(self.boost_level, 10) * 1024**2

    def add_user(self, display_name: str, *, is_bot: bool = False) -> User:
        user_id = self.ids.next()
        username = "".join(c for c in display_name.lower() if c.isascii() and (c.isalnum() or c in "._")) or "user"
        avatar = hashlib.md5(str(user_id).encode(), usedforsecurity=False).hexdigest()
        user = User(id=user_id, username=username[:32], display_name=display_name, avatar=avatar, is_bot=is_bot)
        self.users[user_id] = user
        return user

    def add_bot(self, name: str) -> Bot:
        user = self.add_user(name, is_bot=True)
        head = base64.urlsafe_b64encode(str(user.id).encode()).decode().rstrip("=")
        token = f"{head}.{secrets.token_urlsafe(5)[:6]}.{secrets.token_urlsafe(30)[:38]}"
        bot = Bot(user=user, application_id=user.id, token=token, role_id=self.ids.next())
        self.bots[token] = bot
        self.bots_by_user[user.id] = bot
        return bot

    def add_channel(self, name: str, kind: int = 0) -> Channel:
        channel = Channel(id=self.ids.next(), name=name, kind=kind)
        self.channels[channel.id] = channel
        return channel

    def add_webhook(self, channel_id: int, name: str, creator: User, application_id: int | None) -> Webhook:
        webhook = Webhook(
            id=self.ids.next(),
            token=secrets.token_urlsafe(51),
            channel_id=channel_id,
            name=name,
            creator=creator,
            application_id=application_id,
        )
        self.webhooks[webhook.id] = webhook
        return webhook

    def home(self, channel: Channel) -> Channel:
        """The channel whose permissions and webhooks count: the parent of a thread, else itself."""
        return self.channels[channel.parent_id] if channel.parent_id is not None else channel

    def permissions(self, bot: Bot, channel: Channel) -> Permission:
        return bot.permissions & ~self.home(channel).denied.get(bot.user.id, Permission(0))

    def can_view(self, bot: Bot, channel: Channel) -> bool:
        return Permission.VIEW_CHANNEL in self.permissions(bot, channel)

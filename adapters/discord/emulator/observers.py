"""What a person sees in the emulated chats: messages as `SeenMessage`, and the bounded log of changes.

Messages are rendered when somebody reads them, not when they change: benchmarks make many that nobody reads.
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.common.emulation.changes import ChangeLog
from adapters.common.emulation.contract import EmulatedFile, SeenMessage, SeenReaction
from adapters.common.emulation.options import EmulatorOptions
from adapters.discord.emulator import polls
from adapters.discord.emulator.records import Channel, Message, StoredAttachment
from adapters.discord.emulator.render import Names, show
from adapters.discord.emulator.rules import THREAD_STARTER
from adapters.discord.emulator.world import World

SYSTEM_TEXTS = {
    1: "{author} added someone to the thread.",
    2: "{author} removed someone from the thread.",
    4: "{author} changed the channel name: {content}",
    6: "{author} pinned a message to this channel.",
    7: "{author} joined the server.",
    8: "{author} just boosted the server!",
    18: "{author} started a thread: {content}",
}


class Seen:
    def __init__(self, world: World, avatar_url: Callable[[Message], str]) -> None:
        self._world = world
        self._avatar_url = avatar_url
        self.log = ChangeLog[Message](self.message, EmulatorOptions().changes_kept)

    def transcript(self, channel: Channel) -> list[SeenMessage]:
        """A channel with its threads, or one thread; oldest first."""
        threads = [c for c in self._world.channels.values() if c.parent_id == channel.id]
        messages = [m for holder in (channel, *threads) for m in holder.seen.values() if m.type != THREAD_STARTER]
        return [self.message(m) for m in sorted(messages, key=lambda m: m.id)]

    def message(self, message: Message) -> SeenMessage:
        channel = self._world.channels.get(message.channel_id)
        is_thread = channel is not None and channel.is_thread
        parent = channel.parent_id if channel is not None and is_thread else message.channel_id
        text, html = self._words(message)
        reference = message.reference
        is_reply = reference is not None and message.type == 19
        return SeenMessage(
            message_id=str(message.id),
            chat_id=str(parent),
            author_name=message.author.display_name,
            author_id=str(message.author.id),
            author_avatar_url=message.author.avatar_url or self._avatar_url(message),
            is_bot=message.author.is_bot,
            text=text,
            html=html,
            files=tuple(_file(a, message) for a in message.attachments),
            reply_to=str(reference.message_id) if reference is not None and is_reply else "",
            reply_quote=self._quote(message) if is_reply else "",
            thread_id=str(message.channel_id) if is_thread else "",
            reactions=tuple(
                SeenReaction(emoji=f":{r.name}:" if r.emoji_id else r.name, by=tuple(self._user(u) for u in r.user_ids))
                for r in message.reactions
            ),
            poll=polls.seen(message, self._user),
            pinned=message.pinned_at is not None and not message.is_deleted,
            edited=message.edited_at is not None,
            deleted=message.is_deleted,
            system=message.type in SYSTEM_TEXTS,
            sent_at=message.sent_at,
        )

    def _words(self, message: Message) -> tuple[str, str]:
        if message.type in SYSTEM_TEXTS:
            line = SYSTEM_TEXTS[message.type].format(author=message.author.display_name, content=message.content)
            return show(line.replace("*", "\\*"), self._names(message))
        if message.snapshot is not None:
            text, html = show(str(message.snapshot.get("content", "")), self._names(message))
            return f"Forwarded: {text}", f'<span class="forwarded">{html}</span>'
        text, html = show(message.content, self._names(message))
        if message.poll is not None:
            poll_text, poll_html = polls.shown(message.poll)
            text, html = f"{text}\n{poll_text}" if text else poll_text, html + poll_html
        for embed in message.embeds:
            embed_text, embed_html = self._embed(embed, message)
            text = f"{text}\n{embed_text}" if text else embed_text
            html += embed_html
        return text, html

    def _embed(self, embed: dict[str, object], message: Message) -> tuple[str, str]:
        author = embed.get("author")
        parts = [str(author.get("name", ""))] if isinstance(author, dict) else []
        parts += [str(embed[key]) for key in ("title", "description") if embed.get(key)]
        shown = [show(part, self._names(message)) for part in parts]
        return "\n".join(t for t, _ in shown), '<span class="embed">' + "<br>".join(h for _, h in shown) + "</span>"

    def _quote(self, message: Message) -> str:
        assert message.reference is not None
        channel = self._world.channels.get(message.reference.channel_id)
        original = channel.messages.get(message.reference.message_id) if channel is not None else None
        return "" if original is None else show(original.content, self._names(original))[0][:100]

    def _names(self, message: Message) -> Names:
        return Names(
            user=self._user,
            role=self._role,
            channel=self._channel,
            pinged_users=frozenset(message.mentions),
            pinged_roles=frozenset(message.mention_roles),
            pings_everyone=message.mention_everyone,
        )

    def _user(self, user_id: int) -> str:
        user = self._world.users.get(user_id)
        return user.display_name if user is not None else "unknown-user"

    def _role(self, role_id: int) -> str:
        return next((b.user.display_name for b in self._world.bots.values() if b.role_id == role_id), "deleted-role")

    def _channel(self, channel_id: int) -> str:
        channel = self._world.channels.get(channel_id)
        return channel.name if channel is not None else "unknown"


def _file(attachment: StoredAttachment, message: Message) -> EmulatedFile:
    family = attachment.mime.split("/")[0]
    kind = {"image": "photo", "video": "video", "audio": "audio"}.get(family, "document")
    if attachment.mime == "image/gif":
        kind = "animation"
    if message.flags & 8192:
        kind = "voice"
    return EmulatedFile(
        file_id=str(attachment.id),
        name=attachment.filename,
        mime=attachment.mime,
        size_bytes=attachment.size_bytes,
        kind=kind,
        sha256=attachment.sha256,
        alt_text=attachment.description or "",
    )

"""Lines above a copy's text: its author, where Discord does not show one, and what it replies to. Pure.

Filled by `message_header`."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.discord.inbound.decode_content import REPLY_MARK, excerpt
from adapters.discord.outbound.encode_text import escape
from bridge.model.adapter import Reply

SITE_URL = "https://discord.com"


@dataclass(frozen=True, slots=True)
class Header:
    """Lines above a message's text: whose it is, where Discord does not show that, and what it answers."""

    name: str = ""
    reply: Reply | None = None
    reply_url: str = ""

    @property
    def text(self) -> str:
        lines = [f"**{escape(' '.join(self.name.split()))}**"] if self.name else []
        if self.reply is not None:
            lines.append("-# " + self._reply_line(self.reply))
        return "\n".join(lines)

    def _reply_line(self, reply: Reply) -> str:
        words = escape(excerpt(reply.excerpt)).replace("://", ":\u200b//")
        name = f"**{escape(' '.join(reply.author_name.split()))}**" if reply.author_name else ""
        if self.reply_url:
            words = f"[{_label(words) or 'message'}](<{self.reply_url}>)"
        return f"{REPLY_MARK} " + ": ".join(part for part in (name, words) if part)


def _label(words: str) -> str:
    """The label of a masked link: brackets would end it early."""
    return words.replace("\\[", "(").replace("\\]", ")")


NO_HEADER = Header()


def jump_url(guild_id: str, channel_id: str, message_id: str) -> str:
    """Address of a message. Source: API reference, "Message Links"."""
    return f"{SITE_URL}/channels/{guild_id or '@me'}/{channel_id}/{message_id}"

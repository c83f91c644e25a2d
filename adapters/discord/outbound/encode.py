"""Outbound messages -> bodies of API calls. Pure. Called by `adapter`.

Every body states `allowed_mentions`, on edits too: without it Discord reads mentions by defaults that ping.
Source: API reference, message and webhook resources ("Allowed Mentions Object"), August 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, partial

from adapters.discord import wire
from adapters.discord.capabilities import MAX_SENDER_NAME, MAX_TEXT
from adapters.discord.inbound.decode_content import REPLY_MARK, excerpt
from adapters.discord.outbound.encode_text import encode_text, escape
from adapters.discord.outbound.pings import pings_of
from bridge.model.adapter import Outbound, OutboundEdit, OutboundFile, Reply
from bridge.model.rich_text import RichText

SUPPRESS_EMBEDS = 1 << 2
SUPPRESS_NOTIFICATIONS = 1 << 12
MAX_NONCE = 25
MAX_ALT_TEXT = 1024
SITE_URL = "https://discord.com"

_FORBIDDEN_WORDS = (("discord", "o", "о"), ("clyde", "y", "у"), ("everyone", "o", "о"), ("here", "e", "е"))
"""Words that Discord refuses in webhook names, with the letter that is replaced by its Cyrillic look-alike."""
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Head:
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


NO_HEAD = Head()


def webhook_message(
    outbound: Outbound, head: Head = NO_HEAD, *, with_name: bool = True, with_avatar: bool = True
) -> wire.MessageBody:
    """Body of "Execute Webhook". Without name or avatar (when Discord refuses them) the webhook's own are shown."""
    body = _message(outbound, head)
    if with_name and outbound.sender is not None:
        body["username"] = webhook_name(outbound.sender.name)
    if with_avatar and outbound.sender is not None and outbound.sender.avatar_url.startswith(("https://", "http://")):
        body["avatar_url"] = outbound.sender.avatar_url
    return body


def bot_message(outbound: Outbound, head: Head = NO_HEAD, *, as_reply: bool = True) -> wire.MessageBody:
    """Body of "Create Message", with a nonce by which Discord recognises a repetition for some minutes."""
    body = _message(outbound, head)
    body["nonce"] = outbound.token[:MAX_NONCE]
    body["enforce_nonce"] = True
    if as_reply and outbound.reply is not None and outbound.reply.message_id:
        body["message_reference"] = {"message_id": outbound.reply.message_id, "fail_if_not_exists": False}
        body["allowed_mentions"]["replied_user"] = False
    return body


def _message(outbound: Outbound, head: Head) -> wire.MessageBody:
    content, embeds = content_of(outbound.text, head, mass_mentions=outbound.mass_mentions)
    body: wire.MessageBody = {
        "content": content,
        "allowed_mentions": allowed_mentions(outbound.text, mass_mentions=outbound.mass_mentions),
    }
    if embeds:
        body["embeds"] = embeds
    flags = (0 if outbound.previews else SUPPRESS_EMBEDS) | (SUPPRESS_NOTIFICATIONS if outbound.silent else 0)
    if flags:
        body["flags"] = flags
    if outbound.files:
        body["attachments"] = [_described(number, file) for number, file in enumerate(outbound.files)]
    return body


def edited_message(outbound: OutboundEdit, head: Head = NO_HEAD) -> wire.MessageBody:
    """Body of either kind of edit. Attachments are not named: then they stay."""
    content, embeds = content_of(outbound.text, head, mass_mentions=outbound.mass_mentions)
    body: wire.MessageBody = {
        "content": content,
        "allowed_mentions": allowed_mentions(outbound.text, mass_mentions=outbound.mass_mentions),
    }
    if head != NO_HEAD:
        body["embeds"] = embeds
    return body


def content_of(text: RichText, head: Head, *, mass_mentions: bool) -> tuple[str, list[wire.EmbedBody]]:
    """Content and embeds: the head goes above the text if both fit, else into an embed below it."""
    content = encode_text(text, mass_mentions=mass_mentions)
    if head == NO_HEAD:
        return content, []
    above = head.text
    if len(above) + 1 + len(content) <= MAX_TEXT:
        return (f"{above}\n{content}" if content else above), []
    return content, [{"type": "rich", "description": above.replace("-# ", "")[:4096]}]


def allowed_mentions(text: RichText, *, mass_mentions: bool) -> wire.AllowedMentions:
    """Only whom the text mentions on purpose; everyone and roles only if the route allows it for this author."""
    pings = pings_of(text)
    allowed: wire.AllowedMentions = {"parse": ["everyone"] if mass_mentions and pings.everyone else []}
    if pings.users:
        allowed["users"] = list(pings.users)
    if mass_mentions and pings.roles:
        allowed["roles"] = list(pings.roles)
    return allowed


@lru_cache(maxsize=1024)
def webhook_name(name: str) -> str:
    """A name that Discord takes: 1 to 80 characters, trimmed, forbidden words kept readable by a look-alike letter."""
    clean = _SPACES.sub(" ", "".join(c for c in name if c.isprintable() or c.isspace())).strip()
    for word, letter, look_alike in _FORBIDDEN_WORDS:
        clean = re.sub(word, partial(_swap, letter, look_alike), clean, flags=re.IGNORECASE)
    return clean[:MAX_SENDER_NAME].strip() or "?"


def _swap(letter: str, look_alike: str, found: re.Match[str]) -> str:
    """Replaces the last such letter, keeping its case."""
    word = found[0]
    at = word.casefold().rindex(letter)
    replacement = look_alike.upper() if word[at].isupper() else look_alike
    return word[:at] + replacement + word[at + 1 :]


def _described(number: int, file: OutboundFile) -> wire.AttachmentBody:
    described: wire.AttachmentBody = {"id": number, "filename": upload_name(file)}
    if file.attachment.alt_text:
        described["description"] = file.attachment.alt_text[:MAX_ALT_TEXT]
    return described


def upload_name(file: OutboundFile) -> str:
    """The name a file is uploaded under; Discord hides a picture whose name begins with SPOILER_."""
    return f"SPOILER_{file.name}" if file.attachment.spoiler and not file.name.startswith("SPOILER_") else file.name


def jump_url(guild_id: str, channel_id: str, message_id: str) -> str:
    """Address of a message. Source: API reference, "Message Links"."""
    return f"{SITE_URL}/channels/{guild_id or '@me'}/{channel_id}/{message_id}"

"""Outbound messages -> bodies of API calls. Pure. Called by `adapter`.

Every body states `allowed_mentions`, on edits too: without it Discord reads mentions by defaults that ping.
Source: API reference, message and webhook resources ("Allowed Mentions Object"), August 2026.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial

from adapters.discord.capabilities import MAX_SENDER_NAME, MAX_TEXT
from adapters.discord.outbound import bodies
from adapters.discord.outbound.encode_text import encode_text
from adapters.discord.outbound.header import NO_HEADER, Header
from adapters.discord.outbound.pings import pings_of
from bridge.model.adapter import Outbound, OutboundEdit, OutboundFile
from bridge.model.events import AttachmentKind
from bridge.model.media import OGG
from bridge.model.rich_text import RichText

SUPPRESS_EMBEDS = 1 << 2
SUPPRESS_NOTIFICATIONS = 1 << 12
IS_VOICE_MESSAGE = 1 << 13
VOICE_NAME = "voice-message.ogg"
"""As Discord's own clients name it."""
_FLAT = "AAAA"
"""The waveform of a sound whose loudness is not known: Discord takes no voice message without one."""
MAX_NONCE = 25
MAX_ALT_TEXT = 1024
_FORBIDDEN_WORDS = (("discord", "o", "о"), ("clyde", "y", "у"), ("everyone", "o", "о"), ("here", "e", "е"))
"""Words that Discord refuses in webhook names, with the letter that is replaced by its Cyrillic look-alike."""
_SPACES = re.compile(r"\s+")


def webhook_message(
    outbound: Outbound, header: Header = NO_HEADER, *, with_name: bool = True, with_avatar: bool = True
) -> bodies.MessageBody:
    """Body of "Execute Webhook". Without name or avatar (when Discord refuses them) the webhook's own are shown."""
    body = _message(outbound, header)
    if with_name and outbound.sender is not None:
        body["username"] = webhook_name(outbound.sender.name)
    if with_avatar and outbound.sender is not None and outbound.sender.avatar_url.startswith(("https://", "http://")):
        body["avatar_url"] = outbound.sender.avatar_url
    return body


def bot_message(
    outbound: Outbound, header: Header = NO_HEADER, *, as_reply: bool = True, poll: bodies.PollBody | None = None
) -> bodies.MessageBody:
    """Body of "Create Message", with a nonce by which Discord recognises a repetition for some minutes."""
    body = _message(outbound, header)
    body["nonce"] = outbound.token[:MAX_NONCE]
    body["enforce_nonce"] = True
    if poll is not None:
        body["poll"] = poll
    if as_reply and outbound.reply is not None and outbound.reply.message_id:
        body["message_reference"] = {"message_id": outbound.reply.message_id, "fail_if_not_exists": False}
        body["allowed_mentions"]["replied_user"] = False
    return body


def _message(outbound: Outbound, header: Header) -> bodies.MessageBody:
    content, embeds = content_of(outbound.text, header, mass_mentions=outbound.mass_mentions)
    body: bodies.MessageBody = {
        "content": content,
        "allowed_mentions": allowed_mentions(outbound.text, mass_mentions=outbound.mass_mentions),
    }
    if embeds:
        body["embeds"] = embeds
    if is_voice(outbound) and not content and not embeds:
        file = outbound.files[0]
        voice: bodies.MessageBody = {"flags": IS_VOICE_MESSAGE, "allowed_mentions": {"parse": []}, "attachments": [_voice(file)]}
        if outbound.silent:
            voice["flags"] |= SUPPRESS_NOTIFICATIONS
        return voice
    flags = (0 if outbound.previews else SUPPRESS_EMBEDS) | (SUPPRESS_NOTIFICATIONS if outbound.silent else 0)
    if flags:
        body["flags"] = flags
    if outbound.files:
        body["attachments"] = [_described(number, file) for number, file in enumerate(outbound.files)]
    return body


def edited_message(outbound: OutboundEdit, header: Header = NO_HEADER) -> bodies.MessageBody:
    """Body of either kind of edit. Attachments are not named: then they stay."""
    content, embeds = content_of(outbound.text, header, mass_mentions=outbound.mass_mentions)
    body: bodies.MessageBody = {
        "content": content,
        "allowed_mentions": allowed_mentions(outbound.text, mass_mentions=outbound.mass_mentions),
    }
    if header != NO_HEADER:
        body["embeds"] = embeds
    return body


def content_of(text: RichText, header: Header, *, mass_mentions: bool) -> tuple[str, list[bodies.EmbedBody]]:
    """Content and embeds: the header goes above the text if both fit, else into an embed below it."""
    content = encode_text(text, mass_mentions=mass_mentions)
    if header == NO_HEADER:
        return content, []
    above = header.text
    if len(above) + 1 + len(content) <= MAX_TEXT:
        return (f"{above}\n{content}" if content else above), []
    return content, [{"type": "rich", "description": above.replace("-# ", "")[:4096]}]


def allowed_mentions(text: RichText, *, mass_mentions: bool) -> bodies.AllowedMentions:
    """Only people that the text mentions on purpose; everyone and roles only if the route allows it for this author."""
    pings = pings_of(text)
    allowed: bodies.AllowedMentions = {"parse": ["everyone"] if mass_mentions and pings.everyone else []}
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


def is_voice(outbound: Outbound) -> bool:
    """Whether it can be a voice message: a single file of sound whose length is known. Words beside it, a line about what it
    answers too, make it a message with an audio file. Source: API reference, "Voice Messages", read 2026-11-26."""
    if len(outbound.files) != 1:
        return False
    file = outbound.files[0]
    return file.attachment.kind is AttachmentKind.VOICE and file.mime == OGG and bool(file.attachment.duration_s)


def _voice(file: OutboundFile) -> bodies.AttachmentBody:
    attachment = file.attachment
    return {
        "id": 0,
        "filename": VOICE_NAME,
        "duration_secs": round(attachment.duration_s or 0.0, 3),
        "waveform": attachment.waveform or _FLAT,
    }


def _described(number: int, file: OutboundFile) -> bodies.AttachmentBody:
    described: bodies.AttachmentBody = {"id": number, "filename": upload_name(file)}
    if file.attachment.alt_text:
        described["description"] = file.attachment.alt_text[:MAX_ALT_TEXT]
    if file.attachment.spoiler:
        described["is_spoiler"] = True
    return described


def upload_name(file: OutboundFile) -> str:
    """The name a file is uploaded under; Discord hides a picture whose name begins with SPOILER_."""
    return f"SPOILER_{file.name}" if file.attachment.spoiler and not file.name.startswith("SPOILER_") else file.name

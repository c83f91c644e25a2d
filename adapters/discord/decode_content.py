"""What a Discord message says -> `Content`: text, files, stickers, polls, bots' embeds and components, forwards, replies. Pure.

Called by `decode`. Source: API reference, message resource and component reference, August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.discord.markdown import Names, decode_text
from adapters.discord.places import Places
from bridge.events import Attachment, AttachmentKind, Author, Content, Forward, Poll, PollOption, ReplyTo
from bridge.text import Mark, Paragraph, RichText, Text, concat, plain, to_plain

Json = Mapping[str, Any]

VOICE_MESSAGE = 1 << 13
SUPPRESS_EMBEDS = 1 << 2
SPOILER_ATTACHMENT = 1 << 3
EXCERPT_LENGTH = 120
REPLY_MARK = "↪"
"""Begins the small line above a copy that says what it answers."""
_STICKER_TYPES = {1: ("png", "image/png"), 2: ("png", "image/apng"), 3: ("json", "application/json"), 4: ("gif", "image/gif")}
_TEXT_DISPLAY = 10


def names_of(user: Mapping[str, Any]) -> tuple[str, ...]:
    """All names a user object holds."""
    return tuple(str(name) for name in (user.get("global_name"), user.get("username")) if name)


def name_of(user: Json, member: Json | None = None) -> str:
    """As Discord shows it: nickname on the server, display name, username."""
    return str((member or {}).get("nick") or user.get("global_name") or user["username"])


def author_of(data: Json, cdn_url: str) -> Author:
    """Raises KeyError when the payload's author has no id. All personas of a webhook share its id: the name tells them apart."""
    user, member = data["author"], data.get("member") or None
    user_id = str(user["id"])
    avatar, guild_avatar = user.get("avatar"), (member or {}).get("avatar")
    url = f"{cdn_url}/avatars/{user_id}/{avatar}.png?size=128" if avatar else ""
    if guild_avatar and data.get("guild_id"):
        url = f"{cdn_url}/guilds/{data['guild_id']}/users/{user_id}/avatars/{guild_avatar}.png?size=128"
    is_persona = data.get("webhook_id") is not None
    return Author(
        user_id=f"{user_id}:{user['username']}" if is_persona else user_id,
        name=name_of(user, member),
        username="" if is_persona else str(user["username"]),
        avatar_url=url,
        is_bot=bool(user.get("bot")),
    )


def content_of(data: Json, places: Places, cdn_url: str) -> Content:
    """Everything visible of a message object, or of a forwarded snapshot in it."""
    reference = data.get("message_reference") or {}
    snapshots = data.get("message_snapshots") or ()
    if reference.get("type") == 1 and snapshots:
        return _forward(data, snapshots[0]["message"], reference, places)
    names = _names(data, places)
    flags = int(data.get("flags") or 0)
    return Content(
        text=concat(decode_text(str(data.get("content") or ""), names), *_extra_texts(data, names)),
        attachments=_attachments(data, str(data["channel_id"]), str(data["id"]), is_voice=bool(flags & VOICE_MESSAGE)),
        reply_to=_reply(data, reference, places),
        poll=_poll(data.get("poll")),
        previews=not flags & SUPPRESS_EMBEDS,
    )


def _forward(data: Json, snapshot: Json, reference: Json, places: Places) -> Content:
    """The snapshot has no author; only the channel it comes from may be known."""
    names = _names({**snapshot, "mentions": snapshot.get("mentions") or ()}, places)
    channel = places.channel_name(str(reference.get("channel_id") or ""))
    is_voice = bool(int(snapshot.get("flags") or 0) & VOICE_MESSAGE)
    return Content(
        text=concat(decode_text(str(snapshot.get("content") or ""), names), *_extra_texts(snapshot, names)),
        attachments=_attachments(snapshot, str(data["channel_id"]), str(data["id"]), is_voice=is_voice),
        forwarded_from=Forward(chat_name=f"#{channel}" if channel else ""),
    )


def _names(data: Json, places: Places) -> Names:
    people = {str(u["id"]): name_of(u, u.get("member")) for u in data.get("mentions") or ()}
    return Names(user=lambda i: people.get(i, ""), role=places.role_name, channel=places.channel_name)


# -- files --------------------------------------------------------------------------------------------------------------------


def _attachments(data: Json, channel_id: str, message_id: str, *, is_voice: bool) -> tuple[Attachment, ...]:
    files = [_attachment(a, channel_id, message_id, is_voice=is_voice) for a in data.get("attachments") or ()]
    stickers = [_sticker(s) for s in data.get("sticker_items") or ()]
    return (*files, *stickers)


def _attachment(data: Json, channel_id: str, message_id: str, *, is_voice: bool) -> Attachment:
    """`file_id` names message and attachment: signed addresses expire, so a fresh one is fetched when the file is."""
    name = str(data.get("filename") or "file")
    mime = str(data.get("content_type") or "").split(";")[0].strip()
    return Attachment(
        kind=AttachmentKind.VOICE if is_voice else _kind(mime),
        file_id=f"{channel_id}/{message_id}/{data['id']}",
        name=_shown_name(name, data.get("title")),
        mime=mime,
        size_bytes=int(data["size"]),
        width=_whole(data.get("width")),
        height=_whole(data.get("height")),
        duration_s=float(data["duration_secs"]) if data.get("duration_secs") is not None else None,
        spoiler=bool(int(data.get("flags") or 0) & SPOILER_ATTACHMENT) or name.startswith("SPOILER_"),
        alt_text=str(data.get("description") or ""),
    )


def _shown_name(filename: str, title: object) -> str:
    """Discord strips a file's name to plain letters and keeps what it was as the title, without the ending."""
    stem, dot, ending = filename.removeprefix("SPOILER_").rpartition(".")
    if isinstance(title, str) and title and dot and stem:
        return title if title.endswith(f".{ending}") else f"{title}.{ending}"
    return filename.removeprefix("SPOILER_") or filename


def _kind(mime: str) -> AttachmentKind:
    if mime == "image/gif":
        return AttachmentKind.ANIMATION
    families = {"image": AttachmentKind.PHOTO, "video": AttachmentKind.VIDEO, "audio": AttachmentKind.AUDIO}
    return families.get(mime.partition("/")[0], AttachmentKind.DOCUMENT) if mime != "image/svg+xml" else AttachmentKind.DOCUMENT


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _sticker(data: Json) -> Attachment:
    extension, mime = _STICKER_TYPES.get(int(data["format_type"]), ("png", "image/png"))
    return Attachment(
        kind=AttachmentKind.STICKER,
        file_id=f"sticker/{data['id']}.{extension}",
        name=f"{data['name']}.{extension}",
        mime=mime,
        problem="an animated sticker that only Discord can draw" if extension == "json" else "",
    )


# -- texts beside the content -------------------------------------------------------------------------------------------------


def _extra_texts(data: Json, names: Names) -> Iterator[RichText]:
    """Rich embeds of bots and text components; embeds of other types are previews of links in the text."""
    for component in data.get("components") or ():
        for text in _component_texts(component):
            yield decode_text(text, names)
    for embed in data.get("embeds") or ():
        if embed.get("type", "rich") == "rich":
            yield from _embed_texts(embed, names)
        elif embed.get("type") == "poll_result":
            yield _poll_result(embed)


def _component_texts(component: Json) -> Iterator[str]:
    if component.get("type") == _TEXT_DISPLAY:
        yield str(component.get("content") or "")
    for inner in component.get("components") or ():
        yield from _component_texts(inner)


def _embed_texts(embed: Json, names: Names) -> Iterator[RichText]:
    author, footer = embed.get("author") or {}, embed.get("footer") or {}
    if author.get("name"):
        yield _bold(str(author["name"]), author.get("url"))
    if embed.get("title"):
        yield _bold(str(embed["title"]), embed.get("url"))
    if embed.get("description"):
        yield decode_text(str(embed["description"]), names)
    for item in embed.get("fields") or ():
        yield _bold(str(item["name"]), None)
        yield decode_text(str(item["value"]), names)
    for key in ("image", "video"):
        url = str((embed.get(key) or {}).get("url") or "")
        if url.startswith("http"):
            yield RichText((Paragraph((Text(url, 0, url),)),))
    if footer.get("text"):
        yield RichText((Paragraph((Text(str(footer["text"]), Mark.ITALIC),)),))


def _bold(text: str, url: object) -> RichText:
    link = url if isinstance(url, str) and url.startswith("http") else None
    return RichText((Paragraph((Text(text, Mark.BOLD, link),)),))


def _poll_result(embed: Json) -> RichText:
    values = {str(f["name"]): str(f["value"]) for f in embed.get("fields") or ()}
    question, winner = values.get("poll_question_text", "The poll"), values.get("victor_answer_text")
    votes = values.get("victor_answer_votes", "0")
    outcome = f"{winner} ({votes} votes)" if winner else "no winner"
    return plain(f"{question}: {outcome}")


def _poll(data: Json | None) -> Poll | None:
    if not data:
        return None
    counts = {c["id"]: int(c["count"]) for c in (data.get("results") or {}).get("answer_counts") or ()}
    options = tuple(
        PollOption(text=_answer_text(answer["poll_media"]), votes=counts.get(answer.get("answer_id"))) for answer in data["answers"]
    )
    return Poll(
        question=str(data["question"].get("text") or ""),
        options=options,
        multiple=bool(data.get("allow_multiselect")),
        anonymous=False,
        closed=bool((data.get("results") or {}).get("is_finalized")),
    )


def _answer_text(media: Json) -> str:
    emoji = (media.get("emoji") or {}).get("name") or ""
    return " ".join(part for part in (str(emoji), str(media.get("text") or "")) if part)


# -- replies ------------------------------------------------------------------------------------------------------------------


def _reply(data: Json, reference: Json, places: Places) -> ReplyTo | None:
    """Of a message that is a reply. Pins and thread starters refer to messages too, without being replies."""
    if data.get("type") != 19 or not reference.get("message_id"):
        return None
    answered = data.get("referenced_message")
    if not isinstance(answered, Mapping):
        return ReplyTo(message_id=str(reference["message_id"]))
    content = str(answered.get("content") or "")
    if (answered.get("author") or {}).get("bot"):
        content = without_reply_line(content)
    words = to_plain(decode_text(content, _names(answered, places)))
    if not words and answered.get("attachments"):
        words = str(answered["attachments"][0].get("filename") or "")
    return ReplyTo(
        message_id=str(reference["message_id"]),
        author_name=name_of(answered["author"], answered.get("member")),
        excerpt=excerpt(words),
    )


def without_reply_line(content: str) -> str:
    """A copy's own words, without the small line above them that says what it answers (`encode` writes it)."""
    return "\n".join(line for line in content.split("\n") if not line.startswith(f"-# {REPLY_MARK}"))


def excerpt(words: str) -> str:
    """The beginning of a text on one line."""
    line = " ".join(words.split())
    return line if len(line) <= EXCERPT_LENGTH else line[: EXCERPT_LENGTH - 1].rstrip() + "…"

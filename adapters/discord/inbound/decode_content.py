"""What a Discord message says -> `Content`: text, files, stickers, polls, bots' embeds and components, forwards, replies. Pure.

Called by `decode`. Files are read in `decode_files`, embeds in `decode_embeds`, components in `decode_components`. Cosmetic fields
may be missing or of any type. Source: API reference, message resource, August 2026."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.discord import wire
from adapters.discord.guild_cache import GuildCache
from adapters.discord.inbound.decode_components import BUTTON_ROW, IS_COMPONENTS_V2, components_of
from adapters.discord.inbound.decode_embeds import embed_files, embed_texts, own_embeds
from adapters.discord.inbound.decode_files import VOICE_MESSAGE, Whereabouts, attachments, emoji_pictures
from adapters.discord.inbound.decode_polls import poll_of
from adapters.discord.inbound.decode_text import Lookup, Names, decode_text
from adapters.discord.lenient import flags_of, is_visible, mapping, objects, text, whole
from adapters.discord.snowflakes import id_of
from bridge.model.events import Attachment, Author, Content, Forward, ReplyTo
from bridge.model.rich_text import Mark, Paragraph, RichText, Text, concat, to_plain

SUPPRESS_EMBEDS = 1 << 2
SUPPRESS_NOTIFICATIONS = 1 << 12
EXCERPT_LENGTH = 120
REPLY_MARK = "↪"
"""Begins the small line above a copy that says what it answers."""
_ACTIVITIES = {2: "invites to watch", 3: "invites to listen", 5: "asks to join"}


def names_of(user: wire.User | None) -> tuple[str, ...]:
    """All names a user object holds."""
    return tuple(name for stated in (mapping(user).get("global_name"), mapping(user).get("username")) if (name := text(stated)))


def name_of(user: wire.User, member: wire.Member | None = None) -> str:
    """As Discord shows it: nickname on the server, display name, username; empty if there is none."""
    return text(mapping(member).get("nick")) or text(user.get("global_name")) or text(user.get("username"))


def author_of(data: wire.Message, cdn_url: str, guilds: GuildCache | None = None) -> Author:
    """Raises KeyError, TypeError or ValueError when the payload's author has no id. All personas of a webhook share its id: the
    name distinguishes them. With `guilds`, roles have their names: a message of the gateway has the member's role ids."""
    user, member = data["author"], mapping(data.get("member"))
    user_id, username = id_of(user["id"]), text(user.get("username"))
    avatar, guild_avatar = text(user.get("avatar")), text(member.get("avatar"))
    url = f"{cdn_url}/avatars/{user_id}/{avatar}.png?size=128" if avatar else ""
    if guild_avatar and data.get("guild_id"):
        url = f"{cdn_url}/guilds/{data['guild_id']}/users/{user_id}/avatars/{guild_avatar}.png?size=128"
    is_persona = data.get("webhook_id") is not None
    return Author(
        user_id=f"{user_id}:{username}" if is_persona else user_id,
        name=name_of(user, member),
        username="" if is_persona else username,
        avatar_url=url,
        is_bot=user.get("bot") is True,
        roles=_roles(member, guilds) if guilds is not None else (),
    )


def _roles(member: Mapping[str, Any], guilds: GuildCache) -> tuple[str, ...]:
    found = member.get("roles")
    ids = found if isinstance(found, list) else []
    return tuple(name for role_id in ids if isinstance(role_id, str) and (name := guilds.role_name(role_id)))


def content_of(data: wire.Message, guilds: GuildCache, cdn_url: str, known: Lookup = lambda _: "") -> Content:
    """Everything visible of a message object, or of a forwarded snapshot in it. `known` names people whom the message mentions by
    id alone, as in embeds."""
    where = Whereabouts(str(data["channel_id"]), str(data["id"]), cdn_url)
    reference = mapping(data.get("message_reference"))
    snapshots = [mapping(s.get("message")) for s in objects(data.get("message_snapshots"))]
    names = _names(data, guilds, known)
    words, files = _shown(data, names, where)
    if whole(reference.get("type")) == 1:
        for snapshot in snapshots:
            more_words, more_files = _shown(snapshot, _names(snapshot, guilds, known), where, is_forwarded=True)
            words, files = [*words, *more_words], [*files, *more_files]
        channel = guilds.channel_name(text(reference.get("channel_id")))
        forward = Forward(chat_name=f"#{channel}" if channel else "")
        return Content(text=concat(*words), attachments=tuple(_once(files)), forwarded_from=forward)
    said, poll = concat(*words), poll_of(data.get("poll"))
    return Content(
        text=said,
        attachments=tuple(_once(files)),
        reply_to=_reply(data, reference, guilds),
        poll=poll,
        pictures=() if files or poll else emoji_pictures(said),
        previews=not flags_of(data.get("flags")) & SUPPRESS_EMBEDS,
        silent=bool(flags_of(data.get("flags")) & SUPPRESS_NOTIFICATIONS),
    )


def _shown(
    data: wire.Message, names: Names, where: Whereabouts, *, is_forwarded: bool = False
) -> tuple[list[RichText], list[Attachment]]:
    """Texts and files from top to bottom. A snapshot has no author; only the channel it comes from may be known."""
    is_v2 = bool(flags_of(data.get("flags")) & IS_COMPONENTS_V2)
    components = objects(data.get("components"))
    above = components_of([c for c in components if is_v2 or c.get("type") != BUTTON_ROW], names, where)
    below = components_of([c for c in components if not is_v2 and c.get("type") == BUTTON_ROW], names, where)
    embeds = own_embeds(data, is_forwarded=is_forwarded)
    texts = [*_command(data), decode_text(text(data.get("content")), names), *above.texts]
    files = attachments(data, where, is_voice=bool(flags_of(data.get("flags")) & VOICE_MESSAGE))
    files += above.files
    for embed in embeds:
        texts += embed_texts(embed, names, where)
        files += embed_files(embed, where)
    return [*texts, *below.texts, *_others(data)], [*files, *below.files]


def _once(files: list[Attachment]) -> Iterator[Attachment]:
    """An upload that an embed or a component shows may be listed among the attachments too."""
    seen: dict[str, None] = {}
    for file in files:
        if file.file_id not in seen:
            seen[file.file_id] = None
            yield file


def _command(data: wire.Message) -> Iterator[RichText]:
    """The line above an app's answer: who asked it for what."""
    stated = mapping(data.get("interaction"))
    who, what = name_of(mapping(stated.get("user")), stated.get("member")), text(stated.get("name"))
    if who and what and whole(stated.get("type")) == 2:
        sign = "/" if whole(data.get("type")) == 20 else ""
        yield RichText((Paragraph((Text(f"{who} used ", int(Mark.ITALIC)), Text(f"{sign}{what}", int(Mark.CODE)))),))


def _others(data: wire.Message) -> Iterator[RichText]:
    """What a message shows in forms of its own: invitations to an activity, sounds."""
    activity, application = mapping(data.get("activity")), mapping(data.get("application"))
    if activity:
        what = _ACTIVITIES.get(whole(activity.get("type")), "invites to join")
        yield _line(f"{what} {text(application.get('name')) or 'an activity'}")
    for sound in objects(data.get("soundboard_sounds")):
        yield _line(f"🔊 {text(sound.get('name')) or text(sound.get('emoji_name')) or 'a sound'}")


def _line(words: str) -> RichText:
    return RichText((Paragraph((Text(words, int(Mark.ITALIC)),)),))


def _names(data: wire.Message, guilds: GuildCache, known: Lookup = lambda _: "") -> Names:
    """Channels of other servers, whose posts are followed here, are named by the message alone."""
    people = {text(u.get("id")): name_of(u, u.get("member")) for u in objects(data.get("mentions"))}
    channels = {text(c.get("id")): text(c.get("name")) for c in objects(data.get("mention_channels"))}
    return Names(
        user=lambda i: people.get(i) or known(i),
        role=guilds.role_name,
        channel=lambda i: guilds.channel_name(i) or channels.get(i, ""),
    )


# -- replies ------------------------------------------------------------------------------------------------------------------


def _reply(data: wire.Message, reference: wire.MessageReference, guilds: GuildCache) -> ReplyTo | None:
    """Of a message that is a reply. Pins and thread starters refer to messages too, without being replies."""
    if data.get("type") != 19 or not reference.get("message_id"):
        return None
    answered = data.get("referenced_message")
    if not isinstance(answered, dict):
        # null says that it was deleted; nothing at all that Discord did not look
        is_gone = "referenced_message" in data and answered is None
        return ReplyTo(message_id=str(reference["message_id"]), excerpt="(deleted message)" if is_gone else "")
    author = mapping(answered.get("author"))
    content = text(answered.get("content"))
    if author.get("bot"):
        content = without_reply_line(content)
    words = to_plain(decode_text(content, _names(answered, guilds)))
    if not is_visible(words):
        words = _other_words(answered, guilds)
    return ReplyTo(
        message_id=str(reference["message_id"]),
        author_name=name_of(author, answered.get("member")),
        author_id=text(author.get("id")),
        excerpt=excerpt(words),
    )


def _other_words(answered: wire.Message, guilds: GuildCache) -> str:
    """Of a message without any text of its own: what else names it."""
    files = [text(f.get("filename")) for f in objects(answered.get("attachments"))]
    files += [text(s.get("name")) for s in objects(answered.get("sticker_items"))]
    question = text(mapping(mapping(answered.get("poll")).get("question")).get("text"))
    named = next((name for name in (*files, question) if name), "")
    if named or not (answered.get("embeds") or answered.get("components")):
        return named
    anywhere: wire.Message = {"channel_id": "0", "id": "0", **answered}
    words, _ = _shown(anywhere, _names(answered, guilds), Whereabouts("0", "0", ""))
    return to_plain(concat(*words))


def without_reply_line(content: str) -> str:
    """A copy's own words, without the small line above them that says what it answers (`encode` writes it)."""
    return "\n".join(line for line in content.split("\n") if not line.startswith(f"-# {REPLY_MARK}"))


def excerpt(words: str) -> str:
    """The beginning of a text on one line."""
    line = " ".join(words.split())
    return line if len(line) <= EXCERPT_LENGTH else line[: EXCERPT_LENGTH - 1].rstrip() + "…"

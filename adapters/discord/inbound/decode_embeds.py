"""Bots' embeds -> rich text and files; and which embeds are only previews of links. Pure. Called by `decode_content`.

People cannot post embeds: one on the message of somebody who is neither bot nor webhook is a preview that Discord made, also one of
type `rich` [discordjs/discord.js#2757]. Source: API reference, "Embed Object", August 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from adapters.discord import wire
from adapters.discord.inbound.decode_files import Whereabouts, media_file
from adapters.discord.inbound.decode_text import Names, decode_line, decode_text
from adapters.discord.lenient import flags_of, is_visible, mapping, moment, objects, text, web_address
from bridge.model.events import Attachment
from bridge.model.rich_text import Inline, Mark, Paragraph, RichText, Text, Timestamp, plain

IS_CROSSPOST = 1 << 1
"""A post of a followed channel: a webhook shows it, whoever wrote it."""
PREVIEW_TYPES = frozenset({"image", "video", "gifv", "article", "link"})
POLL_RESULT = "poll_result"
_ADDRESS = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_SAME_SITE = {"twitter.com": "x.com", "youtu.be": "youtube.com"}


def own_embeds(data: wire.Message, *, is_forwarded: bool) -> list[wire.Embed]:
    """The embeds that are part of what the author posted."""
    embeds = objects(data.get("embeds"))
    if is_forwarded or flags_of(data.get("flags")) & IS_CROSSPOST:  # the author of this text is not known
        sites = {_site(address) for address in _ADDRESS.findall(text(data.get("content")))}
        return [e for e in embeds if text(e.get("type")) not in PREVIEW_TYPES and _site(text(e.get("url"))) not in sites]
    author = mapping(data.get("author"))
    if not author.get("bot") and data.get("webhook_id") is None:
        return [e for e in embeds if e.get("type") == POLL_RESULT]
    return [e for e in embeds if text(e.get("type")) not in PREVIEW_TYPES]


def _site(url: str) -> str:
    try:
        host = (urlsplit(url).hostname or "").removeprefix("www.").removeprefix("mobile.")
    except ValueError:
        return "no address"
    return _SAME_SITE.get(host, host) or "no address"


def embed_texts(embed: wire.Embed, names: Names, where: Whereabouts) -> Iterator[RichText]:
    """Everything an embed shows but what `embed_files` brings, from top to bottom."""
    if embed.get("type") == POLL_RESULT:
        yield _poll_result(embed)
        return
    provider, author = mapping(embed.get("provider")), mapping(embed.get("author"))
    yield from _label(text(provider.get("name")), provider.get("url"), Mark.ITALIC)
    yield from _label(text(author.get("name")), author.get("url"), Mark.BOLD)
    title = text(embed.get("title"))
    if is_visible(title):
        yield _emphasised(decode_line(title, names), web_address(embed.get("url")))
    elif web_address(embed.get("url")) and not is_visible(text(embed.get("description"))):
        yield from _label(text(embed["url"]), embed["url"], 0)
    description = text(embed.get("description"))
    if is_visible(description):
        yield decode_text(description, names)
    for item in objects(embed.get("fields")):
        name, value = text(item.get("name")), text(item.get("value"))
        if is_visible(name):
            yield _emphasised(decode_line(name, names), "")
        if is_visible(value):
            yield decode_text(value, names)
    yield from _addresses(embed, where)
    yield from _footer(embed)


def embed_files(embed: wire.Embed, where: Whereabouts) -> list[Attachment]:
    """Pictures and videos that the bot uploaded for the embed."""
    found = (media_file(media, where) for media in (embed.get("image"), embed.get("thumbnail"), embed.get("video")))
    return [file for file in found if file is not None]


def _addresses(embed: wire.Embed, where: Whereabouts) -> Iterator[RichText]:
    """Pictures and videos from elsewhere, as links."""
    shown: set[str] = set()
    for media in map(mapping, (embed.get("image"), embed.get("video"), embed.get("thumbnail"))):
        url = web_address(media.get("url"))
        if url and url not in shown and media_file(media, where) is None:
            shown.add(url)
            yield RichText((Paragraph((Text(url, 0, url),)),))


def _footer(embed: wire.Embed) -> Iterator[RichText]:
    words, at = text(mapping(embed.get("footer")).get("text")), moment(embed.get("timestamp"))
    line: list[Inline] = [Text(words, int(Mark.ITALIC))] if is_visible(words) else []
    if at is not None and embed.get("timestamp"):
        line += [Text(" • ")] if line else []
        line.append(Timestamp(int(at.timestamp()), "", "f"))
    if line:
        yield RichText((Paragraph(tuple(line)),))


def _label(words: str, url: object, marks: int) -> Iterator[RichText]:
    if is_visible(words):
        yield RichText((Paragraph((Text(words, int(marks), web_address(url) or None),)),))


def _emphasised(inlines: tuple[Inline, ...], url: str) -> RichText:
    """A title: bold throughout, and leading to its address unless a part of it leads elsewhere. Emoji stay as they are."""
    shown = [Text(i.text, i.marks | Mark.BOLD, i.link or url or None) if isinstance(i, Text) else i for i in inlines]
    return RichText((Paragraph(tuple(shown)),))


def _poll_result(embed: wire.Embed) -> RichText:
    values = {text(f.get("name")): text(f.get("value")) for f in objects(embed.get("fields"))}
    question, winner = values.get("poll_question_text", "The poll"), values.get("victor_answer_text")
    votes = values.get("victor_answer_votes", "0")
    outcome = f"{winner} ({votes} votes)" if winner else "no winner"
    return plain(f"{question}: {outcome}")

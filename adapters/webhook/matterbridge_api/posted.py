"""Decodes a message that a program posts by matterbridge's API. Pure.

A message without anything to show is accepted and ignored, as by matterbridge: programs post such ones, and some stop at an error.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import replace

from adapters.common.lenient import record, words
from adapters.webhook.inbound.decode_content import decode_content, web_address
from adapters.webhook.inbound.decode_text import DecodePost, decode_text
from adapters.webhook.inbound.received import Nothing, Said
from adapters.webhook.matterbridge_api.message import CONNECTED, DELETED
from bridge.model.events import ReplyTo
from bridge.model.rich_text import EMPTY, Inline, Mark, RichText, Text, concat, map_inlines, plain

ACTION, TYPING = "user_action", "user_typing"
_SILENT = frozenset({TYPING, CONNECTED, "avatar_download", "get_channel_members", "rejoin_channels"})
"""Events that are nobody's words."""
_LONGEST_ID = 100
_NOT_FOUND = "msg-parent-not-found"
"""What matterbridge writes for the parent of a message that it does not know."""


class PostedFile(NamedTuple):
    """`data` is base64."""

    name: str
    data: str


def text_field(data: dict[str, Any], name: str) -> str:
    return words(data.get(name))


def decode_posted(data: dict[str, Any], decode_post: DecodePost) -> tuple[Said, list[PostedFile]] | Nothing:
    event, message_id = text_field(data, "event"), text_field(data, "id").strip()[:_LONGEST_ID]
    if event in _SILENT:
        return Nothing(reason=f"matterbridge's event {event}")
    if event == DELETED:
        if not message_id:
            return Nothing(reason=f"matterbridge's event {event}")
        return Said(content=decode_content(), changes=message_id, is_deletion=True, author=_author(data)), []
    written, written_in = text_field(data, "text"), "markdown" if data.get("format") == "markdown" else "plain"
    text = decode_text(written, written_in, decode_post) if written.strip() else EMPTY
    if event == ACTION:
        text = map_inlines(text, _italic)
    files, lines = _files(data, written.strip())
    content = decode_content(text=concat(text, *lines))
    if not content.text and not files:
        return Nothing(reason="a message without words or files")
    parent = text_field(data, "parent_id").strip()[:_LONGEST_ID]
    if parent and parent != _NOT_FOUND:
        content = replace(content, reply_to=ReplyTo(message_id=parent))
    said = Said(content=content, changes=message_id, author=_author(data), avatar_url=web_address(text_field(data, "avatar")))
    return said, files


def _author(data: dict[str, Any]) -> str:
    return text_field(data, "username").strip()


def _italic(inline: Inline) -> Inline:
    return Text(inline.text, inline.marks | int(Mark.ITALIC), inline.link) if isinstance(inline, Text) else inline


def _files(data: dict[str, Any], text: str) -> tuple[list[PostedFile], list[RichText]]:
    """Files whose bytes are there, and lines: comments, and addresses of the others. Programs write the text into the comments too
    (deltachat-bot/matterdelta, api.py): what is said already is not said again."""
    said = {text}
    found = record(data.get("Extra")).get("file")
    files: list[PostedFile] = []
    lines: list[RichText] = []
    for entry in found if isinstance(found, list) else []:
        file = record(entry)
        content, name = words(file.get("Data")), words(file.get("Name"))
        comment = words(file.get("Comment")).strip()
        if comment and comment not in said:
            said.add(comment)
            lines.append(plain(comment))
        if content:
            files.append(PostedFile(name, content))
        elif address := web_address(words(file.get("URL"))):
            lines.append(plain(f"📎 {address}"))
        elif name:
            lines.append(plain(f"📎 {name}"))
    return files, lines

"""What came of a case in a form that a person reads and that is the same in every run: events, messages, and neither ids nor
addresses of this run. Used by `playing`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from adapters.common.emulation.contract import SeenMessage
from bridge.model.events import Attachment, Author, ChatEvent, Content, MessageCreated
from bridge.model.rich_text import text_of
from tests.flows.world import World

Json = dict[str, Any]

_TAG = re.compile(r"<(?!/?(p|br|div)\b)")
_TS = re.compile(r"\b1[78]\d{8}\.(\d{6})\b")
"""Slack's name of a message is its moment."""
_OWN_META = frozenset({"event_key", "origin", "occurred_at", "received_at", "thread_id", "author", "delivery_id"})


def shown_event(event: ChatEvent) -> Json:
    """Kind, author, and everything it says; ids and times are left out."""
    built = msgspec.to_builtins(event)
    line: Json = {"kind": built.pop("kind")}
    if event.meta.author is not None:
        line["author"] = shown_author(event.meta.author)
    line |= {key: value for key, value in built.pop("meta").items() if key not in _OWN_META}
    said: Content | None = getattr(event, "content", None)
    if said is not None:
        content = built.pop("content")
        words = text_of(said.text)
        line |= {"words": words} if words else {}
        line |= {"files": [shown_file(file) for file in said.attachments]} if said.attachments else {}
        for part, moment in (("poll", "closes_at"), ("location", "live_until")):
            if moment in content.get(part, {}):
                content[part][moment] = "some time"
        line |= {key: value for key, value in content.items() if key not in ("text", "attachments")}
    line |= {"also": len(built.pop("also_ids"))} if built.get("also_ids") else {}
    items = built.pop("items", None)
    if isinstance(event, MessageCreated) and items:
        line["of its parts"] = (
            [text_of(item.text) for item in event.items] if any(item.get("text") for item in items) else len(items)
        )
    return line | {key: value for key, value in built.items() if key != "message_id"}


def shown_author(author: Author) -> str:
    return f"{author.name}{' (bot)' if author.is_bot else ''}"


def shown_file(file: Attachment) -> str:
    facts = [file.mime, "" if file.size_bytes is None else f"{file.size_bytes} bytes", file.emoji, file.alt_text, file.problem]
    facts += ["spoiler"] if file.spoiler else []
    return f"{file.kind} {file.name!r} ({', '.join(fact for fact in facts if fact)})"


def shown_messages(seen: Sequence[SeenMessage]) -> list[Json]:
    texts = {message.message_id: message.text for message in seen}
    return [shown_message(message, texts) for message in seen]


def shown_message(message: SeenMessage, texts: Mapping[str, str]) -> Json:
    line: Json = {"sender": message.author_name, "text": message.text}
    if _TAG.search(message.html):
        line["html"] = message.html
    if message.files:
        line["files"] = [f"{file.kind} {file.name!r} ({file.mime}, {file.size_bytes} bytes)" for file in message.files]
    if message.reply_to:
        line["answers"] = texts.get(message.reply_to, "?")
    if message.reactions:
        line["reactions"] = " ".join(reaction.emoji for reaction in message.reactions)
    return line | {mark: True for mark in ("system", "edited", "deleted") if getattr(message, mark)}


def plain(
    value: Json, world: World, shown: Mapping[str, Sequence[SeenMessage]] | None = None, more: Mapping[str, str] | None = None
) -> Json:
    """Without the ids and addresses of this run. `shown`: the messages whose ids may be in it (None: all that there are); `more`:
    what else stands for what."""
    known = {emulator.base_url: f"http://{name}.example" for name, emulator in world.emulators.items()}
    known |= {chat.chat_id: f"<chat on {name}>" for name, chat in world.chats.items() if chat.chat_id != chat.name}
    if discord := world.emulators.get("discord"):
        known[str(discord.world.guild_id)] = "<server>"  # type: ignore[attr-defined]
    known |= more or {}
    for messages in (shown or {name: world.seen(name) for name in world.emulators}).values():
        known |= {m.message_id: "<message>" for m in messages if len(m.message_id) > 5}

    def replaced(inner: Any) -> Any:
        match inner:
            case str():
                for real, written in known.items():
                    inner = inner.replace(real, written)
                return _TS.sub(r"<second>.\1", inner)
            case dict():
                return {key: replaced(each) for key, each in inner.items()}
            case list() | tuple():
                return [replaced(each) for each in inner]
            case _:
                return inner

    cleaned: Json = replaced(value)
    return cleaned

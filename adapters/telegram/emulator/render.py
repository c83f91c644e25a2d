"""What a person sees of a message: the emulator's own reading of stored text and files, never the adapter's decoder. Pure."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.common.emulation.contract import EmulatedFile, SeenMessage, SeenPoll, SeenPollOption, SeenReaction
from adapters.telegram.emulator.files import FileStore
from adapters.telegram.emulator.formatting import utf16_index
from adapters.telegram.emulator.records import Chat, Message, Person

Json = dict[str, Any]

FILE_KINDS = ("photo", "video", "audio", "voice", "video_note", "animation", "sticker", "document")
"""In the order in which they are looked for: an animation also carries `document` (platforms.md 1.2)."""

_TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "expandable_blockquote": "blockquote",
}
_ORDER = {"blockquote": 0, "expandable_blockquote": 0, "pre": 1}


def seen(chat: Chat, message: Message, files: FileStore, people: Mapping[int, Person]) -> SeenMessage:
    """A message, or the album it belongs to, as the chat shows it. The album is listed under its first message's id."""
    members = [message]
    if message.group_id:
        numbers = chat.albums.get(message.group_id, ())
        members = [chat.messages[number] for number in numbers if number in chat.messages] or [message]
    alive = [member for member in members if not member.deleted]
    first = members[0]
    worded = next((member for member in alive or members if member.text), first)
    sender = first.sender
    reactions: dict[str, list[str]] = {}
    for member in members:
        for person_id, emojis in member.reactions.items():
            for emoji in emojis:
                reactions.setdefault(emoji, []).append(people[person_id].name)
    text, entities = worded.text or _placeholder(first), worded.entities
    if (poll := first.content.get("poll")) is not None and poll.get("description"):
        text, entities = f"{poll['description']}\n{text}", poll.get("description_entities", [])
    author = first.extra.get("sender_chat")
    return SeenMessage(
        message_id=str(first.message_id),
        chat_id=str(chat.chat_id),
        author_name=author["title"] if author else sender.name if sender is not None else "",
        author_id=str(author["id"]) if author else str(sender.user_id) if sender is not None else "",
        is_bot=sender is not None and sender.is_bot,
        text=text,
        html=_boxed(first, to_html(text, entities)),
        files=tuple(shown for member in alive or members if (shown := _file(member, files)) is not None),
        reply_to=str(first.reply_to) if first.reply_to is not None else "",
        reply_quote=str((first.quote or {}).get("text", "")),
        thread_id=str(first.thread_id) if first.thread_id is not None else "",
        reactions=tuple(SeenReaction(emoji=emoji, by=tuple(by)) for emoji, by in reactions.items()),
        poll=_poll(first, people),
        pinned=bool(alive) and any(member.message_id in chat.pinned for member in members),
        edited=any(member.edit_date for member in members),
        deleted=not alive,
        system=first.service,
        sent_at=datetime.fromtimestamp(first.date, UTC),
    )


def _boxed(message: Message, shown: str) -> str:
    """A poll, a place or a contact is shown as a card of its own."""
    kind = next((name for name in ("poll", "venue", "location", "contact") if name in message.content), "")
    kind = "location" if kind == "venue" else kind
    return f'<div class="{kind}">{shown}</div>' if kind else shown


def _poll(message: Message, people: Mapping[int, Person]) -> SeenPoll | None:
    poll = message.content.get("poll")
    if poll is None:
        return None
    options = tuple(
        SeenPollOption(
            text=option["text"],
            votes=option["voter_count"],
            by=tuple(people[number].name for number, ballot in message.ballots.items() if index in ballot),
        )
        for index, option in enumerate(poll["options"])
    )
    many, closed = poll["allows_multiple_answers"], poll["is_closed"]
    return SeenPoll(question=poll["question"], options=options, many=many, closed=closed, anonymous=poll["is_anonymous"])


def file_kind(content: Json) -> str:
    return next((kind for kind in FILE_KINDS if kind in content), "")


def _file(message: Message, files: FileStore) -> EmulatedFile | None:
    kind = file_kind(message.content)
    if not kind:
        return None
    wire = message.content[kind]
    file_id = (wire[-1] if kind == "photo" else wire)["file_id"]
    stored = files.get(file_id)
    if stored is None:
        return None
    return EmulatedFile(
        file_id=file_id,
        name=stored.name,
        mime=stored.mime,
        size_bytes=stored.size_bytes,
        kind=kind,
        sha256=stored.sha256,
    )


def _placeholder(message: Message) -> str:
    """A line for what has neither text nor file."""
    content = message.content
    if (poll := content.get("poll")) is not None:
        shown = [f"- {option['text']}" + (f" {option['voter_count']}" * bool(option["voter_count"])) for option in poll["options"]]
        return "\n".join([f"Poll: {poll['question']}", *shown, *(["(closed)"] if poll["is_closed"] else [])])
    if (venue := content.get("venue")) is not None:
        return f"Venue: {venue['title']}, {venue['address']}"
    if (location := content.get("location")) is not None:
        kind = "Live location" if "live_period" in location else "Location"
        return f"{kind}: {location['latitude']}, {location['longitude']}"
    if (contact := content.get("contact")) is not None:
        return f"Contact: {contact['first_name']} {contact['phone_number']}"
    if message.service:
        return ", ".join(key.replace("_", " ") for key in content)
    return ""


def to_html(text: str, entities: list[Json]) -> str:
    """Safe HTML of a text with entities. Entities that overlap without nesting are closed and opened again."""
    if not entities:
        return html.escape(text, quote=False)
    index = utf16_index(text)
    spans = sorted(
        (
            (index[entity["offset"]], index[entity["offset"] + entity["length"]], _ORDER.get(entity["type"], 2), number, entity)
            for number, entity in enumerate(entities)
        ),
        key=lambda span: (span[0], -span[1], span[2], span[3]),
    )
    bounds = sorted({0, len(text), *(span[0] for span in spans), *(span[1] for span in spans)})
    out: list[str] = []
    opened: list[tuple[int, Json]] = []
    waiting = list(reversed(spans))
    for at, until in zip(bounds, [*bounds[1:], len(text)], strict=True):
        lowest = next((depth for depth, (end, _) in enumerate(opened) if end <= at), len(opened))
        again = [span for span in opened[lowest:] if span[0] > at]
        out.extend(_close(entity) for _, entity in reversed(opened[lowest:]))
        del opened[lowest:]
        while waiting and waiting[-1][0] == at:
            _, end, _, _, entity = waiting.pop()
            again.append((end, entity))
        for span in sorted(again, key=lambda span: -span[0]):
            out.append(_open(span[1], text[at : span[0]]))
            opened.append(span)
        out.append(html.escape(text[at:until], quote=False))
    return "".join(out)


def _open(entity: Json, words: str) -> str:
    kind = entity["type"]
    if kind in _TAGS:
        if kind == "pre" and entity.get("language"):
            return f'<pre><code class="language-{html.escape(entity["language"])}">'
        return f"<{_TAGS[kind]}>"
    if kind == "text_link":
        return f'<a href="{html.escape(entity["url"])}">'
    if kind == "url":
        return f'<a href="{html.escape(words if "://" in words else "http://" + words)}">'
    return f'<span class="{html.escape(kind)}">'


def _close(entity: Json) -> str:
    kind = entity["type"]
    if kind == "pre" and entity.get("language"):
        return "</code></pre>"
    if kind in _TAGS:
        return f"</{_TAGS[kind]}>"
    return "</a>" if kind in ("text_link", "url") else "</span>"

"""The Bot API's send methods. Each takes a `Call` and returns the JSON result; errors are ApiError."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

from adapters.telegram.emulator.call import Call
from adapters.telegram.emulator.contents import media_content, settle_kind
from adapters.telegram.emulator.errors import ApiError, bad_request
from adapters.telegram.emulator.records import Json
from adapters.telegram.emulator.wire import message_wire

Method = Callable[[Call], Awaitable[Any]]


async def send_message(call: Call) -> Json:
    content = call.text()
    if previews := call.params.json("link_preview_options"):
        content["link_preview_options"] = previews
    return message_wire(call.post(call.target(), [content])[0])


def _sender(kind: str, *facts: str, captioned: bool = True) -> Method:
    async def send(call: Call) -> Json:
        stored = call.file(kind)
        as_is = kind == "document" and call.params.boolean("disable_content_type_detection")
        settled = kind if as_is else settle_kind(kind, stored)
        said = {name: _fact(call, name) for name in facts}
        caption = call.caption() if captioned else {}
        content = media_content(call.world.files, settled, stored, said) | caption
        if call.params.boolean("has_spoiler"):
            content["has_media_spoiler"] = True
        return message_wire(call.post(call.target(), [content])[0])

    return send


def _fact(call: Call, name: str) -> Any:
    return call.params.integer(name) if name in ("duration", "width", "height", "length") else call.params.text(name)


async def send_media_group(call: Call) -> list[Json]:
    media = call.params.json("media")
    if not isinstance(media, list) or not 2 <= len(media) <= 10:
        raise bad_request("group send must contain 2-10 media items")
    contents: list[Json] = []
    families: set[str] = set()
    for item in media:
        kind = str(item.get("type", ""))
        if kind not in ("photo", "video", "document", "audio"):
            raise bad_request(f"type {kind!r} can't be used in a media group")
        families.add("visual" if kind in ("photo", "video") else kind)
        stored = call.file("media", str(item.get("media", "")))
        try:
            settled = settle_kind(kind, stored)
        except ApiError as error:
            reason = error.description.removeprefix("Bad Request: ")
            raise bad_request(f'failed to send message #{len(contents) + 1} with the error message "{reason}"') from None
        # a GIF inside a group of documents stays a document
        settled = "document" if kind == "document" else settled
        content = media_content(call.world.files, settled, stored, item) | call.caption(item)
        if item.get("has_spoiler"):
            content["has_media_spoiler"] = True
        contents.append(content)
    if len(families) > 1:
        raise bad_request(f"{sorted(families - {'visual'})[0]} can't be mixed with other media types")
    target = call.target(messages=len(contents))
    return [message_wire(message) for message in call.post(target, contents)]


async def send_dice(call: Call) -> Json:
    dice = {"emoji": call.params.text("emoji") or "\N{GAME DIE}", "value": random.randint(1, 6)}
    return message_wire(call.post(call.target(), [{"dice": dice}])[0])


async def copy_message(call: Call) -> Json:
    source = call.chat("from_chat_id")
    copied = call.message(source, "copy")
    if copied.service:
        raise bad_request("message can't be copied")
    content = dict(copied.content)
    if "caption" in call.params and "text" not in content:
        content.pop("caption", None)
        content.pop("caption_entities", None)
        content |= call.caption()
    return {"message_id": call.post(call.target(), [content])[0].message_id}


async def send_chat_action(call: Call) -> bool:
    chat = call.chat()
    if not call.params.text("action"):
        raise bad_request("wrong parameter action in request")
    call.world.typing.note(str(chat.chat_id), call.bot.name)
    return True


METHODS: dict[str, Method] = {
    "sendMessage": send_message,
    "sendPhoto": _sender("photo"),
    "sendDocument": _sender("document"),
    "sendVideo": _sender("video", "duration", "width", "height"),
    "sendAudio": _sender("audio", "duration", "performer", "title"),
    "sendVoice": _sender("voice", "duration"),
    "sendVideoNote": _sender("video_note", "duration", "length", captioned=False),
    "sendAnimation": _sender("animation", "duration", "width", "height"),
    "sendSticker": _sender("sticker", "emoji", captioned=False),
    "sendMediaGroup": send_media_group,
    "sendDice": send_dice,
    "copyMessage": copy_message,
    "sendChatAction": send_chat_action,
}

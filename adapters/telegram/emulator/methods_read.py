"""Bot API methods that only read, and those that control updates: getMe, getChat, getFile, getUpdates, webhooks, logOut."""

from __future__ import annotations

import re
from typing import Any

from aiohttp.web import Response

from adapters.telegram.emulator.call import Call
from adapters.telegram.emulator.errors import bad_request
from adapters.telegram.emulator.methods_send import Method
from adapters.telegram.emulator.records import Json
from adapters.telegram.emulator.rules import DOWNLOAD_BYTES
from adapters.telegram.emulator.wire import custom_emoji_wire, file_wire, full_chat_wire, me_wire, member_wire


async def get_me(call: Call) -> Json:
    return me_wire(call.bot)


async def get_chat(call: Call) -> Json:
    return full_chat_wire(call.chat(member=False))


async def get_chat_member(call: Call) -> Json:
    chat = call.chat(member=False)
    person = call.world.people.get(call.params.integer("user_id"))
    if person is None:
        raise bad_request("user not found")
    return member_wire(person, chat.bots.get(person.user_id, "member"))


async def get_chat_administrators(call: Call) -> list[Json]:
    chat = call.chat()
    return [member_wire(call.world.people[bot_id], status) for bot_id, status in chat.bots.items() if status == "administrator"]


async def get_chat_member_count(call: Call) -> int:
    return len(call.world.people) - len(call.world.queues) + len(call.chat().bots)


async def leave_chat(call: Call) -> bool:
    call.world.set_bot_status(call.chat(), call.bot, "left")
    return True


async def get_file(call: Call) -> Json:
    stored = call.world.files.get(call.params.text("file_id"))
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if not call.local and stored.size_bytes > DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    path = call.world.files.publish_path(stored, "document")
    return file_wire(stored) | {"file_path": str(call.world.files.on_disk(stored, call.token)) if call.local else path}


async def get_user_profile_photos(call: Call) -> Json:
    """A UserProfilePhotos: the current photo alone, in all its sizes."""
    person = call.world.people.get(call.params.integer("user_id"))
    if person is None:
        raise bad_request("user not found")
    sizes = [file_wire(one) | {"width": one.width, "height": one.height} for one in person.pictures]
    return {"total_count": 1 if sizes else 0, "photos": [sizes] if sizes and call.params.integer("limit", 100) else []}


async def get_custom_emoji_stickers(call: Call) -> list[Json]:
    """The stickers of those ids that exist. Source of the bound: tdlib/td StickersManager.cpp, MAX_GET_CUSTOM_EMOJI_STICKERS."""
    asked = call.params.json("custom_emoji_ids")
    if not isinstance(asked, list) or not all(isinstance(each, str) for each in asked):
        raise bad_request("can't parse custom emoji identifiers JSON object")
    if len(asked) > 200:
        raise bad_request("Too many custom emoji identifiers specified")
    known = call.world.custom_emoji
    return [custom_emoji_wire(each, known[each], call.world.custom_pictures.get(each)) for each in asked if each in known]


async def get_updates(call: Call) -> Response:
    queue = call.queue
    queue.set_allowed(call.params.json("allowed_updates"))
    updates = await queue.poll(
        offset=call.params.integer("offset"),
        limit=call.params.integer("limit", 100),
        timeout_s=call.params.integer("timeout"),
    )
    return Response(body=b'{"ok":true,"result":' + updates + b"}", content_type="application/json")


async def set_webhook(call: Call) -> bool:
    url = call.params.text("url")
    secret = call.params.text("secret_token")
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
        raise bad_request("secret token contains unallowed characters")
    if url and not url.startswith("https://") and not url.startswith("http://127.0.0.1"):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    call.queue.set_allowed(call.params.json("allowed_updates"))
    if call.params.boolean("drop_pending_updates"):
        call.queue.drop_all()
    call.webhooks.set(call.bot.user_id, call.queue, url, secret)
    return True


async def delete_webhook(call: Call) -> bool:
    if call.params.boolean("drop_pending_updates"):
        call.queue.drop_all()
    call.webhooks.set(call.bot.user_id, call.queue, "", "")
    return True


async def get_webhook_info(call: Call) -> Json:
    queue = call.queue
    info: Json = {"url": queue.webhook_url, "has_custom_certificate": False, "pending_update_count": len(queue)}
    if queue.allowed is not None:
        info["allowed_updates"] = sorted(queue.allowed)
    return info | call.webhooks.last_error(call.bot.user_id)


async def yes(call: Call) -> bool:
    return True


async def log_out(call: Call) -> bool:
    call.logged_out.add(call.bot.user_id)
    return True


async def empty(call: Call) -> list[Any]:
    return []


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatAdministrators": get_chat_administrators,
    "getChatMemberCount": get_chat_member_count,
    "leaveChat": leave_chat,
    "getFile": get_file,
    "getUserProfilePhotos": get_user_profile_photos,
    "getCustomEmojiStickers": get_custom_emoji_stickers,
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "setMyCommands": yes,
    "getMyCommands": empty,
    "close": yes,
    "logOut": log_out,
}

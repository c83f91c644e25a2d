"""What `check --online` asks of Telegram: token, privacy mode, webhook, and per chat membership and rights - and what to click."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adapters.telegram.errors import NEW_TOKEN
from adapters.telegram.inbound.account_events import PRIVACY_ACTION
from adapters.telegram.inbound.conflicts import WEBHOOK_ELSEWHERE
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call, Json
from bridge.model.adapter import ProbeItem
from bridge.model.errors import AccountDown, BridgeError, ChatDown, ChatMoved, DeliveryError, OutcomeUnknown, RetryLater

_MAKE_ADMIN = "group info > Administrators > Add administrator > the bot"


async def probe(transport: Transport, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
    """All answers; what fails is an item with `ok=False`."""
    try:
        me: Json = await transport.call(Call("GetMe", {}))
    except AccountDown as error:
        name = "token" if error.action == NEW_TOKEN else "connection"
        return [ProbeItem(name=name, ok=False, detail=error.reason, action=error.action)]
    except DeliveryError as error:
        action = "check base_url, proxy, ca_file and the network"
        return [ProbeItem(name="connection", ok=False, detail=error.reason, action=action, temporary=_passes(error))]
    sees_all = bool(me.get("can_read_all_group_messages"))
    items = [ProbeItem(name="token", ok=True, detail=f"@{me.get('username', '')} ({me['id']})"), await _webhook(transport)]
    chats = [item for chat_id in chat_ids for item in await look_at(transport, chat_id, sees_all)]
    needs_privacy_off = not sees_all and any(item.name == "reads all messages" and not item.ok for item in chats)
    items.append(
        ProbeItem(
            name="privacy mode",
            ok=sees_all or not needs_privacy_off,
            detail="off: the bot sees all messages"
            if sees_all
            else "on: the bot sees all messages only where it is an administrator",
            action=PRIVACY_ACTION if needs_privacy_off else "",
            deaf=needs_privacy_off,
        )
    )
    return items + chats


def _passes(error: BridgeError) -> bool:
    """Whether it says nothing about the account or the chat: the platform could not be asked."""
    return isinstance(error, RetryLater | OutcomeUnknown)


async def _webhook(transport: Transport) -> ProbeItem:
    try:
        info: Json = await transport.call(Call("GetWebhookInfo", {}))
    except (DeliveryError, AccountDown) as error:
        return ProbeItem(name="webhook", ok=False, detail=error.reason, temporary=_passes(error))
    if not info.get("url"):
        return ProbeItem(name="webhook", ok=True, detail="none, as it must be for polling")
    return ProbeItem(
        name="webhook",
        ok=False,
        detail=WEBHOOK_ELSEWHERE[0],
        action=WEBHOOK_ELSEWHERE[1],
    )


async def look_at(
    transport: Transport, chat_id: str, sees_all: bool, learn: Callable[[object, str], None] = lambda _username, _chat_id: None
) -> list[ProbeItem]:
    """`learn` is told the chat's public name."""
    try:
        chat: Json = await transport.call(Call("GetChat", {"chat_id": chat_id}))
        member: Json = await transport.call(Call("GetChatMember", {"chat_id": chat_id, "user_id": int(transport.bot_id)}))
    except ChatMoved as error:
        action = f"put {error.new_chat_id} into bridge.yaml in place of {chat_id}"
        return [ProbeItem(name="chat", ok=False, detail=error.reason, action=action, chat_id=chat_id)]
    except ChatDown as error:
        return [ProbeItem(name="chat", ok=False, detail=error.reason, action=error.action, chat_id=chat_id, dead=True)]
    except (DeliveryError, AccountDown) as error:
        return [ProbeItem(name="chat", ok=False, detail=error.reason, chat_id=chat_id, temporary=_passes(error))]
    learn(chat.get("username"), chat_id)
    status = str(member.get("status", ""))
    admin = status in ("administrator", "creator")
    is_private = chat.get("type") == "private"  # all of it is for the bot
    items = [ProbeItem(name="chat", ok=True, detail=f"{chat.get('title', '')} ({chat.get('type', '')})", chat_id=chat_id)]
    if status in ("left", "kicked"):
        why = f"the bot is not in the chat ({status})"
        return [ProbeItem(name="member", ok=False, detail=why, action="add the bot", chat_id=chat_id, dead=True)]
    hears = admin or sees_all or is_private
    why = "administrator" if admin else "a private chat" if is_private else "privacy mode is off"
    items.append(
        ProbeItem(
            name="reads all messages",
            ok=hears,
            detail=why if hears else "privacy mode is on and the bot is no administrator: only commands and replies to the bot",
            action="" if hears else PRIVACY_ACTION,
            chat_id=chat_id,
            deaf=not hears,
        )
    )
    items.append(
        ProbeItem(
            name="sees reactions",
            ok=admin or is_private,
            detail=why if admin or is_private else "reactions are told to administrators only",
            action="" if admin or is_private else _MAKE_ADMIN,
            chat_id=chat_id,
        )
    )
    return items + _rights(chat, member, chat_id)


def _rights(chat: Json, member: Json, chat_id: str) -> list[ProbeItem]:
    status = str(member.get("status", ""))
    if status == "restricted" and not member.get("can_send_messages", True):
        action = "group info > Permissions > Exceptions > the bot: allow sending"
        return [ProbeItem(name="sends", ok=False, detail="the bot may not send messages", action=action, chat_id=chat_id)]
    if chat.get("type") == "channel":
        may_post = status == "creator" or bool(member.get("can_post_messages", status == "administrator"))
        return [
            ProbeItem(
                name="sends",
                ok=may_post,
                detail="may post" if may_post else "may not post in the channel",
                action="" if may_post else _MAKE_ADMIN + ", with Post messages",
                chat_id=chat_id,
            )
        ]
    return [ProbeItem(name="sends", ok=True, chat_id=chat_id), *_topics(chat, member, chat_id)]


def _topics(chat: Json, member: Json, chat_id: str) -> list[ProbeItem]:
    if chat.get("is_forum") is not True:
        detail = "the group is no forum: it has no topics, and what other chats say in threads is shown in the group"
        action = "group info > Edit > Topics, or take /* from the end in bridge.yaml"
        item = ProbeItem(
            name="topics", ok=True, detail=detail, action=action, chat_id=chat_id, every_thread=True, bars_threads=True
        )
        return [item]
    if member.get("status") == "creator":
        return []
    items: list[ProbeItem] = []
    if not member.get("can_manage_topics"):
        detail = "the bot has no right to manage topics: what other chats say in threads is shown in General"
        action = f"{_MAKE_ADMIN}, with Manage topics, if threads are to have topics here"
        items.append(ProbeItem(name="makes topics", ok=True, detail=detail, action=action, chat_id=chat_id, bars_threads=True))
    if not member.get("can_delete_messages"):
        detail = "the bot may not delete topics: a line says that a thread was deleted elsewhere"
        action = f"{_MAKE_ADMIN}, with Delete messages, if topics are to be deleted with their threads"
        items.append(ProbeItem(name="deletes topics", ok=True, detail=detail, action=action, chat_id=chat_id, every_thread=True))
    return items

"""Operations of a trial, each as a function: it makes the call, lets the judge read the response, and says in words what worked.

Each uses the adapter's own parts (encoder, client, uploads), so that a call that works here works there. Run by `steps`.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.common.http_errors import Effect
from adapters.common.queries import find, find_text
from adapters.teamspirit.capabilities import takes_files
from adapters.teamspirit.client import Chat
from adapters.teamspirit.inbound.decode_parts import list_of
from adapters.teamspirit.transport import A_FILE
from adapters.teamspirit.trial.bench import Bench, Skipped
from adapters.teamspirit.trial.exchanges import PlayedTransport
from adapters.teamspirit.trial.histories import check_changed, check_gone, check_message, learn_by_words
from adapters.teamspirit.trial.reading import Judge, alike
from bridge.model.adapter import Copy, Outbound, OutboundEdit, OutboundFile
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import plain

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import ChatsAnswer

Operation = Callable[[Bench, Judge], Awaitable[str]]

HOOK_URL = "https://bridge.invalid/hooks/dialect-test"
EMOJI = "👍"
_FILE = b"A file of the messenger bridge's test."
_MOST_NAMED = 5
_LET_IN_S = 10.0
_MOST_FRAMES = 20


async def me(bench: Bench, judge: Judge) -> str:
    call = bench.operations.me
    assert call is not None
    answer = await bench.call("me", {})
    bench.me_id = find_text(call.answer.id, answer)
    judge.read("operations.me.answer.id", call.answer.id, answer, needed=True)
    bench.encoder.me_id = bench.me_id
    bench.encoder.me_name = find_text(call.answer.name, answer)
    judge.read("operations.me.answer.name", call.answer.name, answer, needed=True)
    return f"we are {bench.encoder.me_name or bench.me_id}"


async def chats(bench: Bench, judge: Judge) -> str:
    call = bench.operations.chats
    assert call is not None
    fields = call.answer
    answer = await bench.call("chats", {"cursor": None})
    items = judge.read("operations.chats.answer.items", fields.items, answer)
    if not isinstance(items, list):
        judge.complain("operations.chats.answer.items", f"{fields.items!r} finds no list", alike(fields.items, "items", answer))
        return ""
    for name, needed in (("id", True), ("name", False), ("title", False)):
        if items:
            judge.read(f"operations.chats.answer.{name}", getattr(fields, name), items[0], needed=needed)
    more = judge.read("operations.chats.answer.next_cursor", fields.next_cursor, answer)
    known = await bench.client.chats() if more else [_chat(fields, item) for item in items]
    wanted = bench.wanted_chat
    found = [chat for chat in known if wanted in (chat.chat_id, chat.name, chat.title)]
    if wanted and len({chat.chat_id for chat in found}) != 1:
        there = ", ".join((chat.name or chat.chat_id) for chat in known[:_MOST_NAMED]) or "none"
        judge.complain("operations.chats.answer.name", f"{len(found)} of the chats are {wanted!r}", f"there are {there}")
        bench.chat_id = wanted if not found else ""
    elif wanted:
        bench.chat_id = found[0].chat_id
    return f"{len(known)} chats" + (f"; {wanted} is {bench.chat_id}" if wanted and bench.chat_id else "")


async def direct_chats(bench: Bench, judge: Judge) -> str:
    """List the private chats of people with the bot. There may be none."""
    call = bench.operations.direct_chats
    assert call is not None
    fields = call.answer
    answer = await bench.call("direct_chats", {"cursor": None})
    items = judge.read("operations.direct_chats.answer.items", fields.items, answer)
    if not isinstance(items, list):
        where = "operations.direct_chats.answer.items"
        judge.complain(where, f"{fields.items!r} finds no list", alike(fields.items, "items", answer))
        return ""
    for name, needed in (("id", True), ("latest", False)):
        if items:
            judge.read(f"operations.direct_chats.answer.{name}", getattr(fields, name), items[0], needed=needed)
    return f"{len(items)} private chats with the bot"


async def users(bench: Bench, judge: Judge) -> str:
    call = bench.operations.users
    assert call is not None
    if not bench.me_id:
        raise Skipped("nobody's id is known")
    answer = await bench.call("users", {"user": {"id": bench.me_id}})
    for name in type(call.answer).model_fields:
        judge.read(f"operations.users.answer.{name}", getattr(call.answer, name), answer, needed=name in ("id", "name"))
    return "asked for ourselves"


async def find_users(bench: Bench, judge: Judge) -> str:
    """Look ourselves up by name."""
    call = bench.operations.find_users
    assert call is not None
    name, fields = bench.encoder.me_name, call.answer
    if not name:
        raise Skipped("nobody's name is known")
    answer = await bench.call("find_users", {"user": {"name": name, "email": None}})
    items = list_of(judge.read("operations.find_users.answer.items", fields.items, answer))
    ours: Any = next((item for item in items if name in (find_text(fields.username, item), find_text(fields.name, item))), None)
    if ours is None:
        where, near = "operations.find_users.answer.items", alike(fields.items, "items", answer)
        judge.complain(where, f"none of the {len(items)} people found has the name {name!r}", near)
    for part in type(fields).model_fields:
        if part != "items" and items:
            entry = f"operations.find_users.answer.{part}"
            judge.read(entry, getattr(fields, part), ours or items[0], needed=part in ("id", "username"))
    return f"{len(items)} people have the name {name}"


async def member(bench: Bench, judge: Judge) -> str:
    """Ask whether we are in the chat."""
    call = bench.operations.member
    assert call is not None
    if not bench.me_id:
        raise Skipped("nobody's id is known")
    answer = await bench.call("member", {**bench.in_chat(), "user": {"id": bench.me_id}})
    if call.answer.is_member is not None:
        judge.read("operations.member.answer.is_member", call.answer.is_member, answer, needed=True)
    return "we are in the chat"


async def websocket(bench: Bench, judge: Judge) -> str:
    """Connect, say what is to be said first, and read until we are let in."""
    entry = bench.dialect.websocket
    assert entry is not None
    if isinstance(bench.transport, PlayedTransport):
        raise Skipped("a recording has no websocket")
    url, headers, hello = bench.encoder.socket(entry)
    frames: list[Any] = []
    try:
        async with bench.transport.socket(url, headers, entry.ping_s) as socket, asyncio.timeout(_LET_IN_S):
            for frame in hello:
                await socket.send_str(frame)
            while len(frames) < _MOST_FRAMES:
                frames.append(await socket.receive_json())
                if find(entry.refused, frames[-1]):
                    judge.complain("websocket.hello", "the server does not let us in: see what it says")
                    break
                if find(entry.ready, frames[-1]):
                    judge.read("websocket.seq", entry.seq, frames[-1])
                    return f"let in by frame {len(frames)}"
    except (TimeoutError, TypeError, ValueError):
        pass  # no further frame, or none that is JSON
    finally:
        bench.kept.add_socket(url, headers, [json.loads(frame) for frame in hello], frames)
    if not judge.complaints:
        judge.complain("websocket.ready", f"none of {len(frames)} frames says that we are let in", "look at what they say")
    return "not let in"


async def upload(bench: Bench, judge: Judge) -> str:
    call = bench.operations.upload
    assert call is not None
    bench.in_chat()
    if not takes_files(bench.dialect):
        judge.complain("operations.send", "no part of it is {{ message.files }}: what is uploaded goes nowhere")
        return ""
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="messenger-bridge-")
    try:
        path = Path(folder.name) / "test.txt"
        await asyncio.to_thread(path.write_bytes, _FILE)
        attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="test", name="test.txt")
        file = OutboundFile(attachment=attachment, path=path, name="test.txt", mime="text/plain", size_bytes=len(_FILE))
        (bench.file_id,) = await bench.uploads.upload(bench.chat_id, [file])
    finally:
        await asyncio.to_thread(folder.cleanup)
    return f"became {bench.file_id}"


async def send(bench: Bench, judge: Judge) -> str:
    return await _send("send", bench, judge)


async def webhook_send(bench: Bench, judge: Judge) -> str:
    if "incoming_webhook" not in bench.in_chat()["chat"]:
        raise Skipped("bridge.yaml names no incoming webhook of the chat")
    return await _send("webhook_send", bench, judge)


async def _send(operation: str, bench: Bench, judge: Judge) -> str:
    bench.in_chat()
    call = getattr(bench.operations, operation)
    outbound = Outbound(token=f"test-{bench.token}", attempt=1, chat_id=bench.chat_id, text=plain(bench.text))
    files = [bench.file_id] if bench.file_id else []
    answer = await bench.call(operation, bench.encoder.send_values(outbound, files, ""), Effect.CREATES)
    entry = f"operations.{operation}.answer.id"
    found = find_text(call.answer.id, answer)
    judge.read(entry, call.answer.id, answer, needed=True)
    if call.answer.id is None and operation == "send":
        judge.complain(entry, "nothing says which message it became: it can never be edited or deleted", alike("id", entry, answer))
    if found:
        bench.message_id = bench.message_id or found
        bench.message_ids.append(found)
    return f"posted {found or 'it, and the answer does not say which message it became'}" + (" with a file" if files else "")


async def message(bench: Bench, judge: Judge) -> str:
    call = bench.operations.message
    assert call is not None
    answer = await bench.call("message", {"message": {"id": bench.message_id}})
    for name in type(call.answer).model_fields:
        judge.read(f"operations.message.answer.{name}", getattr(call.answer, name), answer)
    chat_id = find_text(call.answer.chat, answer)
    if chat_id and chat_id != bench.chat_id:
        judge.complain("operations.message.answer.chat", f"it finds {chat_id!r}, and the message is in {bench.chat_id!r}")
    return ""


async def history(bench: Bench, judge: Judge) -> str:
    bench.in_chat()
    return await check_message(bench, judge)


async def edit(bench: Bench, judge: Judge) -> str:
    values = bench.encoder.edit_values(OutboundEdit(token=f"test-{bench.token}", copy=_copy(bench), text=plain(bench.edited_text)))
    await bench.call("edit", values)
    return await check_changed(bench, judge)


async def delete(bench: Bench, judge: Judge) -> str:
    if not bench.message_ids and bench.operations.history is not None:
        await learn_by_words(bench, judge)
    ids = list(bench.message_ids)
    if not ids:
        raise Skipped("which message was sent is not known: the test message stays in the chat, remove it by hand")
    for message_id in ids:
        await bench.call("delete", {**bench.in_chat(), "message": {"id": message_id}})
        bench.message_ids.remove(message_id)
    return await check_gone(bench, judge, ids)


async def react(bench: Bench, judge: Judge) -> str:
    await bench.call("react", bench.encoder.reaction_values(_copy(bench), EMOJI))
    return f"reacted with {EMOJI}"


async def unreact(bench: Bench, judge: Judge) -> str:
    await bench.call("unreact", bench.encoder.reaction_values(_copy(bench), EMOJI))
    return f"took {EMOJI} back"


async def download(bench: Bench, judge: Judge) -> str:
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id=bench.download_id or bench.file_id, name="test.txt")
    async with bench.downloads.open_file(attachment) as stream:
        content = b"".join([chunk async for chunk in stream.chunks])
    if content != _FILE and content != A_FILE.encode():
        judge.complain("operations.download", f"{len(content)} bytes came, and they are not the ones that were uploaded")
    return f"{len(content)} bytes"


async def typing(bench: Bench, judge: Judge) -> str:
    await bench.call("typing", {**bench.in_chat(), "message": {"thread": None}})
    return ""


async def set_status(bench: Bench, judge: Judge) -> str:
    await bench.call("set_status", {"status": {"name": "online", "text": ""}})
    return "online"


async def rename_chat(bench: Bench, judge: Judge) -> str:
    raise Skipped("it would give the chat another name for everybody: `renames: chat` in a route shows whether it works")


async def register_webhook(bench: Bench, judge: Judge) -> str:
    call = bench.operations.register_webhook
    assert call is not None
    if bench.operations.remove_webhook is None:
        raise Skipped("the dialect cannot remove it again")
    chat_ids = [bench.chat_id] if bench.chat_id else []
    answer = await bench.call("register_webhook", {"webhook": {"url": HOOK_URL, "chats": chat_ids}})
    bench.webhook_id = find_text(call.answer.id, answer)
    required = bench.dialect.inbound.authentication if bench.dialect.inbound is not None else None
    for name, needed in (
        ("id", True),
        ("key", required is not None and required.key is not None),
        ("secret", required is not None and required.signature is not None),
    ):
        judge.read(f"operations.register_webhook.answer.{name}", getattr(call.answer, name), answer, needed=needed)
    for confidential in (call.answer.key, call.answer.secret):
        bench.secrets.add(find_text(confidential, answer))
    return f"became {bench.webhook_id}"


async def list_webhooks(bench: Bench, judge: Judge) -> str:
    call = bench.operations.list_webhooks
    assert call is not None
    answer = await bench.call("list_webhooks", {})
    items = judge.read("operations.list_webhooks.answer.items", call.answer.items, answer)
    if not isinstance(items, list):
        where = "operations.list_webhooks.answer.items"
        judge.complain(where, f"{call.answer.items!r} finds no list", alike(call.answer.items, "items", answer))
        return ""
    if bench.webhook_id:
        ours: Any = next((item for item in items if find_text(call.answer.id, item) == bench.webhook_id), None)
        if ours is None:
            first = items[0] if items else None
            judge.read("operations.list_webhooks.answer.id", call.answer.id, first)
            judge.complain("operations.list_webhooks.answer.id", "the webhook that was registered is not found in the list")
        else:
            judge.read("operations.list_webhooks.answer.id", call.answer.id, ours)
            judge.read("operations.list_webhooks.answer.url", call.answer.url, ours, needed=True)
            if find(call.answer.url, ours) not in (None, "", HOOK_URL):
                judge.complain("operations.list_webhooks.answer.url", f"it finds another text than the URL {HOOK_URL}")
    return f"{len(items)} webhooks"


async def remove_webhook(bench: Bench, judge: Judge) -> str:
    await bench.call("remove_webhook", {"webhook": {"id": bench.webhook_id}})
    bench.webhook_id = ""
    return ""


def _chat(fields: ChatsAnswer, item: Any) -> Chat:
    name = find_text(fields.name, item)
    return Chat(find_text(fields.id, item), name, find_text(fields.title, item) or name)


def _copy(bench: Bench) -> Copy:
    if not bench.message_id:
        raise Skipped("which message was sent is not known")
    return Copy(chat_id=bench.chat_id, message_ids=(bench.message_id,))


OPERATIONS: Mapping[str, Operation] = {
    function.__name__: function
    for function in (
        *(
            me,
            chats,
            direct_chats,
            users,
            find_users,
            member,
            websocket,
            upload,
            send,
            webhook_send,
            message,
            history,
            edit,
            react,
            unreact,
            download,
            typing,
            set_status,
            rename_chat,
        ),
        *(register_webhook, list_webhooks, remove_webhook, delete),
    )
}
"""The operations, in the order in which they are tried."""

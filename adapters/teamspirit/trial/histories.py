"""Compares the test's own messages with the chat's history: whether every entry of `message_fields` finds what was sent.

The sent values are known, so the right expression for a wrong entry can be named: it is where the value is. Used by `operations`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from adapters.common.queries import find, find_text
from adapters.teamspirit.inbound.decode_parts import list_of, time_of, truth_of, words_of
from adapters.teamspirit.trial.bench import Bench
from adapters.teamspirit.trial.reading import Judge, alike, holds, leaves
from bridge.model.adapter import Outbound
from bridge.model.dialects import ReadEntry
from bridge.model.errors import BridgeError
from bridge.model.rich_text import plain

_BACK_MS = 10 * 60 * 1000
_FAR_S = 24 * 3600.0
_ITEMS = "operations.history.answer.items"
_ID = "message_fields.message_id"


async def check_message(bench: Bench, judge: Judge) -> str:
    """Read the chat, and each field of the test's message in it."""
    items = await _page(bench, judge, "")
    if items is None:
        return ""
    if not bench.message_id:
        _learn_from(bench, items)
    if not bench.message_id:
        return f"{len(items)} messages; none of them is the test's, so that their fields are not judged"
    item = _find(bench, items, bench.message_id)
    history = bench.operations.history
    assert history is not None
    if item is None and history.by == "after" and items:
        item = await _behind_another(bench, judge)
    if item is None:
        _not_found(bench, judge, items)
        return f"{len(items)} messages"
    _judge_item(bench, judge, item)
    _judge_order(bench, judge, items)
    return f"{len(items)} messages, the test's among them"


async def check_changed(bench: Bench, judge: Judge) -> str:
    item = await _again(bench, judge)
    fields = bench.dialect.message_fields
    if item is None:
        return "edited"
    words = words_of(find(fields.text, item))
    if bench.reads_text and bench.edited_text not in words:
        judge.complain("operations.edit", "the server took the edit, and the history shows other words than the edit's")
    for name in ("edited_at", "updated_at"):
        query = getattr(fields, name)
        found = judge.read(f"message_fields.{name}", query, item)
        if query is not None and found is not None and time_of(found) is None:
            judge.complain(f"message_fields.{name}", f"{found!r} is no time")
    if fields.edited_at is not None and time_of(find(fields.edited_at, item)) is None:
        judge.complain("message_fields.edited_at", "an edited message shows no time of it", alike("edited_at", "edited_at", item))
    return "edited, and the history shows it"


async def check_gone(bench: Bench, judge: Judge, ids: list[str]) -> str:
    history = bench.operations.history
    if history is None or not ids:
        return "deleted"
    items = await _page(bench, judge, "")
    item = _find(bench, items or [], ids[0])
    flagged = item is not None and truth_of(find(bench.dialect.message_fields.deleted, item))
    if item is not None and not flagged:
        hint = alike("deleted", "deleted", item)
        entry = "message_fields.deleted" if history.deletes == "flagged" else "operations.history.deletes"
        judge.complain(entry, "the deleted message is still in the history, and nothing marks it as deleted", hint)
    elif flagged and history.deletes != "flagged":
        judge.complain("operations.history.deletes", f"deleted messages are flagged here, not {history.deletes}")
    elif item is None and history.deletes == "flagged" and history.by == "since":
        judge.complain("operations.history.deletes", "the deleted message is not in the history any more: it is not flagged here")
    return "deleted"


async def _page(bench: Bench, judge: Judge, after: str) -> list[Any] | None:
    call = bench.operations.history
    assert call is not None
    server_now = bench.client.time.now() if bench.client.time.is_known else bench.context.clock.now()
    since_ms = round(server_now.timestamp() * 1000) - _BACK_MS if call.by == "since" else None
    values = {**bench.in_chat(), "after": after or None, "since_ms": since_ms, "limit": call.page_size}
    answer = await bench.call("history", values)
    items = judge.read(_ITEMS, call.answer.items, answer)
    if not isinstance(items, list):
        judge.complain(_ITEMS, f"{call.answer.items!r} finds no list", alike(call.answer.items, "items", answer))
        return None
    return items


async def _again(bench: Bench, judge: Judge) -> Any:
    """The test's message as the history shows it now; None if it is not there, which `check_message` has reported."""
    if bench.operations.history is None:
        return None
    try:
        return _find(bench, await _page(bench, Judge(judge.operation, {}), "") or [], bench.message_id)
    except BridgeError:
        return None


async def _behind_another(bench: Bench, judge: Judge) -> Any:
    """Send a second message and read it after the first, since in a long chat the first page is an old one."""
    operations = bench.operations
    if operations.send is None:
        return None
    outbound = Outbound(token=f"test-{bench.token}-2", attempt=1, chat_id=bench.chat_id, text=plain(bench.text))
    answer = await bench.call("send", bench.encoder.send_values(outbound, [], ""))
    second = find_text(operations.send.answer.id, answer)
    bench.message_ids.append(second)
    items = await _page(bench, judge, bench.message_id) or []
    found = _find(bench, items, second)
    if found is not None:
        bench.message_id = second
    return found


async def learn_by_words(bench: Bench, judge: Judge) -> None:
    """Find the test's message in the history by its text, if its id is not known."""
    _learn_from(bench, await _page(bench, judge, "") or [])


def _learn_from(bench: Bench, items: list[Any]) -> None:
    """Learn the message's id from its text, if the response to the send had none."""
    for item in items:
        found = find_text(bench.dialect.message_fields.message_id, item)
        if found and holds(item, bench.token):
            bench.message_id = found
            bench.message_ids.append(found)
            return


def _find(bench: Bench, items: list[Any], message_id: str) -> Any:
    query = bench.dialect.message_fields.message_id
    return next((item for item in items if find_text(query, item) == message_id), None)


def _not_found(bench: Bench, judge: Judge, items: list[Any]) -> None:
    """Report that no message has the id of the sent one, and where its text was found, if anywhere."""
    query = bench.dialect.message_fields.message_id
    meant = next((item for item in items if holds(item, bench.message_id)), None)
    if meant is not None:
        judge.complain(
            _ID, f"{query!r} does not find the id of the message that was sent", f"it is at {holds(meant, bench.message_id)}"
        )
    elif (by_text := next((item for item in items if holds(item, bench.token)), None)) is not None:
        found = find_text(query, by_text)
        why = f"the message was sent as {bench.message_id!r}, and is {found!r} in the history"
        judge.complain("operations.send.answer.id", why, "one of the two entries finds another kind of id")
    else:
        judge.complain(
            "operations.history", "the message that was just sent is not in the answer", "look at query and answer.items"
        )


def _judge_item(bench: Bench, judge: Judge, item: Any) -> None:
    fields = bench.dialect.message_fields
    for name in type(fields).model_fields:
        query = getattr(fields, name)
        if isinstance(query, str):
            judge.read_entries.append(ReadEntry(entry=f"message_fields.{name}", query=query, found=find(query, item)))
    files = list_of(find(fields.files, item))
    if files and fields.file is not None:
        bench.download_id = find_text(fields.file.id, files[0])
    bench.reads_text = bench.token in words_of(find(fields.text, item))
    expected = {"user_id": bench.me_id, "text": bench.token, "client_id": f"test-{bench.token}"}
    for name, value in expected.items():
        query = getattr(fields, name)
        if query is None or not value or value in words_of(find(query, item)):
            continue
        if name == "client_id" and f"{value}-2" == find_text(query, item):
            continue
        at = holds(item, value)
        judge.complain(
            f"message_fields.{name}", f"{query!r} does not find {value!r}", f"it is at {at}" if at else alike(query, name, item)
        )
    sent_at = time_of(find(fields.sent_at, item))
    if sent_at is None:
        judge.complain("message_fields.sent_at", f"{fields.sent_at!r} finds no time", _times(bench, item))
    elif bench.client.time.is_known and abs(bench.client.time.now() - sent_at) > timedelta(seconds=_FAR_S):
        judge.complain("message_fields.sent_at", f"it finds {sent_at:%Y-%m-%d %H:%M}, and the message was sent just now")
    if truth_of(find(fields.deleted, item)):
        judge.complain("message_fields.deleted", "it finds something true in a message that is not deleted")
    if truth_of(find(fields.system, item)):
        judge.complain("message_fields.system", "it finds something true in a message that we sent: none would be relayed")
    if bench.file_id and bench.message_id == bench.message_ids[0] and not find(fields.files, item):
        judge.complain("message_fields.files", "it finds no file in a message that has one", _file_hint(bench, item))


def _file_hint(bench: Bench, item: Any) -> str:
    at = holds(item, bench.file_id)
    return f"its id is at {at}" if at else alike("files", "files", item)


def _times(bench: Bench, item: Any) -> str:
    """The places of times that are close to now."""
    now = bench.context.clock.now()
    found = [
        path
        for path, value in leaves(item)
        if (moment := time_of(value)) is not None and abs(now - moment) < timedelta(seconds=_FAR_S)
    ]
    return f"there are times at {', '.join(found[:3])}" if found else "the message has no time of today"


def _judge_order(bench: Bench, judge: Judge, items: list[Any]) -> None:
    times = [moment for item in items if (moment := time_of(find(bench.dialect.message_fields.sent_at, item))) is not None]
    if len(times) > 1 and times[0] > times[-1]:
        judge.complain(_ITEMS, "the newest message comes first, and the oldest must", "sort_by(..., &...) or reverse(...)")

"""Checks a dialect as a whole: entries that are valid alone but contradict each other, or can never work. Pure; used by `load`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from adapters.common.queries import reads_nothing
from adapters.teamspirit.dialect.variables import variables_of

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Operations
    from adapters.teamspirit.dialect.events import Fields, Inbound, Websocket
    from adapters.teamspirit.dialect.model import Dialect

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""Name of a header. Source: RFC 9110 section 5.6.2."""
_BEGINS_WITH_VARIABLE = re.compile(r"\{\{|\{%")
_MUST_READ: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "users": (("user.id",),),
    "find_users": (("user.name", "user.email", "user"),),
    "member": (("chat.id",), ("user.id",)),
    "message": (("message.id",),),
    "send": (("message.text",),),
    "webhook_send": (("message.text",),),
    "edit": (("message.id",), ("message.text",)),
    "delete": (("message.id",),),
    "react": (("message.id",), ("reaction.emoji", "reaction.name", "reaction")),
    "unreact": (("message.id",), ("reaction.emoji", "reaction.name", "reaction")),
    "download": (("file.id",),),
    "rename_chat": (("chat.id", "chat"), ("new_name",)),
    "set_status": (("status.name", "status.text", "status"),),
    "register_webhook": (("webhook.url",),),
    "remove_webhook": (("webhook.id",),),
}
"""One of each group, or the call says the same whatever it is about."""
_ON_A_SENT_MESSAGE = ("edit", "delete", "react", "unreact")
_CODE_LISTS = ("chat", "right", "message", "unchangeable", "file", "account", "thread", "gone")
_TOGETHER = (("files", "file"), ("cards", "card"))
_EVENT_NEEDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "created": (("chat_id",), ("message_id",), ("user_id",)),
    "edited": (("chat_id",), ("message_id",), ("user_id",)),
    "deleted": (("chat_id",), ("message_id",)),
    "reaction_added": (("chat_id",), ("message_id",), ("emoji",)),
    "reaction_removed": (("chat_id",), ("message_id",), ("emoji",)),
    "member_joined": (("chat_id",), ("member_id", "user_id")),
    "member_left": (("chat_id",), ("member_id", "user_id")),
    "chat_renamed": (("chat_id",), ("chat_name",)),
    "status_changed": (("user_id",), ("status", "status_text")),
    "typing": (("chat_id",),),
    "ignored": (),
}


class Nonsense(NamedTuple):
    at: tuple[str | int, ...]
    why: str
    hint: str = ""


def nonsense_of(dialect: Dialect) -> Iterator[Nonsense]:
    """All faults, in no order."""
    operations = dialect.operations
    if operations.send is None and operations.webhook_send is None:
        yield Nonsense(("operations",), "there is no way to send: neither 'send' nor 'webhook_send'")
    if operations.history is None and dialect.inbound is None and dialect.websocket is None:
        yield Nonsense((), "there is no way to receive: neither 'history' nor 'inbound' nor 'websocket'")
    if (operations.react is None) != (operations.unreact is None):
        yield Nonsense(("operations",), "'react' and 'unreact' need each other")
    yield from _calls(dialect)
    yield from _relations(dialect)
    yield from _fields(("message_fields",), dialect.message_fields)
    yield from _history(dialect)
    yield from _errors(dialect)
    if dialect.inbound is not None:
        yield from _inbound(dialect.inbound)
    if dialect.websocket is not None:
        yield from _header_names(("websocket", "headers"), dialect.websocket.headers)
        yield from _fields(("websocket", "fields"), dialect.websocket.fields)
        yield from _events(("websocket",), dialect.websocket)
    whole = [
        *(dialect.inbound.events.values() if dialect.inbound else ()),
        *(dialect.websocket.events.values() if dialect.websocket else ()),
    ]
    if any(entry.message is not None for entry in whole):
        for needed in ("message_id", "user_id"):
            if getattr(dialect.message_fields, needed) is None:
                yield Nonsense(("message_fields",), f"events that hold a whole 'message' need the entry {needed!r}")


# -- calls ------------------------------------------------------------------------------------------------------------------


def _calls(dialect: Dialect) -> Iterator[Nonsense]:
    if dialect.base and not _BEGINS_WITH_VARIABLE.match(dialect.base) and not dialect.base.startswith(("http://", "https://")):
        yield Nonsense(("base",), "must begin with https://, http://, or {{ account.server }}")
    yield from _header_names(("headers",), dialect.headers)
    for name, call in dialect.operations:
        if call is None:
            continue
        at = ("operations", name)
        if (call.path is None) == (call.url is None):
            yield Nonsense(at, "give either 'path' or 'url'")
        elif call.path is not None and not dialect.base:
            yield Nonsense((*at, "path"), "a 'path' needs the entry 'base', which it is appended to")
        elif call.path is not None and not call.path.startswith("/") and not dialect.base.endswith("/"):
            yield Nonsense((*at, "path"), "must begin with /, or it runs into the end of 'base'")
        elif call.url is not None and not re.match(r"https?://|\{\{|\{%", call.url):
            yield Nonsense((*at, "url"), "must begin with https://, http://, or a variable")
        bodies = [body for body in (call.body, call.form, call.multipart) if body is not None]
        if len(bodies) > 1:
            yield Nonsense(at, "give only one of 'json', 'form' and 'multipart'")
        yield from _header_names((*at, "headers"), call.headers)
    upload = dialect.operations.upload
    if upload is not None and upload.multipart is None:
        yield Nonsense(("operations", "upload"), "an upload needs 'multipart' (it may be empty: {})")
    if upload is not None and (upload.answer.id is None) == (upload.id is None):
        yield Nonsense(("operations", "upload"), "either 'answer.id' or the template 'id' must say which file it became")


def _header_names(at: tuple[str | int, ...], headers: Mapping[str, str]) -> Iterator[Nonsense]:
    for name in headers:
        if not _TOKEN.fullmatch(name):
            yield Nonsense((*at, name), "no header can have this name")


def _relations(dialect: Dialect) -> Iterator[Nonsense]:
    """What one operation needs of another."""
    operations = dialect.operations
    try:
        read = {name: variables_of(call) for name, call in operations if call is not None}
    except ValueError:
        return  # a template that is none has its own fault
    for name, groups in _MUST_READ.items():
        for group in groups:
            if name in read and not read[name] & set(group) and not any(one.startswith(f"{group[0]}.") for one in read[name]):
                wanted = " or ".join(f"{{{{ {one} }}}}" for one in group[:2])
                yield Nonsense(("operations", name), f"it never says {wanted}: every call of it is the same")
    if operations.me is None:
        for name in [name for name, names in read.items() if names & {"me.id", "me.name"}]:
            yield Nonsense(("operations", name), "'me.id' needs the operation 'me', which asks who we are")
    kind_is_told = operations.chats is not None and operations.chats.answer.kind is not None
    for name in [name for name, names in read.items() if "chat.kind" in names and not kind_is_told]:
        yield Nonsense(("operations", name), "'chat.kind' needs 'operations.chats.answer.kind', which tells the kind of each chat")
    if operations.message is None and "message.root" in read.get("send", ()):
        yield Nonsense(("operations", "send"), "'message.root' needs the operation 'message', which looks a message's thread up")
    sends = operations.send or operations.webhook_send
    if sends is not None and sends.answer.id is None:
        which = "send" if operations.send is not None else "webhook_send"
        for name in [name for name in _ON_A_SENT_MESSAGE if name in read]:
            yield Nonsense(("operations", name), f"it needs 'operations.{which}.answer.id', which tells what was sent")
    yield from _registration(operations, dialect.inbound)


def _registration(operations: Operations, inbound: Inbound | None) -> Iterator[Nonsense]:
    call = operations.register_webhook
    if call is None:
        return
    if inbound is None:
        yield Nonsense(("operations", "register_webhook"), "nothing says what its calls hold: it needs the entry 'inbound'")
        return
    required = inbound.authentication
    for there, name in ((required.key, "key"), (required.signature, "secret")):
        if there is not None and getattr(call.answer, name) is None:
            what = "its calls carry a key" if name == "key" else "its calls are signed"
            yield Nonsense(("operations", "register_webhook", "answer"), f"{what}: the entry {name!r} must say where it is told")


# -- what is read -----------------------------------------------------------------------------------------------------------


def _history(dialect: Dialect) -> Iterator[Nonsense]:
    history, fields = dialect.operations.history, dialect.message_fields
    if history is None:
        return
    for needed in ("message_id", "user_id", "sent_at"):
        if getattr(fields, needed) is None:
            yield Nonsense(("message_fields",), f"the history needs the entry {needed!r}")
    if history.by == "since" and fields.updated_at is None:
        yield Nonsense(("message_fields",), "a history 'by: since' needs the entry 'updated_at'")
    if history.deletes == "flagged" and fields.deleted is None:
        yield Nonsense(("operations", "history", "deletes"), "'flagged' needs the entry 'message_fields.deleted'")
    try:
        read = variables_of(history)
    except ValueError:
        return
    where = {"after": "after", "since": "since_ms"}[history.by]
    if history.answer.previous is not None:
        where = "cursor"
        if history.by != "after" or history.without_after != "newest":
            yield Nonsense(("operations", "history", "answer", "previous"), "it needs 'by: after' and 'without_after: newest'")
    if where not in read:
        yield Nonsense(
            ("operations", "history"), f"'by: {history.by}' never says {{{{ {where} }}}}: it would read the same for ever"
        )


def _fields(at: tuple[str | int, ...], fields: Fields) -> Iterator[Nonsense]:
    for items, one in _TOGETHER:
        if (getattr(fields, items) is None) != (getattr(fields, one) is None):
            there, missing = (items, one) if getattr(fields, one) is None else (one, items)
            yield Nonsense((*at, there), f"it needs the entry {missing!r}: without it, nothing of them is shown")
    if fields.card is not None and (fields.card.fields is None) != (fields.card.field is None):
        yield Nonsense((*at, "card"), "'fields' and 'field' need each other")
    if fields.message_id is not None and reads_nothing(fields.message_id):
        yield Nonsense((*at, "message_id"), "it is the same for every message")


def _errors(dialect: Dialect) -> Iterator[Nonsense]:
    errors = dialect.errors
    lists = {f"{name}_codes": getattr(errors, f"{name}_codes") for name in _CODE_LISTS}
    seen: dict[str, str] = {}
    for name, codes in lists.items():
        if codes and errors.code is None:
            yield Nonsense(("errors", name), "it needs the entry 'code': nothing says where a refusal has its code")
        for number, code in enumerate(codes):
            if seen.setdefault(code, name) != name:
                yield Nonsense(("errors", name, number), f"{code!r} is in {seen[code]!r} too: a code means one thing")


def _inbound(inbound: Inbound) -> Iterator[Nonsense]:
    required = inbound.authentication
    at: tuple[str | int, ...] = ("inbound", "authentication")
    if required.key is None and required.signature is None:
        yield Nonsense(at, "give 'key' or 'signature': without either, everybody could post into the chats")
    if required.key is not None and required.key.place == "header":
        yield from _header_names((*at, "key"), {required.key.name: ""})
    signature = required.signature
    stamp = signature.timestamp if signature is not None else None
    if stamp is not None and (stamp.header is None) == (stamp.body is None):
        yield Nonsense((*at, "signature", "timestamp"), "give either 'header' or 'body'")
    if signature is not None and ("timestamp" in signature.signed) != (stamp is not None and stamp.body is None):
        yield Nonsense((*at, "signature"), "'timestamp' and its place in 'signed' need each other")
    if signature is not None and "body" not in signature.signed:
        yield Nonsense((*at, "signature", "signed"), "the signature must cover the 'body'")
    yield from _fields(("inbound", "fields"), inbound.fields)
    yield from _events(("inbound",), inbound)


def _events(above: tuple[str | int, ...], inbound: Inbound | Websocket) -> Iterator[Nonsense]:
    known: dict[str, str] = {}
    everything = ""
    for kind, entry in inbound.events.items():
        at = (*above, "events", kind)
        for group in _EVENT_NEEDS[kind]:
            if entry.message is not None and group[0] in ("message_id", "user_id"):
                continue  # `message_fields` say it
            if not any(getattr(entry.fields, name) or getattr(inbound.fields, name) for name in group):
                yield Nonsense(at, f"nothing says where {group[0]!r} is")
        if everything:
            yield Nonsense((*at, "when"), f"it is never reached: {everything!r} before it takes every call")
        elif entry.when in known:
            yield Nonsense((*at, "when"), f"it is never reached: {known[entry.when]!r} before it has the same condition")
        known.setdefault(entry.when, kind)
        if reads_nothing(entry.when):
            everything = kind

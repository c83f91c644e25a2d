"""Variables that a dialect's templates may read, per operation, with what they hold; and which of them a call reads.

`load` checks templates against this table and `encode` provides exactly these values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bridge.model.templates import path_template, template

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Call

ACCOUNT = {
    "account.server": "the account's `server`, without a trailing slash",
    "account.api_key": "its API key",
    "account.variables": "the account's own `variables`: account.variables.team_id, say",
    "me.id": "our own user id, once `me` was asked",
    "me.name": "our own username",
}
_CHAT = {
    "chat.id": "native id of the chat",
    "chat.kind": "what `kind` of `chats` says of it",
    "chat.incoming_webhook": "URL of the chat's incoming webhook, from the account's `chats`; else the account's own",
    "chat.channel": "the chat's name, if the account's own `incoming_webhook` posts into it; else nothing",
}
_CONTENT = {
    "message.text": "the text in the dialect's flavour",
    "message.format": "`markdown`, `html` or `plain`",
    "message.files": "ids of the uploaded files (a list); nothing if there are none",
    "message.uploads": "the same with `id`, `name`, `mime`, `size` and `kind` (image, video, audio or file) of each, for `$each`",
    "item": "within the `$item` of an `$each`: the one of the list that it is filled in for",
}
_OTHER_DATA = {
    "message.location": "the place that the message shows, or nothing; without it in `send` (and `edit`) a place is a line of text",
    "message.location.latitude": "degrees, WGS 84",
    "message.location.longitude": "degrees, WGS 84",
    "message.location.title": "what is there",
    "message.location.address": "its address",
    "message.contact": "the contact that the message hands on, or nothing; as with a place",
    "message.contact.name": "the contact's name",
    "message.contact.phone": "its phone number",
    "message.contact.details": "what else its card tells, a list of texts",
    "message.contact.note": "the same as one text, a line each",
}
_TARGET = {"message.id": "native id of the message meant"}
_SEND = {
    **_CHAT,
    **_CONTENT,
    **_OTHER_DATA,
    "message.reply_to": "native id of the answered message",
    "message.reply_thread": "native thread id of the answered message",
    "message.thread": "native thread id to post into",
    "message.root": "first message of the thread to post into, or to answer in; looked up by `message`",
    "message.sender.name": "the author's name",
    "message.sender.avatar_url": "public URL of the author's picture",
    "message.sender": "both of them, or nothing",
    "message.client_id": "our own mark, the same at every attempt",
    "message.previews": "whether links may unfold (true or false)",
    "message.silent": "whether to post without a notification (true or false)",
}
_REACTION = {
    **_CHAT,
    **_TARGET,
    "reaction.emoji": "the emoji itself, or `:name:` for a custom one",
    "reaction.name": "its short name without colons: thumbsup",
}

OPERATIONS: Mapping[str, Mapping[str, str]] = {
    "me": {},
    "chats": {"cursor": "`next_cursor` of the page before"},
    "direct_chats": {"cursor": "`next_cursor` of the page before"},
    "users": {"user.id": "native id of the user"},
    "find_users": {
        "user.name": "the username or shown name that is looked for",
        "user.email": "or the e-mail address; only one of both is there",
    },
    "member": {**_CHAT, "user.id": "native id of the user"},
    "message": {"message.id": "native id of the message"},
    "send": _SEND,
    "edit": {**_CHAT, **_TARGET, **_CONTENT, **_OTHER_DATA},
    "delete": {**_CHAT, **_TARGET},
    "react": _REACTION,
    "unreact": _REACTION,
    "upload": {
        **_CHAT,
        "file.name": "name of the file",
        "file.mime": "its MIME type",
        "file.size": "its size in bytes",
        "prepared": "what `prepare` answered",
    },
    "download": {"file.id": "native id of the file"},
    "history": {
        **_CHAT,
        "after": "id of the message to read on from; empty for the newest",
        "since_ms": "Unix time in milliseconds to read changes from",
        "limit": "the page size",
        "cursor": "`previous` of the page behind",
    },
    "rename_chat": {**_CHAT, "new_name": "the name that the chat is to have"},
    "set_status": {"status.name": "online, away, busy or offline", "status.text": "what people see beside it"},
    "typing": {**_CHAT, "message.thread": "native thread id"},
    "webhook_send": _SEND,
    "register_webhook": {
        "webhook.url": "our URL to be called",
        "webhook.chats": "native ids of the chats we want to hear of (a list)",
    },
    "list_webhooks": {"cursor": "`next_cursor` of the page before"},
    "remove_webhook": {"webhook.id": "native id of the webhook"},
}


_FREE = ("account.variables", "prepared", "item")
"""Variables whose parts nobody but the server or the admin knows."""


def known(operation: str) -> Mapping[str, str]:
    """Every variable that a template of this operation may read."""
    return {**ACCOUNT, **OPERATIONS[operation]}


def is_known(name: str, names: Mapping[str, str]) -> bool:
    """Whether a dotted name is one of the variables, a part of one (`message.sender`), or leads into free values."""
    free = any(name.startswith(f"{root}.") and root in names for root in _FREE)
    return name in names or free or any(one.startswith(f"{name}.") for one in names)


def variables_of(call: Call | None) -> frozenset[str]:
    """The variables that a call's templates read."""
    if call is None:
        return frozenset()
    names: set[str] = set(path_template(call.path).names if call.path else template(call.url or "").names)
    for tree in (call.headers, call.query, call.body, call.form, call.multipart, getattr(call, "id", None)):
        for source in _texts(tree):
            names |= template(source).names
    return frozenset(names)


def _texts(tree: object) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _texts(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _texts(value)

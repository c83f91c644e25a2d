"""Calls of the bridge to the server: what a dialect file says of each operation, and where its answer holds what is needed.

Reference for authors of dialects; used through `model.Dialect`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from adapters.teamspirit.dialect.entry import Entry, Query, TemplateText


class Call(Entry):
    """One HTTP call. `path` is appended to the dialect's `base`, each value in it percent-encoded; `url` replaces both."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: TemplateText | None = None
    url: TemplateText | None = None
    headers: dict[str, TemplateText] = Field({})
    """Beside the dialect's own headers. An empty value leaves the header out."""
    query: dict[str, TemplateText] = Field({})
    """An empty value leaves the parameter out."""
    body: Any = Field(None, alias="json")
    """A JSON body; templates may stand anywhere in it."""
    form: dict[str, TemplateText] | None = None
    """A urlencoded body."""
    multipart: dict[str, TemplateText] | None = None
    """A multipart/form-data body; the file is added by the operations that have one."""


class NoAnswer(Call):
    """An operation of which only success or failure matters."""


class MeAnswer(Entry):
    id: Query
    name: Query | None = None


class Me(Call):
    answer: MeAnswer


class ChatsAnswer(Entry):
    """`items` finds the list; the others are read within each item."""

    items: Query
    next_cursor: Query | None = None
    id: Query
    name: Query | None = None
    title: Query | None = None
    kind: Query | None = None
    """The server's word for what kind of chat it is. Needed where a template reads `chat.kind`."""


class Chats(Call):
    answer: ChatsAnswer


class DirectChatsAnswer(Entry):
    """`items` finds the list; the others are read within each item."""

    items: Query
    next_cursor: Query | None = None
    id: Query
    latest: Query | None = None
    """The time of the chat's latest message. With it, a chat is read only after a message; without it, each is read again and
    again."""


class DirectChats(Call):
    """The private chats of one person and the bot: where people give commands that others need not see. Without it, what people
    say in private is heard only if the server calls the bridge or tells it over the websocket. Such chats are
    read by `history`; without that, it is of no use."""

    answer: DirectChatsAnswer


class UsersAnswer(Entry):
    id: Query
    username: Query | None = None
    name: Query | None = None
    avatar_url: Query | None = None
    is_bot: Query | None = None


class Users(Call):
    answer: UsersAnswer


class FindUsersAnswer(Entry):
    """`items` finds the list, or a single user; the others are read within each item."""

    items: Query
    id: Query
    username: Query | None = None
    name: Query | None = None
    email: Query | None = None


class FindUsers(Call):
    """People by username, shown name, or e-mail address. A server may return more people than those that are meant: the bridge
    compares. Needed for `@Name` in other messengers' texts, and for e-mail addresses under `people`."""

    answer: FindUsersAnswer


class MemberAnswer(Entry):
    is_member: Query | None = None
    """Something true if the user is in the chat. Without it, success says so, and 404 that they are not."""


class Member(Call):
    """Whether a user is in a chat. Asked before a status that names no chat is told there."""

    answer: MemberAnswer = MemberAnswer()


class SentAnswer(Entry):
    id: Query | None = None
    """Without it a sent message can never be edited or deleted."""


class Send(Call):
    answer: SentAnswer = SentAnswer()
    idempotent_s: float = Field(0.0, ge=0)
    """For how long the same `message.client_id` returns the first message instead of making another; 0: never."""
    names_if_allowed: bool = False
    """Whether the server shows other people's names only if its admin allows that, and does not say whether it does. The names are
    then part of the text unless the account has `sender_names: true`."""
    slack_forms: bool = False
    """Whether the server reads Slack's links and mentions in the text: `<url|words>`, `<!channel>`, `<@U1>`."""
    told_back: bool = True
    """Whether the server's outgoing webhooks tell of what was posted by this call."""


class MessageAnswer(Entry):
    thread: Query | None = None
    """The first message of the thread it is in; nothing if it is in none, or is the first one itself."""
    chat: Query | None = None
    deleted: Query | None = None
    """Something true if the message was deleted."""


class Message(Call):
    """One message. Needed where `send` reads `message.root`."""

    answer: MessageAnswer


class UploadAnswer(Entry):
    id: Query | None = None


class Prepare(Call):
    """A call before the upload itself, which says where the file goes and what must go with it."""

    answer: Query = "@"
    """What of its answer the upload's templates read as `prepared`."""


class Upload(Call):
    prepare: Prepare | None = None
    file_field: str = "file"
    """Name of the multipart part that carries the file, which is the last one."""
    id: TemplateText | None = None
    """The file's id, where the answer does not say it: a template over `prepared` and `file`."""
    answer: UploadAnswer = UploadAnswer()


class HistoryAnswer(Entry):
    items: Query
    """The list of messages, oldest first."""
    previous: Query | None = None
    """Of a server that gives the newest messages and pages backwards alone: what leads to the page before, read as `cursor`. The
    bridge then reads back until it meets the message that it knows, by `id` within each item."""
    id: Query = "id"


class History(Call):
    page_size: int = Field(100, ge=1, le=10_000)
    """Most messages in one answer: a full answer means that there may be more."""
    by: Literal["after", "since"] = "after"
    """`after`: the messages after `after` (an id); changes of known ones are found by reading the latest once more. `since`: every
    message created, edited or deleted since `since_ms`."""
    without_after: Literal["oldest", "newest"] = "oldest"
    """What comes without `after`: the first page of the chat or its latest one. With `newest`, more than a page of messages in a
    chat that was empty before cannot be read whole."""
    deletes: Literal["missing", "flagged", "unseen"] = "missing"
    """How a deleted message shows: it is missing, `message.deleted` of the fields finds it so, or not at all."""
    answer: HistoryAnswer


class RegisterWebhookAnswer(Entry):
    id: Query
    key: Query | None = None
    secret: Query | None = None


class RegisterWebhook(Call):
    answer: RegisterWebhookAnswer


class ListWebhooksAnswer(Entry):
    items: Query
    next_cursor: Query | None = None
    id: Query
    url: Query


class ListWebhooks(Call):
    answer: ListWebhooksAnswer


class RenameAnswer(Entry):
    name: Query | None = None
    """The name that the chat has now: servers shorten names, or write them small."""


class RenameChat(Call):
    answer: RenameAnswer = RenameAnswer()


class Operations(Entry):
    """What the server can be asked to do. A missing operation is a missing ability of the platform, not an error."""

    me: Me | None = None
    chats: Chats | None = None
    direct_chats: DirectChats | None = None
    users: Users | None = None
    find_users: FindUsers | None = None
    member: Member | None = None
    message: Message | None = None
    send: Send | None = None
    edit: NoAnswer | None = None
    delete: NoAnswer | None = None
    react: NoAnswer | None = None
    unreact: NoAnswer | None = None
    upload: Upload | None = None
    download: NoAnswer | None = None
    history: History | None = None
    rename_chat: RenameChat | None = None
    set_status: NoAnswer | None = None
    typing: NoAnswer | None = None
    webhook_send: Send | None = None
    register_webhook: RegisterWebhook | None = None
    list_webhooks: ListWebhooks | None = None
    remove_webhook: NoAnswer | None = None

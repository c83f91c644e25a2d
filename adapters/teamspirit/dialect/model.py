"""What a dialect file holds, entry by entry: this is the reference for whoever writes or corrects one. Strict: an unknown entry is
a fault. Used by everything in this adapter; filled by `load`.

Two small languages occur in entries. `str` entries of calls are Jinja2 templates over the variables in `variables.py`; entries of
type `Query` are JMESPath expressions over the server's JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from adapters.teamspirit.dialect.query import checked

Query = Annotated[str, AfterValidator(checked)]
"""A JMESPath expression, checked."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _as_text(value: object) -> object:
    """YAML reads `yes` or `1` without quotes as something else; in a template they are meant as written."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


TemplateText = Annotated[str, BeforeValidator(_as_text)]

# -- calls: us to the server ------------------------------------------------------------------------------------------------


class Call(_Entry):
    """One HTTP call. `path` is appended to the dialect's `base`, each value in it percent-encoded; `url` replaces both."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: TemplateText | None = None
    url: TemplateText | None = None
    headers: dict[str, TemplateText] = {}
    """Beside the dialect's own headers. An empty value leaves the header out."""
    query: dict[str, TemplateText] = {}
    """An empty value leaves the parameter out."""
    body: Any = Field(None, alias="json")
    """A JSON body; templates may stand anywhere in it."""
    form: dict[str, TemplateText] | None = None
    """A urlencoded body."""
    multipart: dict[str, TemplateText] | None = None
    """A multipart/form-data body; the file is added by the operations that have one."""


class NoAnswer(Call):
    """An operation of which only success or failure matters."""


class MeAnswer(_Entry):
    id: Query
    name: Query | None = None


class Me(Call):
    answer: MeAnswer


class ChatsAnswer(_Entry):
    """`items` finds the list; the others are read within each item."""

    items: Query
    next_cursor: Query | None = None
    id: Query
    name: Query | None = None
    title: Query | None = None


class Chats(Call):
    answer: ChatsAnswer


class UsersAnswer(_Entry):
    id: Query
    username: Query | None = None
    name: Query | None = None
    avatar_url: Query | None = None
    is_bot: Query | None = None


class Users(Call):
    answer: UsersAnswer


class SentAnswer(_Entry):
    id: Query | None = None
    """Without it a sent message can never be edited or deleted."""


class Send(Call):
    answer: SentAnswer = SentAnswer()
    idempotent_s: float = Field(0.0, ge=0)
    """For how long the same `message.client_id` returns the first message instead of making another; 0: never."""


class MessageAnswer(_Entry):
    thread: Query | None = None
    """The first message of the thread it is in; nothing if it is in none, or is the first one itself."""
    chat: Query | None = None
    deleted: Query | None = None
    """Something true if the message was deleted."""


class Message(Call):
    """One message. Needed where `send` reads `message.root`."""

    answer: MessageAnswer


class UploadAnswer(_Entry):
    id: Query


class Upload(Call):
    file_field: str = "file"
    """Name of the multipart part that carries the file."""
    answer: UploadAnswer


class HistoryAnswer(_Entry):
    items: Query
    """The list of messages, oldest first."""


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


class RegisterWebhookAnswer(_Entry):
    id: Query
    key: Query | None = None
    secret: Query | None = None


class RegisterWebhook(Call):
    answer: RegisterWebhookAnswer


class ListWebhooksAnswer(_Entry):
    items: Query
    id: Query
    url: Query


class ListWebhooks(Call):
    answer: ListWebhooksAnswer


class Operations(_Entry):
    """What the server can be asked to do. A missing operation is a missing ability of the platform, not an error."""

    me: Me | None = None
    chats: Chats | None = None
    users: Users | None = None
    message: Message | None = None
    send: Send | None = None
    edit: NoAnswer | None = None
    delete: NoAnswer | None = None
    react: NoAnswer | None = None
    unreact: NoAnswer | None = None
    upload: Upload | None = None
    download: NoAnswer | None = None
    history: History | None = None
    set_status: NoAnswer | None = None
    typing: NoAnswer | None = None
    webhook_send: Send | None = None
    register_webhook: RegisterWebhook | None = None
    list_webhooks: ListWebhooks | None = None
    remove_webhook: NoAnswer | None = None


class Errors(_Entry):
    """How a refusal says what is wrong. The HTTP status alone decides where a code is in none of the lists."""

    code: Query | None = None
    message: Query | None = None
    retry_after_header: str = "Retry-After"
    """Seconds to wait, or an HTTP date."""
    retry_after_s: Query | None = None
    chat_codes: tuple[str, ...] = ()
    """Codes that mean: this chat refuses everything until a human acts."""
    right_codes: tuple[str, ...] = ()
    """Codes that mean: a right is missing. Of an edit, a deletion or a reaction they concern that alone; of all else, the chat."""
    message_codes: tuple[str, ...] = ()
    """Codes that mean: only this message is refused."""
    unchangeable_codes: tuple[str, ...] = ()
    """Codes that mean: the message will never be changed or deleted as asked. It is too old, or not ours."""
    file_codes: tuple[str, ...] = ()
    """Codes that mean: a file of the message is refused, its words are not. Whatever final an upload is answered means that too."""
    account_codes: tuple[str, ...] = ()
    """Codes that mean: the key is no good."""
    thread_codes: tuple[str, ...] = ()
    """Codes that mean: the thread to post into is not there (any more)."""
    gone_codes: tuple[str, ...] = ()
    """Codes that mean: the message to edit or delete is gone."""


# -- events: the server to us -----------------------------------------------------------------------------------------------


class FileFields(_Entry):
    """Within each item that `files` finds."""

    id: Query
    name: Query | None = None
    mime: Query | None = None
    size: Query | None = None


class CardField(_Entry):
    """Within each item that `fields` of a card finds."""

    title: Query | None = None
    value: Query | None = None


class CardFields(_Entry):
    """Within each item that `cards` finds: what apps post below or instead of the text. Texts are in the dialect's flavour, but
    names, titles and footers, which are plain."""

    fallback: Query | None = None
    """For notifications: shown only if there is nothing else."""
    pretext: Query | None = None
    author: Query | None = None
    author_link: Query | None = None
    title: Query | None = None
    title_link: Query | None = None
    text: Query | None = None
    fields: Query | None = None
    field: CardField | None = None
    images: Query | None = None
    """URLs of pictures, which are shown as links."""
    footer: Query | None = None
    actions: Query | None = None
    """The names of buttons and menus."""
    inner: Query | None = None
    """Cards within the card, which are shown below what else it has."""


class Fields(_Entry):
    """Where the parts of a message or an event lie. Times are RFC 3339, or Unix time in seconds or milliseconds."""

    event_id: Query | None = None
    time: Query | None = None
    chat_id: Query | None = None
    chat_name: Query | None = None
    thread: Query | None = None
    user_id: Query | None = None
    username: Query | None = None
    user_name: Query | None = None
    avatar_url: Query | None = None
    is_bot: Query | None = None
    message_id: Query | None = None
    text: Query | None = None
    format: Query | None = None
    """`plain` or `text` means a text without markup, whatever the dialect's flavour."""
    reply_to: Query | None = None
    cards: Query | None = None
    card: CardFields | None = None
    quotes: Query | None = None
    """Texts of other messages that are shown below this one, which links to them."""
    links: Query | None = None
    """URLs that belong to the message and are shown below it unless it holds them."""
    placeholder: Query | None = None
    """What to show of a message that has nothing else: no text, files or cards."""
    client_id: Query | None = None
    files: Query | None = None
    file: FileFields | None = None
    sent_at: Query | None = None
    edited_at: Query | None = None
    deleted: Query | None = None
    """Something true if the message was deleted."""
    updated_at: Query | None = None
    """For `by: since`: when it last changed."""
    system: Query | None = None
    """Something true if this is a notice of the server and no person's message."""
    emoji: Query | None = None
    member_id: Query | None = None
    member_name: Query | None = None
    status: Query | None = None
    status_text: Query | None = None


EventKind = Literal[
    "created",
    "edited",
    "deleted",
    "reaction_added",
    "reaction_removed",
    "member_joined",
    "member_left",
    "chat_renamed",
    "status_changed",
    "typing",
    "ignored",
]


class EventEntry(_Entry):
    when: Query
    """True for a body that is this event. The first entry that is true wins."""
    fields: Fields = Fields()
    """Where this event's parts lie, where it differs from `inbound.fields`."""


class KeyCheck(_Entry):
    place: Literal["header", "query", "body"] = Field(alias="in")
    name: str
    """Of the header or query parameter; a JMESPath expression for `in: body`."""


class TimestampCheck(_Entry):
    header: str
    window_s: float = Field(300.0, gt=0)
    """A call whose timestamp is further from our clock is refused."""


class SignatureCheck(_Entry):
    """HMAC over the parts of `signed`, joined: `timestamp` and `body` stand for themselves, all else is literal."""

    header: str
    prefix: str = ""
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    signed: tuple[str, ...] = ("body",)
    timestamp: TimestampCheck | None = None


class Authentication(_Entry):
    """What a call must carry. All that is given here is required; nothing given would let everybody in, so it is a fault."""

    key: KeyCheck | None = None
    signature: SignatureCheck | None = None


class Inbound(_Entry):
    """Calls of the server to us (outgoing webhooks)."""

    authentication: Authentication
    fields: Fields = Fields()
    events: dict[EventKind, EventEntry]
    redelivers: bool = False
    """Whether an unconfirmed call comes again."""


# -- the whole --------------------------------------------------------------------------------------------------------------


class TextDialect(_Entry):
    flavour: Literal["plain", "markdown", "html"] = "markdown"
    mention: str | None = "@"
    """What goes before a username to mention somebody; null: there are no mentions."""
    chat_mention: str | None = None
    emoji_names: bool = False
    """Whether `:tada:` is how people's texts hold an emoji."""
    mass_mentions: tuple[str, ...] = ("all", "channel", "here")
    """Names that ping everybody: never written unless a route allows it."""


class DialectLimits(_Entry):
    text_length: int = Field(gt=0)
    text_unit: Literal["characters", "utf16", "bytes"] = "characters"
    caption_length: int | None = None
    """Longest text of a message with files, where it differs."""
    files_per_message: int = Field(1, ge=1)
    upload_bytes: int = Field(0, ge=0)
    sender_name_length: int = Field(80, gt=0)
    messages_per_minute: int | None = Field(None, gt=0)
    """Messages that the server takes in one chat; without it, only its refusals (429) say."""


class Dialect(_Entry):
    dialect: str
    """Its name."""
    title: str
    """The messenger's name, for people."""
    verified: str
    """Against which server version, and when; `assumed` until somebody has."""
    needs: tuple[Literal["server", "api_key"], ...] = ()
    """Options of the account without which it cannot work."""
    base: TemplateText = ""
    headers: dict[str, TemplateText] = {}
    """Of every call to the API (not of calls with a `url` of their own)."""
    text: TextDialect = TextDialect()
    limits: DialectLimits
    errors: Errors = Errors()
    operations: Operations
    message_fields: Fields = Fields()
    """Where the parts of a message lie within an item of `history`."""
    inbound: Inbound | None = None

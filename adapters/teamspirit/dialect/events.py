"""Events of the server to the bridge: where the parts of a message or an event are, and what a call must contain to be accepted.
Reference for authors of dialects; used through `model.Dialect`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from adapters.teamspirit.dialect.entry import Entry, Query, TemplateText


class FileFields(Entry):
    """Within each item that `files` finds."""

    id: Query
    name: Query | None = None
    mime: Query | None = None
    kind: Query | None = None
    """`image`, `video` or `audio`, where the MIME type is not told."""
    size: Query | None = None


class CardField(Entry):
    """Within each item that `fields` of a card finds."""

    title: Query | None = None
    value: Query | None = None


class CardFields(Entry):
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


class LocationFields(Entry):
    """A place that a message shows. Degrees, WGS 84, as numbers or as text."""

    latitude: Query
    longitude: Query
    title: Query | None = None
    address: Query | None = None
    live: Query | None = None
    """Something true while the place is followed."""


class ContactFields(Entry):
    """Somebody's card that a message hands on."""

    name: Query
    phone: Query | None = None
    details: Query | None = None
    """Whatever else is to be seen of it: a text, or a list of them."""


class Fields(Entry):
    """Where the parts of a message or an event lie. Times are RFC 3339, or Unix time in seconds or milliseconds."""

    event_id: Query | None = None
    time: Query | None = None
    chat_id: Query | None = None
    chat_name: Query | None = None
    direct: Query | None = None
    """Something true if the chat is a private one of one person and the bot. Over a websocket, a message in such a chat is heard
    only by this."""
    thread: Query | None = None
    user_id: Query | None = None
    username: Query | None = None
    user_name: Query | None = None
    avatar_url: Query | None = None
    is_bot: Query | None = None
    message_id: Query | None = None
    label: Query | None = None
    """A word that is shown above the text, such as a priority."""
    text: Query | None = None
    format: Query | None = None
    """`plain` or `text` means a text without markup, whatever the dialect's flavour."""
    reply_to: Query | None = None
    cards: Query | None = None
    card: CardFields | None = None
    location: LocationFields | None = None
    contact: ContactFields | None = None
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
    """Something true if this is a notice of the server that is not relayed: it is told as an event, or is for one person alone."""
    tells: Query | None = None
    """Of a notice of the server (`system`) that nothing else tells: the event that it is told as, `member_joined`, `member_left` or
    `chat_renamed`, with `member_id` and `member_name`, or `chat_name`."""
    news: Query | None = None
    """Something true if this tells what somebody did in the chat, and is nobody's words: it is shown in italics."""
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


class EventEntry(Entry):
    when: Query
    """True for a body that is this event. The first entry that is true wins."""
    each: str | None = None
    """The name of a list in the body: the event is told for each of its values, with that value alone in the list. For several
    members at once."""
    message: Query | None = None
    """Where the message lies whole, as the history has it: `message_fields` then say where its parts are within it."""
    fields: Fields = Fields()
    """Where this event's parts lie, where it differs from `inbound.fields`."""


class KeyCheck(Entry):
    place: Literal["header", "query", "body"] = Field(alias="in")
    name: str
    """Of the header or query parameter; a JMESPath expression for `in: body`."""


class TimestampCheck(Entry):
    header: str | None = None
    body: Query | None = None
    """Where it is in the body, which is signed."""
    window_s: float = Field(300.0, gt=0)
    """A call whose timestamp is further from our clock is refused."""


class SignatureCheck(Entry):
    """HMAC over the parts of `signed`, joined: `timestamp` and `body` stand for themselves, all else is literal."""

    header: str
    prefix: str = ""
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    signed: tuple[str, ...] = ("body",)
    timestamp: TimestampCheck | None = None


class Authentication(Entry):
    """What a call must contain. Everything given here is required; if nothing is given, every call would be accepted, so that is a
    fault."""

    key: KeyCheck | None = None
    signature: SignatureCheck | None = None


class Websocket(Entry):
    """A connection of ours over which the server tells of events as they happen. Where there is a history, it counts: it is read
    after each connection and after each gap, so that nothing is lost if the connection is. Beside what the server sends, each frame
    has `connection`, a text that names this connection and no other."""

    url: TemplateText
    """http or https is taken for ws or wss."""
    headers: dict[str, TemplateText] = Field({})
    hello: tuple[Any, ...] = ()
    """JSON frames that we send once it is open, in this order; templates may stand anywhere in them."""
    ready: Query
    """True for the frame that says that we are let in, and from now on told of events."""
    refused: Query | None = None
    """True for the frame that says that we are not."""
    nested: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")], ...] = ()
    """Dotted names of values that are JSON within a text: they are read before everything else."""
    seq: Query | None = None
    """A number that grows by one with each event: a jump means that some were lost."""
    ping_s: float = Field(30.0, ge=1.0)
    """How often the connection is tried, by the protocol's own ping."""
    fields: Fields = Fields()
    events: dict[EventKind, EventEntry]
    """Frames that are none of these are passed over."""


class Inbound(Entry):
    """Calls of the server to us (outgoing webhooks)."""

    authentication: Authentication
    fields: Fields = Fields()
    events: dict[EventKind, EventEntry]
    redelivers: bool = False
    """Whether an unconfirmed call comes again."""

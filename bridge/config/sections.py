"""The sections of bridge.yaml that belong to no platform, as pydantic models: types, bounds, defaults, descriptions.

`model.Config` is what the daemon gets; these are only the file's side of it.
"""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from bridge.config.model import Listener, LogFormat
from bridge.model.events import AttachmentKind
from bridge.policy.filters import CONTENT_KINDS, EVENT_KINDS
from bridge.policy.routing import CustomEmoji, DeadMark, Deletes, Distinct, OnLate, OnUnknown, Pace, Reactions, Renames, Threads


class Section(BaseModel):
    """Strict and immutable; input never shows in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _listener(text: object) -> object:
    if not isinstance(text, str):
        return text
    host, separator, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address needs brackets, as in [::1]:8080")
    if not separator or not host:
        raise ValueError("must be host:port, as in 127.0.0.1:8080")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError("the port must be a number from 1 to 65535")
    return Listener(host=host, port=int(port))


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that begins with https:// (or http://)")
    if parts.query or parts.fragment:
        raise ValueError("must be a base URL, without ? and #")
    return text.rstrip("/")


def _map_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that begins with https:// (or http://)")
    if "{lat}" not in text or "{lon}" not in text:
        raise ValueError("must have {lat} and {lon} where the degrees go")
    if "{" in text.replace("{lat}", "").replace("{lon}", "") or not text.isprintable() or " " in text:
        raise ValueError("must be a URL with no braces but {lat} and {lon}, and without spaces")
    if "{" in parts.netloc:
        raise ValueError("the host cannot depend on the place")
    return text


MapUrl = Annotated[str, AfterValidator(_map_url)]
ListenAddress = Annotated[
    Listener,
    BeforeValidator(_listener),
    WithJsonSchema({"type": "string", "pattern": r"^.+:\d{1,5}$|\$\{", "examples": ["127.0.0.1:8080"]}),
]
BaseUrl = Annotated[str, AfterValidator(_url)]


_SWITCH: TypeAdapter[bool] = TypeAdapter(bool)


def _reactions(value: object) -> object:
    """Of before there was a choice: true and false, in every form in which YAML has them."""
    try:
        return Reactions.NATIVE if _SWITCH.validate_python(value) else Reactions.OFF
    except ValidationError:
        return value


def _renames(value: object) -> object:
    try:
        return Renames.LINE if _SWITCH.validate_python(value) else Renames.OFF
    except ValidationError:
        return value


RenamesSwitch = Annotated[Renames, BeforeValidator(_renames), WithJsonSchema({"enum": [True, False, *Renames]})]
ReactionsSwitch = Annotated[
    Reactions,
    BeforeValidator(_reactions),
    WithJsonSchema({"enum": [True, False, *Reactions]}),
]


class RelaySection(Section):
    """Relay options as they may stand in `defaults`, an account, a route or an end. What is not given comes from the outer
    level."""

    sender: str | None = Field(
        default=None,
        description="How the author is shown: a template of {name} {username} {platform} {account} {chat}. Default: {name}",
    )
    distinct_names: Distinct | None = Field(
        default=None,
        description="Whose clashing names in one chat are told apart, as Anna (2): off, account (users of one account), all. "
        "Default: account",
    )
    edits: bool | None = Field(default=None, description="Relay edits. Default: true")
    deletes: bool | Deletes | None = Field(
        default=None,
        description="Relay deletions: mirror (or true); mark: copies stay, and a line says that the original is gone; "
        "ignore (or false). Default: true",
    )
    reactions: ReactionsSwitch | None = Field(
        default=None,
        description="native: as reactions of the bot, the rest in a line below the message; tally: all in that line; off. "
        "true is native, false is off. Default: native",
    )
    custom_emoji: CustomEmoji | None = Field(
        default=None,
        description="How a message looks that is nothing but one to three custom emoji: name, or picture (like a sticker). "
        "Default: name",
    )
    reactions_names: bool | None = Field(
        default=None, description="Name those who reacted in the line below a message, up to 5 for each emoji. Default: false"
    )
    threads: Threads | None = Field(
        default=None,
        description="Where messages of a thread go that is no end by itself: native (the target's thread of the same conversation, "
        "begun where needed), reply (an answer in the chat), quote (below a quoted line), drop. Default: native",
    )
    poll_votes: bool | None = Field(
        default=None, description="Show with a poll how people vote elsewhere, and that it is closed. Default: true"
    )
    tally_every_s: float | None = Field(
        default=None,
        ge=1,
        le=3600,
        description="Seconds between two changes of the votes that are shown with a poll, of the line about reactions, and of a "
        "place that moves. Default: 10",
    )
    files: bool | None = Field(
        default=None, description="Relay files; if false, each file is shown as a line with name and size. Default: true"
    )
    membership: bool | None = Field(default=None, description="Show who joins and leaves. Default: false")
    renames: RenamesSwitch | None = Field(
        default=None,
        description="When the other chat is renamed: line (or true) tells it; chat: this chat gets the name too, where the bot "
        "may; off (or false). Default: off",
    )
    pins: bool | None = Field(default=None, description="Relay pinned messages. Default: false")
    typing: bool | None = Field(default=None, description="Show that somebody is typing. Default: false")
    statuses: bool | None = Field(default=None, description="Relay presence and status changes. Default: false")
    bots: bool | None = Field(default=None, description="Relay messages of other bots. Default: true")
    previews: bool | None = Field(default=None, description="Let the platform show link previews. Default: true")
    mass_mentions: tuple[str, ...] | None = Field(
        default=None,
        description="People (names from `people`, or native user ids) whose @everyone and @here may ping. Default: nobody",
    )
    max_file_mb: float | None = Field(
        default=None,
        gt=0,
        description="Larger files are not sent into this chat, but shown as a line. Default: the platform's own limit",
    )
    pace: Pace | None = Field(
        default=None,
        description="careful: never faster than the platform allows; fast: as fast as it accepts, waiting when it refuses. "
        "Default: careful",
    )
    merge: bool | None = Field(
        default=None,
        description="While the platform's rates hold messages back, send short texts of one author as one message. Default: true",
    )
    map_url: MapUrl | None = Field(
        default=None,
        description="Where a place leads that is shown as a line: a URL with {lat} and {lon}. Default: www.openstreetmap.org",
    )
    long_text_parts: int | None = Field(
        default=None,
        ge=1,
        le=50,
        description="How many messages a long text may become; a longer one is a file, with its beginning as words. Default: 10",
    )
    unknown: OnUnknown | None = Field(
        default=None,
        description="When nobody can tell whether a message arrived: resend (it may appear twice) or hold (a human decides). "
        "Default: resend",
    )
    hold_s: float | None = Field(
        default=None,
        gt=0,
        le=3600,
        description="Seconds that a new message waits, so that a spam bot can delete it first. Default: none",
    )
    max_age_min: float | None = Field(
        default=None, gt=0, description="Minutes after which a message that could not be sent counts as late. Default: never"
    )
    on_late: OnLate | None = Field(
        default=None,
        description="What becomes of a late message: say (it says when it was written) or drop (a dead letter). Default: say",
    )
    give_up_after_h: float | None = Field(
        default=None,
        gt=0,
        le=24 * 365,
        description="Hours after which an undelivered message becomes a dead letter. Default: 168, for webhooks 75.6",
    )


class ConditionSection(Section):
    """The conditions of a filter line; all that are given must hold."""

    text: str | None = Field(default=None, description="Regular expression searched for in the message's text")
    author: str | None = Field(default=None, description="Regular expression searched for in the author's name and username")
    role: str | tuple[str, ...] | None = Field(
        default=None, description="Roles, one of which the author has: in `people`, or as the platform tells them"
    )
    bot: bool | None = Field(default=None, description="Whether the author is a bot")
    files: bool | None = Field(default=None, description="Whether the message has files")
    kind: str | tuple[str, ...] | None = Field(
        default=None,
        description="What it is: " + ", ".join((*EVENT_KINDS, *CONTENT_KINDS)) + ". A line without it is about messages",
    )
    thread: bool | None = Field(default=None, description="Whether it is in a thread or topic")
    thread_id: str | None = Field(default=None, description="The thread or topic it is in, by its id")
    from_: str | tuple[str, ...] | None = Field(
        default=None, alias="from", description="Only what comes from these accounts or ends of the route"
    )
    to: str | tuple[str, ...] | None = Field(default=None, description="Only what goes to these accounts or ends of the route")


class OnDeadSection(Section):
    """What a route does when a copy of a message failed for good."""

    mark: DeadMark = Field(default=DeadMark.NONE, description="How the message shows it: none, reaction (of the bot), reply")
    notify: str | None = Field(default=None, description="account/chat that is told of it")


class RewriteSection(Section):
    """One replacement in the words of messages."""

    find: str = Field(min_length=1, description="Regular expression searched for in the words, within one formatting")
    replace: str = Field(default="", description=r"What takes its place; \\1 and \\g<name> are what groups found")
    code: bool = Field(default=False, description="Whether code is searched as well")


class TestSection(Section):
    """One of a route's tests: something that happens; `gives` says which ends get it."""

    from_: str | None = Field(default=None, alias="from", description="The end it comes from, if several send")
    kind: Literal[
        "message", "edit", "delete", "reaction", "membership", "rename", "thread", "thread_delete", "pin", "typing", "status"
    ] = Field(default="message", description="What happens")
    text: str = Field(default="", description="What it says")
    author: str = Field(default="Somebody", description="Who does it: a name; of a person in `people`, that person")
    username: str = Field(default="", description="The author's username there")
    role: tuple[str, ...] = Field(default=(), description="Roles that the platform tells of the author")
    bot: bool = Field(default=False, description="Whether the author is a bot")
    files: tuple[AttachmentKind, ...] = Field(default=(), description="The kinds of its files")
    reply: bool = Field(default=False, description="Whether it answers a message")
    thread_id: str | None = Field(default=None, description="The thread or topic it is in")


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError(f"is no address or network, as in 10.0.0.5 or 10.0.0.0/8: {error}") from None
    return text


NetworkText = Annotated[str, AfterValidator(_network)]


class JournalSection(Section):
    path: Path | None = Field(
        default=None,
        description="The journal's file. Relative paths start at this file's folder. Default: messenger-bridge.journal there, "
        "or in the state directory under systemd",
    )
    keep_days: float = Field(
        default=90.0, gt=0, le=36500, description="How long edits, replies and reactions find the copies of a message"
    )


def _convert(value: object) -> object:
    """YAML reads `off` as false."""
    try:
        return "auto" if _SWITCH.validate_python(value) else "off"
    except ValidationError:
        return value


ConvertSwitch = Annotated[
    Literal["auto", "off"], BeforeValidator(_convert), WithJsonSchema({"enum": [True, False, "auto", "off"], "default": "auto"})
]


class MediaSection(Section):
    spool: Path | None = Field(default=None, description="Folder for files in transit. Default: beside the journal")
    spool_mb: float = Field(default=4096.0, ge=1, description="Size limit of that folder; transfers wait while it is full")
    links: bool = Field(
        default=True,
        description="Where web.public is set: a file that a chat cannot take is shown as a link to it, not only as a line",
    )
    avatars: bool = Field(
        default=True,
        description="Where web.public is set: authors without a public picture are shown with theirs, or with initials",
    )
    link_days: float = Field(default=7.0, gt=0, le=365, description="How long such a link opens the file")
    convert: ConvertSwitch = Field(
        default="auto",
        description="auto: stickers, animations and voice messages are converted to what the other chat plays, as far as the "
        "packages of the extra [media] are installed; off (or false): all files cross as they are",
    )


class LogSection(Section):
    format: LogFormat = Field(
        default=LogFormat.AUTO, description="auto: coloured in a terminal, key=value otherwise; keyvalue; json"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="The least severity that is logged")
    content: bool = Field(default=False, description="Whether debug lines of what is relayed have people's words")


class PersonSection(Section):
    relay: bool = Field(default=True, description="Otherwise nothing of the person is relayed, and the person is named nowhere")


class CommandsSection(Section):
    word: str = Field(default="!bridge", min_length=2, max_length=32, pattern=r"^\S+$", description="What a command begins with")
    listen: tuple[str, ...] = Field(
        default=(), description="Where people may give commands: accounts, or single chats as routes write them"
    )
    delete_on: tuple[str, ...] = Field(
        default=(), description="Emoji by which a moderator's reaction deletes a message and all its copies"
    )
    retry_on: tuple[str, ...] = Field(
        default=(), description="Emoji by which a moderator's reaction retries what failed of a message"
    )


class OpsSection(Section):
    chat: str | None = Field(default=None, description="account/chat (or account/chat/thread) that is told what needs a human")
    quiet_min: float = Field(
        default=10.0, ge=0, le=1440, description="Minutes in which what changes again is summed up instead of told each time"
    )
    apprise: SecretStr | None = Field(
        default=None, description="A second way, needs the extra [ops]: URLs of apprise, parted by white space or commas"
    )
    skipped: bool = Field(
        default=False, description="Tell too what filters, mutes, opt-outs and limits of files left out, summed up by rule"
    )


class ShutdownSection(Section):
    drain_s: float = Field(
        default=20.0, ge=0, le=3600, description="Seconds after SIGTERM in which waiting messages are still delivered"
    )

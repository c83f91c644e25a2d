"""What an account can do: derived from its dialect, since that says which operations there are and what they carry. Pure.

Sources: the vendor's overview (there is a REST API, webhooks in both directions, files, statuses), read 2026-11; all else is what
the dialect file states.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from adapters.common.delegating import TITLE_NOTE
from adapters.teamspirit.dialect.variables import variables_of
from bridge.model.capabilities import UNLIMITED, Capabilities, Capability, Feature, Limits, Rates, Support, Window, features
from bridge.model.media import Media

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect

_MEDIA = Media(speaks=("audio/mp4", "audio/mpeg", "audio/mp3", "audio/x-m4a"))
"""Nothing is known of what its clients play: a voice message is made to what every browser plays."""

_MARKDOWN = (
    Feature.BOLD,
    Feature.ITALIC,
    Feature.STRIKE,
    Feature.CODE,
    Feature.CODE_BLOCK,
    Feature.CODE_LANGUAGE,
    Feature.QUOTE,
    Feature.NESTED_QUOTE,
    Feature.LINK,
    Feature.HEADING,
    Feature.LIST,
)
_MARKUP = {"plain": (), "markdown": _MARKDOWN, "html": (*_MARKDOWN, Feature.UNDERLINE)}
_BY_SOCKET = "only while the server's websocket is connected"
_BY_WEBHOOK = "only while outgoing webhooks reach the bridge"


REREAD_WITH_WEBHOOK_S = 60.0
"""Even calls that are redelivered may get lost for good once their server gives up."""
HEALTH_CHECK_S = 60.0
"""How often the server is asked who we are while it says nothing by itself."""


def capabilities(options: TeamSpiritOptions | None) -> Capabilities:
    """What an account with these options can do, before it is connected."""
    if options is None:
        from adapters.teamspirit.config import TeamSpiritOptions

        options = TeamSpiritOptions.model_validate({})
    return capabilities_of(options.read_dialect, options)


def capabilities_of(dialect: Dialect, options: TeamSpiritOptions) -> Capabilities:
    table: dict[Feature, Capability | Support] = dict.fromkeys(_MARKUP[dialect.text.flavour], Support.FULL)
    shows_tables = dialect.text.flavour == "markdown" and dialect.text.tables
    table[Feature.TABLE] = Support.FULL if shows_tables else Capability(Support.CONVERTED, "columns of text")
    if dialect.text.mention is not None:
        table[Feature.MENTION] = Capability(Support.PARTIAL, "by username; people are matched in bridge.yaml")
    table.update(_operations(dialect))
    table.update(_message(dialect, names=shows_names(dialect, options)))
    table.update(_seen(dialect))
    return Capabilities(features=features(table), limits=_limits(dialect, options), rates=_rates(dialect), media=_MEDIA)


def shows_names(dialect: Dialect, options: TeamSpiritOptions) -> bool:
    """Whether messages are posted under their authors' names. Where the server's admin must allow it and the answer does not tell
    whether that is so, somebody has to say it: otherwise nobody would see whose message it is."""
    call = dialect.operations.send or dialect.operations.webhook_send
    if call is None or not variables_of(call) & {"message.sender", "message.sender.name"}:
        return False
    return not call.names_if_allowed if options.sender_names is None else options.sender_names


def takes_files(dialect: Dialect) -> bool:
    return dialect.operations.upload is not None and bool(
        variables_of(dialect.operations.send) & {"message.files", "message.uploads"}
    )


def can_reconcile(dialect: Dialect) -> bool:
    """Whether a message of an unknown outcome can be found again: its mark is written with it and read back from the history."""
    operations = dialect.operations
    return (
        operations.history is not None
        and dialect.message_fields.client_id is not None
        and "message.client_id" in variables_of(operations.send)
    )


def _operations(dialect: Dialect) -> Iterator[tuple[Feature, Capability | Support]]:
    operations = dialect.operations
    for feature, there in (
        (Feature.EDIT, operations.edit),
        (Feature.DELETE, operations.delete),
        (Feature.REACT, operations.react),
        (Feature.TYPING, operations.typing),
        (Feature.STATUS, operations.set_status),
        (Feature.HISTORY, operations.history),
    ):
        if there is not None:
            yield feature, Support.FULL
    if operations.react is not None and "reaction.name" in variables_of(operations.react):
        yield Feature.REACT, Capability(Support.PARTIAL, "emoji that have a short name")
    if names_threads_by_first_message(dialect):
        yield Feature.THREAD_TITLE, Capability(Support.CONVERTED, TITLE_NOTE)
        if operations.edit is not None:
            yield Feature.RENAME_THREAD, Capability(Support.PARTIAL, "the message with the title, where the bridge posted one")
        yield Feature.CLOSE_THREAD, Capability(Support.CONVERTED, "a line in the thread: threads do not close")
        yield Feature.DELETE_THREAD, Capability(Support.CONVERTED, "a line in the thread; copies are deleted one by one")
    if can_reconcile(dialect):
        yield Feature.RECONCILE, Support.FULL


def _message(dialect: Dialect, *, names: bool) -> Iterator[tuple[Feature, Capability | Support]]:
    read = variables_of(dialect.operations.send or dialect.operations.webhook_send)
    if read & {"message.reply_thread", "message.root"}:
        yield Feature.REPLY, Capability(Support.PARTIAL, "as an answer in the message's thread")
    elif "message.reply_to" in read:
        yield Feature.REPLY, Support.FULL
    else:
        yield Feature.REPLY, Capability(Support.CONVERTED, "a quoted line")
    if read & {"message.thread", "message.root"}:
        yield Feature.THREAD, Support.FULL
    if names:
        yield Feature.SENDER_NAME, Support.FULL
        if read & {"message.sender", "message.sender.avatar_url"}:
            yield Feature.SENDER_AVATAR, Support.FULL
    else:
        yield Feature.SENDER_NAME, Capability(Support.CONVERTED, "a bold line in the text")
    if takes_files(dialect):
        for feature in (Feature.PHOTO, Feature.VIDEO, Feature.AUDIO, Feature.DOCUMENT):
            yield feature, Support.FULL
        yield Feature.VOICE, Capability(Support.CONVERTED, "an audio file")
        yield Feature.ANIMATION, Capability(Support.CONVERTED, "a video or picture file")
        yield Feature.STICKER, Capability(Support.CONVERTED, "a picture, or a file")
        if dialect.limits.files_per_message > 1:
            yield Feature.ALBUM, Support.FULL
    else:
        for feature in (Feature.PHOTO, Feature.VIDEO, Feature.AUDIO, Feature.VOICE, Feature.DOCUMENT, Feature.ANIMATION):
            yield feature, Capability(Support.CONVERTED, "a link, or a line with name and size")
    yield Feature.POLL, Capability(Support.CONVERTED, "lines of text")
    for feature, name in ((Feature.LOCATION, "location"), (Feature.CONTACT, "contact")):
        yield feature, Support.FULL if _writes(dialect, name) else Capability(Support.CONVERTED, "lines of text")


def _writes(dialect: Dialect, name: str) -> bool:
    """Whether a message can be posted with it, and its change too."""
    operations = dialect.operations
    read = [variables_of(operations.send or operations.webhook_send)]
    if operations.edit is not None:
        read.append(variables_of(operations.edit))
    return all(any(variable.startswith(f"message.{name}") for variable in variables) for variables in read)


def deaf_after_s(options: TeamSpiritOptions) -> float | None:
    """Chats are read, or the server is asked who we are, at least every minute; a dialect with neither says nothing by silence."""
    operations = options.read_dialect.operations
    if operations.history is None and operations.me is None:
        return None
    return 3 * max(HEALTH_CHECK_S, REREAD_WITH_WEBHOOK_S, options.poll_idle_interval_s) + options.request_timeout_s


def shows_health(options: TeamSpiritOptions) -> bool:
    return options.show_health


def _seen(dialect: Dialect) -> Iterator[tuple[Feature, Capability | Support]]:
    history = dialect.operations.history
    by_socket = dialect.websocket.events if dialect.websocket else {}
    events = {**(dialect.inbound.events if dialect.inbound else {}), **by_socket}
    for feature, kind, readable in (
        (Feature.SEES_EDITS, "edited", history is not None),
        (Feature.SEES_DELETES, "deleted", history is not None and history.deletes != "unseen"),
    ):
        if readable:
            whole = history is not None and history.by == "since"
            yield feature, Support.FULL if whole else Capability(Support.PARTIAL, "of the latest messages where history is read")
        elif kind in events:
            yield feature, Capability(Support.PARTIAL, _BY_SOCKET if kind in by_socket else _BY_WEBHOOK)
    for feature, kind in ((Feature.SEES_REACTIONS, "reaction_added"), (Feature.SEES_MEMBERSHIP, "member_joined")):
        if kind in events:
            yield feature, Capability(Support.PARTIAL, _BY_SOCKET if kind in by_socket else _BY_WEBHOOK)


def _rates(dialect: Dialect) -> Rates:
    most = dialect.limits.messages_per_minute
    if most is None:
        return UNLIMITED
    return Rates(per_chat=(Window(messages=most, span_s=60.0, burst=max(1, most // 4)),))


def _limits(dialect: Dialect, options: TeamSpiritOptions) -> Limits:
    stated = dialect.limits
    upload_bytes = stated.upload_bytes if options.max_upload_mb is None else int(options.max_upload_mb * 1_000_000)
    return Limits(
        text_length=stated.text_length,
        caption_length=stated.text_length if stated.caption_length is None else stated.caption_length,
        attachments_per_message=stated.files_per_message,
        upload_bytes=upload_bytes if takes_files(dialect) else 0,
        sender_name_length=stated.sender_name_length,
    )


def names_threads_by_first_message(dialect: Dialect) -> bool:
    """Whether any message can begin a thread, which has that message's id: the dialect sends a thread, and knows how the server
    refuses what is none."""
    sent = variables_of(dialect.operations.send or dialect.operations.webhook_send)
    return bool(sent & {"message.thread", "message.root"}) and bool(dialect.errors.thread_codes)

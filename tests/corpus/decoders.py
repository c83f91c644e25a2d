"""Each platform's own decoder on a payload of the corpus, without a server: for `test_hostile`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity as DiscordIdentity
from adapters.discord.inbound.decode import decode as decode_discord
from adapters.discord.inbound.decode_context import Context as DiscordContext
from adapters.discord.lenient import UNREADABLE
from adapters.registry import load_platform
from adapters.slack.identity import Identity as SlackIdentity
from adapters.slack.inbound.decode import decode_event
from adapters.slack.inbound.decode_context import Context as SlackContext
from adapters.slack.lenient import Undecodable as SlackUndecodable
from adapters.slack.names import Names
from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.inbound.decode import Decoder as DialectDecoder
from adapters.teamspirit.wire import Undecodable as DialectUndecodable
from adapters.telegram.inbound.decode import Decoder as TelegramDecoder
from adapters.telegram.inbound.decoded import AlbumItem
from adapters.telegram.inbound.decoded import Undecodable as TelegramUndecodable
from adapters.webhook.config import EndOptions
from adapters.webhook.inbound.body import Body, Kind
from adapters.webhook.inbound.decode import decode as decode_webhook
from adapters.webhook.inbound.received import Received, Said
from adapters.webhook.inbound.refusal import Refusal
from bridge.model.events import Author, ChatEvent, Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatRef

Json = dict[str, Any]

NOW = datetime(2026, 11, 26, 5, 7, 23, tzinfo=UTC)
ACCOUNT = AccountName("origin")
_KIM, _ANNA = Author(user_id="U0PERSON01", name="Kim Lee"), Author(user_id="U0PERSON02", name="Anna Petrova")


class Refused(Exception):
    """The payload is kept as one that is not understood: the only error there may be."""


def decoded(origin: str, payload: Json) -> list[ChatEvent]:
    """The events of a payload; none for one that is left out. Raises Refused."""
    return [event for event in _DECODERS[origin](payload) if not isinstance(event, str)]


def _telegram(update: Json) -> Sequence[Any]:
    decoder = TelegramDecoder(account=ACCOUNT, bot_id="999")
    try:
        found = decoder.update({"update_id": 1, **update}, NOW)
        albums = [decoder.album([item.message], NOW) for item in found if isinstance(item, AlbumItem)]
    except TelegramUndecodable as error:
        raise Refused(str(error)) from None
    return [*albums, *(item for item in found if hasattr(item, "meta"))]


def _slack(event: Json) -> Sequence[Any]:
    names = Names(users={author.user_id: author for author in (_KIM, _ANNA)}, channels={"C0000000001": "lobby"})
    context = SlackContext(SlackIdentity(ACCOUNT, bot_id="B0", user_id="U0", app_id="A0"), names, NOW)
    try:
        found = decode_event(json.dumps(event).encode(), context)
    except SlackUndecodable as error:
        raise Refused(error.reason) from None
    return [found] if hasattr(found, "meta") else []


def _discord(dispatch: Json) -> Sequence[Any]:
    if "op" in dispatch:
        return []
    guilds = GuildCache()
    channels = [{"id": "100000000000000001", "type": 0, "name": "lobby"}]
    guilds.apply("GUILD_CREATE", {"id": "100000000000000003", "name": "G", "roles": [], "channels": channels, "threads": []}, "1")
    context = DiscordContext(DiscordIdentity(ACCOUNT, "1", "2"), cdn_url="https://cdn.example", guilds=guilds)
    try:
        found = decode_discord(dispatch["t"], dispatch["d"], context, position="s-1")
    except UNREADABLE as error:
        raise Refused(type(error).__name__) from None
    return found if isinstance(found, list) else []


@cache
def _dialect(name: str, *, by_socket: bool = False) -> DialectDecoder:
    dialect = load_dialect(name).dialect
    assert dialect is not None
    told_by = dialect.websocket if by_socket else None
    return DialectDecoder(dialect, ACCOUNT, is_own=lambda *_: False, chat_id=lambda native, _: native, told_by=told_by)


def _by_dialect(name: str) -> Callable[[Json], Sequence[Any]]:
    def decode(call: Json) -> Sequence[Any]:
        try:
            found = _dialect(name).event(call, NOW)
        except (DialectUndecodable, RecursionError) as error:
            raise Refused(str(error)) from None
        return [found] if hasattr(found, "meta") else []

    return decode


def _mattermost(told: Json) -> Sequence[Any]:
    try:
        if "event" in told:
            by_socket = _dialect("mattermost", by_socket=True)
            found = by_socket.event(told, NOW) if by_socket.is_event(told) else None
            return [found] if hasattr(found, "meta") else []
        decoder = _dialect("mattermost")
        message = decoder.message(told, "channel-0001")
    except (DialectUndecodable, RecursionError) as error:
        raise Refused(str(error)) from None
    return [] if message.system or message.deleted else [decoder.created(message, NOW)]


def _rocketchat(told: Json) -> Sequence[Any]:
    if "_id" not in told:
        return _by_dialect("rocketchat")(told)
    decoder = _dialect("rocketchat")
    try:
        message = decoder.message(told, "GENERAL")
    except (DialectUndecodable, RecursionError) as error:
        raise Refused(str(error)) from None
    if message.system:
        return [event] if (event := decoder.notice(message, NOW)) is not None else []
    return [] if message.deleted else [decoder.created(message, NOW)]


def _webhook(request: Json) -> Sequence[Any]:
    if "json" not in request:
        return []
    received = Received(body=Body(kind=Kind.JSON, data=request["json"]), headers=_lower(request.get("headers", {})))
    try:
        found = decode_webhook(received, "alerts", EndOptions(), _post)
    except Refusal as error:
        raise Refused(str(error)) from None
    if not isinstance(found, Said):
        return []
    author = Author(user_id="x", name=found.author or "x")  # a name is all that a sender says of an author
    meta = EventMeta(event_key="k", origin=ChatRef(ACCOUNT, "alerts"), occurred_at=NOW, received_at=NOW, author=author)
    return [MessageCreated(meta=meta, message_id="1", content=found.content)]


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _post(platform: str, payload: Any) -> Content | None:
    return load_platform(platform).decode_post(payload)


_DECODERS: dict[str, Callable[[Json], Sequence[Any]]] = {
    "telegram": _telegram,
    "slack": _slack,
    "discord": _discord,
    "mattermost": _mattermost,
    "teamspirit": _by_dialect("teamspirit"),
    "pachca": _by_dialect("pachca"),
    "rocketchat": _rocketchat,
    "webhook": _webhook,
}

"""What `check --online` asks Slack: identity, scopes, Socket Mode, and per channel membership; and what to click when something is
missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from adapters.slack.enums import Events
from adapters.slack.inbound.connections import Connections, Readers
from adapters.slack.inbound.socket_mode import who_reads
from adapters.slack.lenient import convert
from adapters.slack.transport import Transport
from adapters.slack.wire import Channel
from bridge.model.adapter import ProbeItem
from bridge.model.errors import AccountDown, BridgeError, ChatDown, ConnectionLost, OutcomeUnknown, RetryLater

if TYPE_CHECKING:
    from adapters.slack.config import SlackOptions

NEEDED_SCOPES: dict[str, str] = {
    "chat:write": "posting",
    "channels:read": "finding public channels",
    "channels:history": "reading public channels and catching up",
    "users:read": "people's names",
    "files:read": "files from Slack",
    "files:write": "files to Slack",
    "reactions:read": "reactions from Slack",
    "reactions:write": "reactions to Slack",
}
"""Without these something fails; what each is for."""

PERSONA_SCOPES: dict[str, str] = {
    "chat:write.customize": "posting under the author's name and picture (or set personas: false)",
}
"""With `personas: true` every message looks other than the configuration says without it."""

USEFUL_SCOPES: dict[str, str] = {
    "groups:read": "finding private channels",
    "groups:history": "reading private channels",
    "metadata.message:read": "recognising our own messages after an interruption",
    "pins:read": "pins from Slack",
    "pins:write": "pins to Slack",
    "usergroups:read": "names of user groups",
}


async def probe(
    transport: Transport, options: SlackOptions, connections: Connections, chat_ids: Sequence[str]
) -> Sequence[ProbeItem]:
    """Failures are items, never exceptions."""
    try:
        answer, scopes = await transport.scopes()
    except BridgeError as error:
        return [_failed("bot token", error)]
    items = [ProbeItem(name="bot token", ok=True, detail=f"{answer.get('user')} in {answer.get('team')}")]
    items += _scope_items(scopes, with_personas=options.personas)
    items += await _events_items(transport, options, connections)
    items += [await channel_item(transport, chat_id) for chat_id in chat_ids]
    return items


def _scope_items(scopes: frozenset[str], *, with_personas: bool) -> list[ProbeItem]:
    if not scopes:
        return [ProbeItem(name="scopes", ok=True, detail="Slack did not tell them")]
    items = [_scope_item(scope, scope in scopes, purpose) for scope, purpose in NEEDED_SCOPES.items()]
    if with_personas:
        items += [_scope_item(scope, scope in scopes, purpose) for scope, purpose in PERSONA_SCOPES.items()]
    items += [
        ProbeItem(name=f"scope {scope}", ok=True, detail=f"missing: no {purpose}; to have it, {_how_to_add(scope)}")
        for scope, purpose in USEFUL_SCOPES.items()
        if scope not in scopes
    ]
    return items


def _scope_item(scope: str, is_there: bool, purpose: str) -> ProbeItem:
    if is_there:
        return ProbeItem(name=f"scope {scope}", ok=True, detail=purpose)
    return ProbeItem(name=f"scope {scope}", ok=False, detail=f"{scope} is missing, for {purpose}", action=_how_to_add(scope))


def _how_to_add(scope: str) -> str:
    return f"add {scope} under OAuth & Permissions > Bot Token Scopes and reinstall the app"


async def _events_items(transport: Transport, options: SlackOptions, connections: Connections) -> list[ProbeItem]:
    if options.events is Events.HTTP:
        return [ProbeItem(name="events", ok=True, detail="by HTTP; Slack itself shows whether the request URL is verified")]
    try:
        readers = await who_reads(transport, connections)
    except BridgeError as error:
        return [_failed("Socket Mode", error)]
    return [ProbeItem(name="Socket Mode", ok=True), _readers_item(readers)]


def _readers_item(readers: Readers) -> ProbeItem:
    """The check runs beside the bridge as a rule, whose connection is another program's for it: one is no fault."""
    name, detail = "readers of the app", str(readers)
    if readers.strangers > 1:
        action = "stop the other programs, or give each its own Slack app: each event goes to only one of them"
        return ProbeItem(name=name, ok=False, detail=detail, action=action)
    if readers.strangers:
        detail += "; the other one is the running bridge, or another program that takes half of the events"
    return ProbeItem(name=name, ok=True, detail=detail)


async def channel_item(transport: Transport, chat_id: str) -> ProbeItem:
    try:
        answer = await transport.call("conversations.info", {"channel": chat_id})
        channel = convert(answer.get("channel"), Channel)
    except msgspec.ValidationError:
        return ProbeItem(name=f"channel {chat_id}", ok=False, detail="Slack's answer was not understood", chat_id=chat_id)
    except BridgeError as error:
        return _failed(f"channel {chat_id}", error, chat_id)
    name = f"#{channel.name}" if channel.name else f"channel {chat_id}"
    if channel.is_archived:
        return ProbeItem(name=name, ok=False, detail="archived", action="unarchive the channel", chat_id=chat_id, dead=True)
    if not channel.is_member:
        action = f"invite the bot: /invite in {name}"
        return ProbeItem(name=name, ok=False, detail="the bot is not a member", action=action, chat_id=chat_id, dead=True)
    return ProbeItem(name=name, ok=True, detail="member", chat_id=chat_id)


def _failed(name: str, error: BridgeError, chat_id: str = "") -> ProbeItem:
    """Slack could not be asked, or refused. Only a refusal means that something is wrong."""
    action = error.action if isinstance(error, AccountDown | ChatDown) else ""
    passing = isinstance(error, RetryLater | OutcomeUnknown | ConnectionLost)
    dead = isinstance(error, ChatDown)
    return ProbeItem(name=name, ok=False, detail=error.reason, action=action, chat_id=chat_id, temporary=passing, dead=dead)

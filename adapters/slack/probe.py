"""What `check --online` asks Slack: identity, scopes, Socket Mode, and per channel membership; and what to click when one lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from adapters.slack.choices import Events
from adapters.slack.lenient import convert
from adapters.slack.payloads import Channel
from adapters.slack.transport import Transport
from bridge.contract import ProbeItem
from bridge.errors import AccountDown, BridgeError, ChatDown

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

USEFUL_SCOPES: dict[str, str] = {
    "chat:write.customize": "posting under the author's name and picture",
    "groups:read": "finding private channels",
    "groups:history": "reading private channels",
    "metadata.message:read": "recognising our own messages after an interruption",
    "pins:read": "pins from Slack",
    "pins:write": "pins to Slack",
}

_ADD_SCOPE = "add it under OAuth & Permissions > Bot Token Scopes and reinstall the app"


async def probe(transport: Transport, options: SlackOptions, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
    """Failures are items, never exceptions."""
    try:
        answer, scopes = await transport.scopes()
    except BridgeError as error:
        return [ProbeItem(name="bot token", ok=False, detail=error.reason, action=_action(error))]
    items = [ProbeItem(name="bot token", ok=True, detail=f"{answer.get('user')} in {answer.get('team')}")]
    items += _scope_items(scopes)
    items.append(await _events_item(transport, options))
    items += [await _channel_item(transport, chat_id) for chat_id in chat_ids]
    return items


def _scope_items(scopes: frozenset[str]) -> list[ProbeItem]:
    if not scopes:
        return [ProbeItem(name="scopes", ok=True, detail="Slack did not tell them")]
    items = [
        ProbeItem(name=f"scope {scope}", ok=scope in scopes, detail=purpose, action="" if scope in scopes else _ADD_SCOPE)
        for scope, purpose in NEEDED_SCOPES.items()
    ]
    items += [
        ProbeItem(name=f"scope {scope}", ok=True, detail=f"missing: no {purpose}; to have it, {_ADD_SCOPE}")
        for scope, purpose in USEFUL_SCOPES.items()
        if scope not in scopes
    ]
    return items


async def _events_item(transport: Transport, options: SlackOptions) -> ProbeItem:
    if options.events is Events.HTTP:
        return ProbeItem(name="events", ok=True, detail="by HTTP; Slack itself shows whether the request URL is verified")
    try:
        await transport.call("apps.connections.open", as_app=True)
    except BridgeError as error:
        action = "create an app-level token with connections:write, and switch Socket Mode on" if _action(error) else ""
        return ProbeItem(name="Socket Mode", ok=False, detail=error.reason, action=action)
    return ProbeItem(name="Socket Mode", ok=True)


async def _channel_item(transport: Transport, chat_id: str) -> ProbeItem:
    try:
        answer = await transport.call("conversations.info", {"channel": chat_id})
        channel = convert(answer.get("channel"), Channel)
    except msgspec.ValidationError:
        return ProbeItem(name=f"channel {chat_id}", ok=False, detail="Slack's answer was not understood", chat_id=chat_id)
    except BridgeError as error:
        return ProbeItem(name=f"channel {chat_id}", ok=False, detail=error.reason, action=_action(error), chat_id=chat_id)
    name = f"#{channel.name}" if channel.name else f"channel {chat_id}"
    if channel.is_archived:
        return ProbeItem(name=name, ok=False, detail="archived", action="unarchive the channel", chat_id=chat_id)
    if not channel.is_member:
        action = f"invite the bot: /invite in {name}"
        return ProbeItem(name=name, ok=False, detail="the bot is not a member", action=action, chat_id=chat_id)
    return ProbeItem(name=name, ok=True, detail="member", chat_id=chat_id)


def _action(error: BridgeError) -> str:
    return error.action if isinstance(error, AccountDown | ChatDown) else ""

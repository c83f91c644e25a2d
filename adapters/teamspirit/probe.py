"""What `messenger-bridge check --online` asks of a teamspirit account: who we are, which chats, what the dialect rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adapters.common.platform_time import DATE_ERROR
from adapters.teamspirit.client import Client
from adapters.teamspirit.dialect.without_key import only_sends
from adapters.teamspirit.directory import Directory
from adapters.teamspirit.errors import CHECK_HISTORY, CHECK_SERVER, USE_ID, is_temporary
from bridge.model.adapter import ProbeItem
from bridge.model.errors import AccountDown, BridgeError, ChatDown
from bridge.model.refs import AccountName
from bridge.model.web_mount import WebMount

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect


async def probe(
    dialect: Dialect,
    options: TeamSpiritOptions,
    client: Client,
    directory: Directory,
    web: WebMount,
    account: AccountName,
    chat_ids: Sequence[str],
) -> list[ProbeItem]:
    """One item for each thing asked; failures are items, never exceptions."""
    items = [
        ProbeItem(
            name="dialect",
            ok=True,
            detail=f"{dialect.dialect}, {'ASSUMED: not verified' if dialect.verified == 'assumed' else dialect.verified}",
        ),
        await _identity(dialect, client),
    ]
    if items[-1].ok:
        for chat_id in chat_ids:
            items.append(await look_at(dialect, directory, chat_id))
    items.append(_receiving(dialect, options, web, account))
    return items


async def _identity(dialect: Dialect, client: Client) -> ProbeItem:
    if dialect.operations.me is None:
        return ProbeItem(name="identity", ok=True, detail="the dialect cannot ask who we are")
    try:
        me_id = await client.identify()
    except AccountDown as error:
        return ProbeItem(name="identity", ok=False, detail=error.reason, action=error.action)
    except BridgeError as error:
        return _failed("identity", error, CHECK_SERVER)
    return ProbeItem(name="identity", ok=True, detail=f"user {me_id}{_clock(client)}")


def _clock(client: Client) -> str:
    ahead_s = client.time.local_ahead_s
    if abs(ahead_s) < DATE_ERROR.total_seconds():
        return ""
    return f"; this machine's clock is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} the server's, whose counts"


async def look_at(dialect: Dialect, directory: Directory, chat_id: str) -> ProbeItem:
    """Whether the chat is there and its history can be read; writing cannot be tried without writing."""
    name = f"chat {chat_id}"
    try:
        resolved = await directory.resolve(chat_id)
        if dialect.operations.history is not None:
            await directory.page(resolved, "", None)
    except (ChatDown, AccountDown) as error:
        if dialect.operations.chats is None and isinstance(error, ChatDown) and dialect.operations.send is not None:
            reason = f"{error.reason}; the dialect {dialect.dialect} cannot look up names of chats"
            return ProbeItem(name=name, ok=False, detail=reason, action=USE_ID, chat_id=chat_id)
        dead = isinstance(error, ChatDown)
        return ProbeItem(name=name, ok=False, detail=error.reason, action=error.action, chat_id=chat_id, dead=dead)
    except BridgeError as error:
        return _failed(name, error, CHECK_HISTORY, chat_id)
    can = "can be read" if dialect.operations.history is not None else "known"
    return ProbeItem(name=name, ok=True, detail=can, chat_id=chat_id)


def _failed(name: str, error: BridgeError, action: str, chat_id: str = "") -> ProbeItem:
    temporary = is_temporary(error)
    return ProbeItem(
        name=name, ok=False, detail=error.reason, action="" if temporary else action, chat_id=chat_id, temporary=temporary
    )


def _receiving(dialect: Dialect, options: TeamSpiritOptions, web: WebMount, account: AccountName) -> ProbeItem:
    """How messages will reach us, and for a webhook set up by hand the URL to enter in the messenger."""
    name, operations = "receiving", dialect.operations
    if only_sends(options, dialect):
        detail = "nothing: without an API key and an outgoing webhook (webhook in bridge.yaml), messages only go there"
        return ProbeItem(name=name, ok=True, detail=detail)
    wants_webhook = dialect.inbound is not None and options.receive != "history"
    if dialect.websocket is not None and options.receive == "auto" and options.webhook is None:
        return ProbeItem(
            name=name, ok=True, detail="by the server's websocket" + ", and the history" * (operations.history is not None)
        )
    if not web.public_url:
        if operations.history is not None and options.receive != "webhook":
            return ProbeItem(name=name, ok=True, detail=f"by reading the history every {options.poll_interval_s:g} s or slower")
        return ProbeItem(name=name, ok=False, detail="the bridge has no public URL", action="set web.public in bridge.yaml")
    if wants_webhook and options.webhook is not None:
        url = f"{web.public_url}/hooks/{account}/{options.webhook.path.get_secret_value()}"
        return ProbeItem(name=name, ok=True, detail=f"by an outgoing webhook that calls {url}")
    if wants_webhook and operations.register_webhook is not None:
        return ProbeItem(name=name, ok=True, detail="by an outgoing webhook that the bridge registers")
    if operations.history is not None:
        return ProbeItem(name=name, ok=True, detail=f"by reading the history every {options.poll_interval_s:g} s or slower")
    action = "set one up in the messenger, and webhook in bridge.yaml"
    return ProbeItem(name=name, ok=False, detail="no outgoing webhook is set up", action=action)

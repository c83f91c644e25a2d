"""What is left of a dialect for an account that has no API key, but incoming webhooks: it posts by them, and hears of others'
messages by an outgoing webhook alone. Pure; used by `config`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect


def is_without_key(options: TeamSpiritOptions, dialect: Dialect) -> bool:
    """Whether the account does without the key that the dialect asks for."""
    return (
        "api_key" in dialect.needs
        and options.api_key is None
        and dialect.operations.webhook_send is not None
        and (options.incoming_webhook is not None or any(chat.incoming_webhook for chat in options.chats.values()))
        and (options.webhook is None or knows_its_own(dialect))
    )


def knows_its_own(dialect: Dialect) -> bool:
    """Whether what was posted by an incoming webhook can be told from what others say."""
    call = dialect.operations.webhook_send
    return call is not None and (call.answer.id is not None or not call.told_back)


def only_sends(options: TeamSpiritOptions, dialect: Dialect) -> bool:
    """Whether nothing of what is said on the server can arrive, and nothing was said of wanting it to."""
    return is_without_key(options, dialect) and options.webhook is None and options.receive == "auto"


def without_key(dialect: Dialect) -> Dialect:
    """The dialect without the calls, frames and histories that need the key."""
    from adapters.teamspirit.dialect.calls import Operations  # the daemon reads no dialects

    operations = Operations(webhook_send=dialect.operations.webhook_send)
    return dialect.model_copy(update={"operations": operations, "websocket": None})

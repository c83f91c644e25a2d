"""Reactions and pins of the bot on messages of the bridge. Called by `adapter`."""

from __future__ import annotations

from adapters.slack.emoji_names import to_name
from adapters.slack.errors import SUCCESS
from adapters.slack.transport import Transport
from bridge.model.adapter import Copy, OutboundReaction
from bridge.model.errors import Rejected


async def react(transport: Transport, outbound: OutboundReaction) -> None:
    """See `bridge.model.adapter.Reacts`. All changes are tried; raises Rejected with the reasons of those that were refused."""
    failures: list[str] = []
    for method, changed in (("reactions.add", outbound.added), ("reactions.remove", outbound.removed)):
        for emoji in changed:
            name = to_name(emoji) or emoji.strip(":")
            arguments = {"channel": outbound.copy.chat_id, "timestamp": outbound.copy.message_ids[0], "name": name}
            try:
                await transport.call(method, arguments, tolerate=SUCCESS)
            except Rejected as error:
                failures.append(error.reason)
    if failures:
        raise Rejected("; ".join(failures))


async def pin(transport: Transport, copy: Copy, pinned: bool) -> None:
    """See `bridge.model.adapter.Pins`."""
    arguments = {"channel": copy.chat_id, "timestamp": copy.message_ids[0]}
    await transport.call("pins.add" if pinned else "pins.remove", arguments, tolerate=SUCCESS)

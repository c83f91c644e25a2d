"""Messages that one member of a channel sees alone. Called by `adapter`.

Source: docs.slack.dev, chat.postEphemeral: needs chat:write; the person must be in the channel, and active in Slack; the message is
not kept, cannot be changed, and comes with no event. In a thread it is shown only if the thread has begun already."""

from __future__ import annotations

from adapters.common.http_errors import Effect
from adapters.slack.outbound.encode import message_blocks
from adapters.slack.outbound.encode_text import fallback_text, plain_text
from adapters.slack.transport import Transport
from bridge.model.rich_text import RichText

_BLOCK_ID = "whisper"
_LONGEST = 4000
_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})


async def whisper(transport: Transport, chat_id: str, user_id: str, text: RichText, thread_id: str | None) -> None:
    """See `bridge.model.abilities.Whispers`."""
    arguments = {"channel": chat_id, "user": user_id, "parse": "none", **({"thread_ts": thread_id} if thread_id else {})}
    formed = {"text": fallback_text(text) or " ", "blocks": message_blocks(text, _BLOCK_ID)}
    answer = await transport.call("chat.postEphemeral", arguments | formed, effect=Effect.IDEMPOTENT, tolerate=_REFUSED)
    if not answer.get("ok"):
        await transport.call(
            "chat.postEphemeral", arguments | {"text": plain_text(text, _LONGEST) or " "}, effect=Effect.IDEMPOTENT
        )

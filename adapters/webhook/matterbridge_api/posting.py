"""Takes what programs post by matterbridge's API: by a request, or in a websocket."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from adapters.webhook.inbound.body import Body, Kind
from adapters.webhook.inbound.downloads import Downloads
from adapters.webhook.inbound.events_of import Job
from adapters.webhook.inbound.multipart import MOST_FILES, attachment_of
from adapters.webhook.inbound.received import Nothing, cleaned
from adapters.webhook.inbound.receiver import Receiver
from adapters.webhook.inbound.refusal import Refusal
from adapters.webhook.matterbridge_api import message
from adapters.webhook.matterbridge_api.posted import PostedFile, decode_posted, text_field
from adapters.webhook.matterbridge_api.sending import gateway_of
from bridge.model.events import Attachment
from bridge.model.platform import AdapterContext
from bridge.model.web_mount import EVERY_CHAT, KeyGrant

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions


_MOST_KEPT = 20_000


class Posting:
    """Of one account."""

    def __init__(self, context: AdapterContext, receiver: Receiver, downloads: Downloads) -> None:
        self._context = context
        self._options: WebhookOptions = context.options
        self._receiver = receiver
        self._downloads = downloads

    def ends_of(self, grant: KeyGrant) -> list[str]:
        """The ends that the key is for and that are there."""
        return [name for name in self._options.ends if grant.chat in (name, EVERY_CHAT)]

    async def take(self, data: Any, grant: KeyGrant, request_id: str = "") -> dict[str, Any]:
        """The message as matterbridge answers it, once it is on disk. Raises Refusal, and Busy."""
        if not isinstance(data, dict):
            raise Refusal(400, 'a message is a JSON object: {"text": "...", "username": "...", "gateway": "..."}')
        end = self._end_of(data, self.ends_of(grant))
        posted = decode_posted(data, self._context.decode_post)
        if isinstance(posted, Nothing):
            self._receiver.ignored(posted.reason)
            return self._answer(data, end, "")
        said, given = posted
        files = await self._files(given)
        job = Job(
            end=end,
            said=cleaned(replace(said, content=replace(said.content, attachments=files))),
            label=self._options.ends[end].author or grant.label,
            at=self._context.clock.now(),
            request_id=f"{grant.key_id} {request_id}" if request_id and not grant.is_replay else "",
        )
        return self._answer(data, end, await self._receiver.take(job))

    def ignored(self, reason: str) -> None:
        """Count what is understood and is not to be taken."""
        self._receiver.ignored(reason)

    async def keep(self, end: str, raw: Any, why: str) -> None:
        """Keep what was not understood, or cannot be taken any more, where nobody can be told. Raises StoreDown."""
        await self._receiver.keep(end, Body(kind=Kind.TEXT, text=str(raw)[:_MOST_KEPT]), why)

    def _end_of(self, data: dict[str, Any], ends: Sequence[str]) -> str:
        """Raises Refusal."""
        wanted = text_field(data, "gateway").strip()
        found = {gateway_of(name, self._options.ends[name]): name for name in ends}
        if wanted in found:
            return found[wanted]
        if not wanted and len(ends) == 1:
            return ends[0]
        names = ", ".join(found) or "none"
        if wanted:
            raise Refusal(400, f"there is no gateway {wanted[:100]!r} for this key; there is: {names}")
        raise Refusal(400, f"gateway is missing; for this key there is: {names}")

    async def _files(self, given: Sequence[PostedFile]) -> tuple[Attachment, ...]:
        """Raises Refusal."""
        if len(given) > MOST_FILES:
            raise Refusal(413, f"a message has {MOST_FILES} files at most")
        taken: list[Attachment] = []
        try:
            for number, file in enumerate(given):
                content = await asyncio.to_thread(_decoded, file.data, number)
                async with self._downloads.receiving() as incoming:
                    await incoming.write(content)
                    await incoming.done()
                    taken.append(attachment_of(incoming.file_id, file.name, "", incoming.size_bytes))
        except BaseException:
            await asyncio.shield(self._downloads.forget(tuple(taken)))
            raise
        return tuple(taken)

    def _answer(self, data: dict[str, Any], end: str, message_id: str) -> dict[str, Any]:
        """What was posted, with the values that matterbridge sets itself."""
        return message.message(
            text=text_field(data, "text"),
            username=text_field(data, "username"),
            userid=text_field(data, "userid"),
            avatar=text_field(data, "avatar"),
            event=text_field(data, "event"),
            parent_id=text_field(data, "parent_id"),
            account=f"{message.PROTOCOL}.{self._context.account}",
            gateway=gateway_of(end, self._options.ends[end]),
            at=self._context.clock.now(),
            id=message_id,
        )


def _decoded(data: str, number: int) -> bytes:
    """Raises Refusal."""
    try:
        content = base64.b64decode("".join(data.split()).encode("ascii"), validate=True)  # some encoders break lines
    except (binascii.Error, UnicodeEncodeError):
        raise Refusal(400, f"Extra.file[{number}].Data is no base64") from None
    if not content:
        raise Refusal(400, f"Extra.file[{number}].Data is empty")
    return content

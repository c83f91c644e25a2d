"""Files to the messenger, before the message that carries them. A file that it will never take is that file's fault: see
`bridge.model.errors.FileRejected`. Used by `adapter`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adapters.common.queries import find, find_text
from adapters.teamspirit.capabilities import takes_files
from adapters.teamspirit.client import Client
from adapters.teamspirit.errors import Gone
from adapters.teamspirit.outbound.encode import Encoder, Values
from adapters.teamspirit.transport import Transport
from bridge.model.adapter import OutboundFile
from bridge.model.errors import ChatDown, DeliveryError, FileRejected, Rejected, RetryLater

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import Dialect


class Uploads:
    def __init__(self, dialect: Dialect, encoder: Encoder, client: Client, transport: Transport) -> None:
        self._dialect = dialect
        self._encoder = encoder
        self._client = client
        self._transport = transport

    async def upload(self, chat_id: str, files: Sequence[OutboundFile]) -> list[str]:
        """Their ids. Raises FileRejected for all of them that are refused, once the others were tried too; RetryLater, ChatDown,
        AccountDown."""
        ids: list[str] = []
        refused: dict[int, str] = {}
        for index, file in enumerate(files):
            try:
                ids.append(await self._one(chat_id, file))
            except Rejected as error:
                refused[index] = error.reason
            except ChatDown as error:
                # the right to add files may be missing alone: then the words are welcome
                if not await self._is_readable(chat_id):
                    raise
                refused[index] = error.reason
        if refused:
            raise FileRejected("; ".join(dict.fromkeys(refused.values())), indexes=tuple(refused))
        return ids

    async def _one(self, chat_id: str, file: OutboundFile) -> str:
        call = self._dialect.operations.upload
        if call is None or not takes_files(self._dialect):
            raise Rejected("the messenger takes no files")
        about = {"name": file.name, "mime": file.mime, "size": file.size_bytes}
        values: Values = {"chat": self._encoder.chat(chat_id), "file": about}
        if call.prepare is not None:
            values["prepared"] = find(call.prepare.answer, await self._client.call("upload", call.prepare, values))
        request = self._encoder.request("upload", call, values)
        answer = await self._transport.upload(request, call.file_field, file)
        file_id = find_text(call.answer.id, answer) or self._encoder.text_of(call.id, values)
        if not file_id:
            raise RetryLater("upload: the answer does not say which file it became")
        return file_id

    async def _is_readable(self, chat_id: str) -> bool:
        """Whether the chat itself lets us in. False if that cannot be told: then what it refused stands as it was said."""
        if self._dialect.operations.history is None:
            return False
        try:
            await self._client.page(chat_id, "", None)
        except Gone:
            return True
        except DeliveryError:
            return False
        return True

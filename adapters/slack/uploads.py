"""Sends files in three steps per message, streamed from disk, and finds out under which `ts` Slack shared them.

Sharing is asynchronous: the answer of files.completeUploadExternal lacks the message's `ts`. It comes with the `file_share` event
(the receiver calls `seen`), or from files.info. Source: slackapi/python-slack-sdk#1363; docs.slack.dev; read 2026-11.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from adapters.common.http_errors import Effect
from adapters.slack.errors import MissingScope
from adapters.slack.transport import Answer, Transport
from bridge.model.adapter import OutboundFile
from bridge.model.errors import FileRejected, OutcomeUnknown, Rejected, RetryLater

_POLL_WAITS_S = (0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 5.0, 8.0, 10.0)
_REMEMBERED = 500
_AT_ONCE = 32
"""Uploads of one account at a time; each holds a chunk in memory, and one that hangs must not keep other channels waiting."""


class Uploads:
    """One account's uploads and the messages they became."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._shared: OrderedDict[str, str] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def seen(self, file_id: str, ts: str) -> None:
        """Our own `file_share` event came back."""
        waiter = self._waiting.get(file_id)
        if waiter is not None:
            if not waiter.done():
                waiter.set_result(ts)
            return
        self._shared[file_id] = ts
        while len(self._shared) > _REMEMBERED:
            self._shared.popitem(last=False)

    async def upload(self, files: Sequence[OutboundFile]) -> list[tuple[str, str]]:
        """Upload each file; nothing is visible yet. Returns (file id, title) in order. Raises RetryLater, AccountDown, and
        FileRejected for a file that Slack will never take: the others may still go."""
        empty = tuple(at for at, file in enumerate(files) if file.size_bytes <= 0)
        if empty:
            raise FileRejected("Slack takes no empty file", indexes=empty)
        done: list[tuple[str, str]] = []
        for at, file in enumerate(files):
            try:
                async with self._slots:
                    done.append((await self._upload_one(file), file.name))
            except MissingScope as error:
                raise FileRejected(error.reason, indexes=tuple(range(len(files)))) from error
            except Rejected as error:
                raise FileRejected(f"{file.name}: {error.reason}", indexes=(at,)) from error
        return done

    async def _upload_one(self, file: OutboundFile) -> str:
        """The id that Slack gave the file. Raises Rejected if Slack refuses it, and the bridge's other errors."""
        arguments: dict[str, Any] = {"filename": file.name, "length": file.size_bytes}
        if file.attachment.alt_text:
            arguments["alt_txt"] = file.attachment.alt_text[:1000]
        ticket = await self._transport.call("files.getUploadURLExternal", arguments)
        url, file_id = str(ticket.get("upload_url") or ""), str(ticket.get("file_id") or "")
        if not url or not file_id:
            raise RetryLater("files.getUploadURLExternal: Slack told no address")
        await self._transport.upload(url, file)
        return file_id

    async def share(
        self, chat_id: str, arguments: Mapping[str, Any], first_file_id: str, *, tolerate: Collection[str]
    ) -> tuple[str, str]:
        """Make one message of uploaded files, by `arguments` of files.completeUploadExternal. Returns its `ts`, or Slack's
        refusal if that is in `tolerate`. Raises OutcomeUnknown if the `ts` does not become known in time."""
        waiter = self._waiting[first_file_id] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._transport.call("files.completeUploadExternal", arguments, effect=Effect.CREATES, tolerate=tolerate)
            if not answer.get("ok"):
                return "", str(answer.get("error"))
            return self._shared.pop(first_file_id, "") or await self._find(first_file_id, chat_id, waiter), ""
        finally:
            del self._waiting[first_file_id]

    async def _find(self, file_id: str, chat_id: str, waiter: asyncio.Future[str]) -> str:
        for wait_s in _POLL_WAITS_S:
            await asyncio.wait({waiter}, timeout=wait_s)
            if waiter.done():
                return waiter.result()
            try:
                ts = shared_ts(await self._transport.call("files.info", {"file": file_id}), chat_id)
            except (RetryLater, Rejected):
                continue
            if ts:
                return ts
        raise OutcomeUnknown("file upload: Slack took the files and did not say which message they became")


def shared_ts(info: Answer, chat_id: str) -> str:
    """The `ts` under which a file was shared in a channel, from a files.info answer; empty if it was not (yet)."""
    file = info.get("file")
    shares = file.get("shares") if isinstance(file, Mapping) else None
    for visibility in ("public", "private"):
        places = shares.get(visibility) if isinstance(shares, Mapping) else None
        entries = places.get(chat_id) if isinstance(places, Mapping) else None
        if isinstance(entries, list) and entries and isinstance(entries[0], Mapping):
            return str(entries[0].get("ts") or "")
    return ""

"""The calls of a trial with their responses, as they were made: from a live server, or played from a recording.

Used by `steps`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from adapters.common.http_errors import Effect
from adapters.teamspirit.errors import refusal
from adapters.teamspirit.transport import Transport
from adapters.teamspirit.wire import Request
from bridge.model.adapter import FileStream, OutboundFile
from bridge.model.dialects import Exchanged
from bridge.model.errors import RetryLater
from bridge.model.events import Attachment

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect

THE_FILE = "(the file)"
"""Placeholder for the file in a form."""


class Kept:
    """The exchanges so far."""

    def __init__(self) -> None:
        self.all: list[Exchanged] = []

    def add(self, request: Request, status: int, answer: Any) -> None:
        self.all.append(
            Exchanged(
                operation=request.operation,
                method=request.method,
                url=_url(request),
                headers=tuple(request.headers.items()),
                body=_body(request),
                status=status,
                answer=answer,
            )
        )

    def add_socket(self, url: str, headers: Mapping[str, str], sent: list[Any], frames: list[Any]) -> None:
        self.all.append(
            Exchanged(
                operation="websocket",
                method="WEBSOCKET",
                url=url,
                headers=tuple(headers.items()),
                body=sent,
                status=101 if frames else 0,
                answer=frames,
            )
        )


class PlayedTransport(Transport):
    """Takes responses from a recording: those of an operation in the order in which they were recorded."""

    def __init__(self, dialect: Dialect, options: TeamSpiritOptions, recorded: Iterable[Exchanged]) -> None:
        super().__init__(dialect, options)
        self._played = dialect
        self._left: dict[str, list[Exchanged]] = {}
        for one in recorded:
            self._left.setdefault(one.operation, []).append(one)

    async def call(self, request: Request, effect: Effect) -> Any:
        return self._next(request, effect)

    async def upload(self, request: Request, field: str, outbound: OutboundFile) -> Any:
        return self._next(request, Effect.IDEMPOTENT)

    @asynccontextmanager
    async def download(
        self, request: Request, stated_bytes: int | None = None, *, sent_as: Attachment | None = None
    ) -> AsyncIterator[FileStream]:
        content = self._next(request, Effect.IDEMPOTENT)
        raw = content.encode() if isinstance(content, str) else json.dumps(content).encode()

        async def chunks() -> AsyncIterator[bytes]:
            yield raw

        yield FileStream(chunks=chunks(), size_bytes=len(raw))

    def _next(self, request: Request, effect: Effect) -> Any:
        left = self._left.get(request.operation)
        if not left:
            raise RetryLater(f"{request.operation}: the recording has no (further) answer to it")
        one = left.pop(0)
        if self.seen is not None:
            self.seen(request, one.status, one.answer)
        if not one.status:
            raise RetryLater(f"{request.operation}: there was no answer when it was recorded")
        if not 200 <= one.status < 300:
            raise refusal(self._played, request.operation, effect, one.status, {}, one.answer)
        return one.answer


def _url(request: Request) -> str:
    from yarl import URL

    url = URL(request.url, encoded=True)
    return str(url.update_query(list(request.query)) if request.query else url)


def _body(request: Request) -> Any:
    if request.json_body is not None:
        return json.loads(request.json_body)
    if request.form is not None:
        return [list(pair) for pair in request.form]
    return None if request.multipart is None else [*(list(pair) for pair in request.multipart), [THE_FILE, ""]]

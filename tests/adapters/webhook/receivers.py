"""A receiver on loopback for tests of what goes out, and accounts that post to it. It verifies by an independent library."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from msgspec.structs import replace
from standardwebhooks import Webhook

from adapters.webhook.adapter import WebhookAdapter, build
from adapters.webhook.config import WebhookOptions
from bridge.model.account_store import Mail, MailPage, StoreDown
from bridge.model.adapter import Copy, Outbound, Sender
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from bridge.model.rich_text import plain
from tests.support.intake import RecordingIntake
from tests.support.web import UnreachedWeb

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@dataclass
class Received:
    method: str
    headers: dict[str, str]
    body: bytes
    path: str = ""
    """With the query, as it came."""

    def verified(self, secret: str = SECRET) -> Any:
        """The payload. Raises for a signature that is not right."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """`answers` are given in order, then 200; an answer may be a status, or one that the test made."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: deque[int | web.Response | asyncio.Event] = field(default_factory=deque)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.received.append(Received(request.method, dict(request.headers), await request.read(), request.raw_path))
        answer = self.answers.popleft() if self.answers else 200
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = 200
        return web.Response(status=answer, text="said so") if isinstance(answer, int) else answer

    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.received]


@asynccontextmanager
async def receiving(ssl_context: Any = None) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl_context)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"{'https' if ssl_context else 'http'}://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


class MemoryStore:
    """An account's notes and mailboxes without a journal."""

    def __init__(self) -> None:
        self.is_full = False
        self.notes: dict[str, str] = {}
        self.boxes: dict[str, list[Mail]] = {}

    async def note(self, name: str) -> str:
        return self.notes.get(name, "")

    async def set_note(self, name: str, value: str) -> None:
        if self.is_full:
            raise StoreDown("disk full")
        self.notes[name] = value

    async def put_mail(self, chat_id: str, name: str, content: bytes) -> None:
        box = self.boxes.setdefault(chat_id, [])
        if name not in [mail.name for mail in box]:
            box.append(Mail(number=len(box) + 1, name=name, at=SYSTEM_CLOCK.now(), content=content))

    async def rewrite_mail(self, chat_id: str, holding: bytes, rewrite: Callable[[bytes], bytes]) -> None:
        box = self.boxes.get(chat_id, [])
        box[:] = [replace(mail, content=rewrite(mail.content)) if holding in mail.content else mail for mail in box]

    async def mail(self, chat_id: str, *, after: int, limit: int, mark: str = "") -> MailPage:
        box = self.boxes.get(chat_id, [])
        is_anew = after > len(box) or bool(mark and after and box[after - 1].mark != mark)
        after = 0 if is_anew else after
        page = [mail for mail in box if mail.number > after][:limit]
        return MailPage(mail=page, last=len(box), last_mark=box[-1].mark if box else "", is_anew=is_anew)


@asynccontextmanager
async def account(
    url: str | None = None,
    *,
    store: MemoryStore | None = None,
    clock: Clock = SYSTEM_CLOCK,
    end: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Any]:
    """An adapter with the end `alerts`, which posts to that url; `intake` of its sender is a recording one."""
    given = {"secret": SECRET, "allow_hosts": ("127.0.0.0/8",), **options}
    alerts = {**({"url": url} if url else {}), **(end or {})}
    made = WebhookOptions.model_validate({**given, "ends": {"alerts": alerts}})
    context = AdapterContext(account=AccountName("hooks"), options=made, web=UnreachedWeb(), store=store, clock=clock)
    adapter: WebhookAdapter = build(context)
    adapter._sender.intake = RecordingIntake()
    try:
        yield adapter
    finally:
        await adapter.close()


def message(text: str = "hello", token: str = "t1", **more: Any) -> Outbound:
    return Outbound(token=token, attempt=1, chat_id="alerts", text=plain(text), sender=Sender(name="Anna"), **more)


def copy(*ids: str) -> Copy:
    return Copy(chat_id="alerts", message_ids=ids or ("t1",))


def types(received: Sequence[Received]) -> list[str]:
    return [one.verified()["type"] for one in received]

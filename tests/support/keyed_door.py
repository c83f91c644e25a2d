"""A public listener with keys in a journal, an account behind them, and raw calls to it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from aiohttp import web

from bridge.journal.contract import Invite, Journal, KeySecret, StoredKey
from bridge.model.clock import Clock
from bridge.model.refs import AccountName, ChatAddress
from bridge.model.web_mount import KeyDirection, KeyGrant
from bridge.observability.metrics import Metrics
from bridge.policy.access_keys import LINK_PREFIX, hash_of, new_secret
from bridge.web.client_address import Proxies
from bridge.web.invited import InvitedPages
from bridge.web.keyed import KeyedCalls
from bridge.web.public import PublicWeb
from tests.support.clock import ManualClock
from tests.support.raw_http import Caller
from tests.support.web import LOOPBACK

HOOKS = AccountName("hooks")


class Account:
    """What stands behind the keys: reads in pieces, as for files."""

    def __init__(self) -> None:
        self.is_up = True
        self.entered = 0
        """Calls that were handed to it, with or without their bodies."""
        self.calls: list[tuple[str, KeyGrant, bytes]] = []
        self.requests: list[web.Request] = []
        self.answers: list[web.StreamResponse | Exception] = []

    async def handle(self, request: web.Request, grant: KeyGrant) -> web.StreamResponse:
        self.entered += 1
        body = b"".join([piece async for piece in request.content.iter_any()])
        self.calls.append((request.method, grant, body))
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else web.Response(text="ok")
        if isinstance(answer, Exception):
            raise answer
        return answer


class Door:
    """A listener with keys, and its parts."""

    def __init__(self, journal: Journal, *, url: str = "", is_missing: bool = False, clock: Clock | None = None) -> None:
        self.journal = journal
        self.manual = ManualClock()
        self.clock: Clock = clock or self.manual
        self.account = Account()
        self.metrics = Metrics()
        self.public = PublicWeb(url, keyed=self._keyed, proxies=Proxies([LOOPBACK]), is_missing=lambda: is_missing)
        self.public.of(HOOKS).serve_keys(self.account.handle)
        self.port = 0
        self.callers: list[Caller] = []

        self.public.pages = InvitedPages(journal, self.clock, self.public, leads_to=lambda chat: [f"tg/{chat.address}"])

    async def invite(self, *chats: str, hours: float = 24) -> str:
        """The path of a new link."""
        link, now = new_secret(LINK_PREFIX), self.clock.now()
        addresses = tuple(ChatAddress(HOOKS, chat) for chat in chats)
        until = now + timedelta(hours=hours)
        await self.journal.add_invite(Invite(hash=hash_of(link), chats=addresses, created_at=now, valid_until=until))
        return f"/keys/{link}"

    def _keyed(self, public: PublicWeb) -> KeyedCalls:
        def handler_of(account: AccountName) -> Any:
            return public.key_handler(account) if self.account.is_up else None

        return KeyedCalls(self.journal, self.clock, self.metrics, handler_of=handler_of)

    async def key(self, key_id: str = "k1", **more: Any) -> str:
        """A new key, as its holder knows it."""
        secret = new_secret()
        given: dict[str, Any] = {"account": HOOKS, "chat": "alerts", "direction": KeyDirection.IN, "per_minute": 60}
        given |= {"most_bytes": 1_000_000, "created_at": self.clock.now()}
        secrets = (KeySecret(hash=hash_of(secret), created_at=self.clock.now()),)
        await self.journal.add_key(StoredKey(key_id=key_id, secrets=secrets, **(given | more)))
        return secret

    async def connect(self, text: str | bytes = b"") -> Caller:
        caller = Caller(*await asyncio.open_connection("127.0.0.1", self.port))
        caller.send(text)
        self.callers.append(caller)
        return caller

    async def ask(self, path: str | bytes, head: str = "", body: bytes = b"hello", method: str = "POST") -> bytes:
        where = path.encode() if isinstance(path, str) else path
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        request = method.encode() + b" " + where + f" HTTP/1.1\r\nHost: x\r\n{length}{head}\r\n".encode() + body
        return await (await self.connect(request)).answer()

    def counted(self) -> dict[tuple[str, ...], int]:
        return self.metrics._keyed.values


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def header(answer: bytes, name: str) -> str | None:
    lines = answer.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {key.lower(): value for key, _, value in (line.partition(": ") for line in lines)}.get(name.lower())

"""An account behind the public listener that accepts what is posted into a journal, with one copy that is delivered at once."""

from __future__ import annotations

from urllib.parse import parse_qs

from aiohttp import web

from bridge.journal.contract import AcceptRequest, Delivered, Journal, PlannedDelivery
from bridge.model.clock import Clock
from bridge.model.events import Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain
from bridge.model.web_mount import HONEYPOT_FIELD, KeyGrant

TARGET = ChatAddress(AccountName("tg"), "lobby")


class AcceptingAccount:
    def __init__(self, journal: Journal, clock: Clock, account: AccountName) -> None:
        self._journal, self._clock, self._account = journal, clock, account
        self.texts: list[str] = []

    async def handle(self, request: web.Request, grant: KeyGrant) -> web.StreamResponse:
        body = (await request.read()).decode()
        fields = {name: values[0] for name, values in parse_qs(body).items()} if grant.is_form else {"text": body}
        if fields.pop(HONEYPOT_FIELD, ""):
            return web.Response(text="ok")
        self.texts.append(" / ".join(fields.values()))
        now, number = self._clock.now(), str(len(self.texts))
        chat = ChatRef(self._account, grant.chat)
        meta = EventMeta(event_key=f"post {number}", origin=chat, occurred_at=now, received_at=now)
        event = MessageCreated(meta=meta, message_id=number, content=Content(text=plain(self.texts[-1])))
        planned = (PlannedDelivery(route="r", target=TARGET),)
        request_to_accept = AcceptRequest(event=event, deliveries=planned)
        (accepted,) = await self._journal.accept(self._journal.lease(self._account), [request_to_accept], [], received_at=now)
        done = Delivered(delivery_id=accepted.delivery_ids[0], at=now)
        await self._journal.record(self._journal.lease(TARGET.account), [done])
        return web.Response(text="thank you")

"""The two entrances: `/in/<key>` for senders with a key, `/hooks/<account>/<end>` for signed requests. Each is read, decoded,
stored and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from adapters.webhook.inbound import answers, webhook_auth
from adapters.webhook.inbound.body import NOTHING_BODY, Body, Kind
from adapters.webhook.inbound.decode import Undecodable, decode
from adapters.webhook.inbound.downloads import Downloads
from adapters.webhook.inbound.events_of import Job
from adapters.webhook.inbound.multipart import Reader
from adapters.webhook.inbound.page import ROBOT, is_robot
from adapters.webhook.inbound.received import Nothing, Received, cleaned, shown_headers
from adapters.webhook.inbound.receiver import AGAIN_S, Busy, Receiver
from adapters.webhook.inbound.refusal import Refusal
from adapters.webhook.inbound.request_headers import low_headers, request_id_of
from bridge.model.clock import SystemClock, boot_s
from bridge.model.platform import AdapterContext
from bridge.model.web_mount import KeyDirection, KeyGrant

if TYPE_CHECKING:
    from aiohttp import web

    from adapters.webhook.config import EndOptions, WebhookOptions
    from bridge.model.web_mount import KeyHandler, WebHandler


_NOT_SERVED = {
    KeyDirection.OUT: "nothing is read at /out here: the account speaks matterbridge's API, at /api",
    KeyDirection.API: "matterbridge's API is not spoken here: the account needs style: matterbridge",
}


class _Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The caller, and the end that is called."""

    end: str
    label: str
    request_id: str = ""
    former_id: str = ""
    """The same as bridges before wrote it, without whose it is: a request may be repeated after an upgrade."""
    is_form: bool = False
    place: str = "in"
    """See `Received.place`."""

    @staticmethod
    def of_key(grant: KeyGrant, end: EndOptions, headers: Mapping[str, str]) -> _Caller:
        """A replay by an admin: not treated as a repeated request."""
        given = "" if grant.is_replay else request_id_of(headers)
        # whoever has another key of this end chooses ids too
        request_id = f"{grant.key_id} {given}" if given else ""
        return _Caller(
            end=grant.chat,
            label=end.author or grant.label,
            request_id=request_id,
            # of an end that takes signed requests too, an id alone may be one of those
            former_id=given if end.signature is None else "",
            is_form=grant.is_form,
            place=grant.place,
        )


class Doors:
    """The entrances of one account."""

    def __init__(
        self,
        context: AdapterContext,
        receiver: Receiver,
        downloads: Downloads,
        *,
        fetching: KeyHandler | None = None,
        api: KeyHandler | None = None,
    ) -> None:
        """`fetching` serves keys that read, `api` those that speak matterbridge's API."""
        self._options: WebhookOptions = context.options
        self._context = context
        self._receiver = receiver
        self._downloads = downloads
        self._reader = Reader(downloads)
        self._others = {KeyDirection.OUT: fetching, KeyDirection.API: api}
        # one that stood still while the machine slept would from then on take what was signed long ago for new
        self._steady_s = boot_s if isinstance(context.clock, SystemClock) else context.clock.monotonic_s
        self._steady_ahead_s = context.clock.now().timestamp() - self._steady_s()
        context.web.serve_keys(self.by_key)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Accept signed requests for every end that has a signature; for ends that a reload removed, no longer."""
        signed = {name: end for name, end in self._options.ends.items() if end.signature is not None}
        try:
            for name, end in signed.items():
                self._context.web.mount(name, self._signed(name, end))
            yield
        finally:
            for name in signed:
                self._context.web.unmount(name)

    def _signed(self, name: str, end: EndOptions) -> WebHandler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._by_signature(request, name, end)

        return handle

    async def by_key(self, request: web.Request, grant: KeyGrant) -> web.StreamResponse:
        """A request under `/in/<key>` or `/out/<key>`, whose key was verified by the caller."""
        headers = low_headers(request.headers)
        if grant.direction in self._others:
            other = self._others[grant.direction]
            return answers.refused(404, _NOT_SERVED[grant.direction], headers) if other is None else await other(request, grant)
        end = self._options.ends.get(grant.chat)
        if end is None:
            return answers.refused(404, "this key is for a receiver that no longer exists", headers)
        if request.method in ("GET", "HEAD"):
            return await self._called(request, grant, end, headers)
        if request.method not in ("POST", "PUT"):
            refusal = answers.refused(405, "send it by POST", headers)
            refusal.headers["Allow"] = "POST, PUT, GET, HEAD" if end.get else "POST, PUT"
            return refusal

        async def read() -> Body:
            most_bytes = min(int(end.max_received_mb * 1_000_000), grant.most_bytes)
            return await self._reader.read(request, most_bytes, by_query=not grant.place)

        return await self._answered(request, end, headers, read, _Caller.of_key(grant, end, headers))

    async def _called(
        self, request: web.Request, grant: KeyGrant, end: EndOptions, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        if not end.get:
            refusal = answers.refused(405, "send it by POST: this receiver does not accept GET", headers)
            refusal.headers["Allow"] = "POST, PUT"
            return refusal
        if request.method == "HEAD" or is_robot(headers):
            self._receiver.ignored(ROBOT)
            return answers.looked_at(headers)

        async def read() -> Body:
            return NOTHING_BODY

        return await self._answered(request, end, headers, read, _Caller.of_key(grant, end, headers))

    async def _by_signature(self, request: web.Request, name: str, end: EndOptions) -> web.StreamResponse:
        """Raises what `request.read` raises. The text of a 401 is not sent to the caller."""
        from aiohttp import web

        assert end.signature is not None
        raw = await request.read()
        headers = low_headers(request.headers)
        try:
            request_id = webhook_auth.check(end.signature, headers, raw, *self._moments())
        except webhook_auth.NotSigned as error:
            return web.Response(status=401, text=f"{name}: {error}")

        async def read() -> Body:
            return await self._reader.read_known(request, raw)

        caller = _Caller(end=name, label=end.author or name, request_id=request_id or request_id_of(headers))
        return await self._answered(request, end, headers, read, caller)

    def _moments(self) -> tuple[float, float]:
        """What may be the time: by the wall clock, and by what it was at the beginning. It may have been set since."""
        return self._context.clock.now().timestamp(), self._steady_ahead_s + self._steady_s()

    async def _answered(
        self,
        request: web.Request,
        end: EndOptions,
        headers: Mapping[str, str],
        read: Callable[[], Awaitable[Body]],
        caller: _Caller,
    ) -> web.StreamResponse:
        query = {key: value for key, value in request.query.items() if len(key) < 100}
        body: Body = NOTHING_BODY
        is_taken = False
        try:
            intake = self._receiver.intake  # the body is not read for an account that is not up
            body = await read()
            received = Received(body=body, method=request.method, headers=shown_headers(headers), query=query, place=caller.place)
            said = decode(received, caller.end, end, self._context.decode_post)
            if isinstance(said, Nothing):
                intake.ignored(said.reason)
                return answers.accepted(said.answer, "", headers, query, end.form)
            job = Job(
                end=caller.end,
                said=cleaned(said),
                label=caller.label,
                at=self._context.clock.now(),
                request_id=caller.request_id,
                former_id=caller.former_id,
                by_person=caller.is_form or (body.kind is Kind.FORM and end.form is not None),
            )
            is_taken = True  # from here on the receiver removes the files
            message_id = await self._receiver.take(job)
            if said.failed:
                await self._receiver.keep(caller.end, body, f"the template left something out: {said.failed}")
        except Refusal as refusal:
            if isinstance(refusal, Undecodable):
                await self._receiver.keep(caller.end, body, refusal.why)
            again_s = AGAIN_S if refusal.status in (503, 507) else None
            return answers.refused(refusal.status, refusal.why, headers, retry_after_s=again_s)
        except Busy:
            return answers.refused(503, "try again later", headers, retry_after_s=AGAIN_S)
        finally:
            if not is_taken:
                await asyncio.shield(self._downloads.forget(body.files))
        return answers.accepted(said.answer, message_id, headers, query, end.form)

"""Files by their links, on the public listener: `/files/<sealed>/<name>` (see `files.links`), and pictures of people: `/faces/`.

Each request is checked: the journal must know the message, which is not deleted and still has the file, and a
route must still relay from its chat. Anything that is not a link of ours gets the same 404; an expired link gets 410.
The ETag is of the bytes: a platform may keep one id for a file that changes, and parts of two files never become one.
The response is always a download: no page, no script, no guessing of types."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Protocol

from bridge.files.faces import ROOT as FACES
from bridge.files.faces import Faces
from bridge.files.links import FileGrant, FileLinks
from bridge.files.on_demand import NotYet, OnDemand
from bridge.files.spool import Spooled, TooLarge
from bridge.journal.contract import Original
from bridge.model.clock import Clock
from bridge.model.errors import BridgeError, FileHarmed, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.refs import ChatRef, MessageRef
from bridge.web.allowance import Allowances
from bridge.web.client_address import household
from bridge.web.file_body import Span, disposition, send_span, span_of

if TYPE_CHECKING:
    from aiohttp import web

PER_MINUTE = 120
"""Requests from one address."""
FACES_PER_MINUTE = 600
"""Requests for pictures of one address: those of a platform's servers, which ask for everybody."""
MOST_AT_ONCE = 24
"""Answers that are under way at a time: a tenth of the listener's connections."""
MOST_OF_ONE = 6
"""Those of one address: a browser that loads a file in pieces needs some."""
_WAIT_S = 20.0
"""How long a request waits for a file to be fetched: less than proxies wait for us."""
_RETRY_BUSY_S = 10
_ROBOT = re.compile(
    r"(?i)telegrambot|slackbot|slack-imgproxy|discordbot|mattermost-bot|rocket\.?chat|facebookexternalhit|twitterbot|linkedinbot"
    r"|whatsapp|skypeuripreview|iframely|googlebot|bingbot|yandexbot|crawler|spider"
)
"""Preview robots: otherwise a large file would be fetched each time a message with a link is posted."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_NOT_FOUND = "not found\n"


class OriginalStore(Protocol):
    async def original(self, message: MessageRef) -> Original | None: ...


class MediaPages:
    """`links` is used at every request. `is_relayed` returns whether a route relays from a chat now."""

    def __init__(
        self,
        links: FileLinks,
        files: OnDemand,
        store: OriginalStore,
        clock: Clock,
        *,
        is_relayed: Callable[[ChatRef], bool],
        faces: Faces | None = None,
    ) -> None:
        self._links = links
        self._files = files
        self._store = store
        self._clock = clock
        self._is_relayed = is_relayed
        self._faces = faces
        self._allowances = Allowances()
        self._under_way: Counter[str] = Counter()

    async def answer(self, request: web.BaseRequest, path: str, client: str) -> web.StreamResponse:
        """`path` is below the public URL, `client` the caller's address. Raises JournalError."""
        if request.method not in ("GET", "HEAD"):
            return _text(405, "only GET\n", {"Allow": "GET, HEAD"})
        caller = household(client)
        is_face = path.startswith(FACES)
        per_minute = FACES_PER_MINUTE if is_face else PER_MINUTE
        wait_s = self._allowances.take((caller, is_face), per_minute, self._clock.monotonic_s())
        if wait_s:
            return _text(429, "too many requests; see Retry-After\n", {"Retry-After": str(ceil(wait_s))})
        if is_face:
            return await self._face(request, path)
        grant = self._links.read(path)
        if grant is None or not self._links.are_on:
            return _text(404, _NOT_FOUND)
        if self._links.is_over(grant):
            return _text(410, "this link is over; ask in the chat for the file\n")
        if not await self._is_open(grant):
            return _text(404, _NOT_FOUND)
        return await self._handed_out(request, grant, caller)

    async def _face(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """A person's picture, for the servers of the platform that shows it: shown in place, and kept by whoever fetched it."""
        from aiohttp import web

        grant = self._faces.read(path) if self._faces is not None and self._faces.are_on else None
        if grant is None or self._faces is None:
            return _text(404, _NOT_FOUND)
        if self._under_way.total() >= MOST_AT_ONCE:
            return _text(503, "too many at a time; see Retry-After\n", {"Retry-After": str(_RETRY_BUSY_S)})
        with self._counted(FACES):
            found = await self._faces.picture(grant)
        headers = _HEADERS | {
            "Cache-Control": "public, max-age=86400" if found.is_final else "no-store",
            "Content-Type": found.mime,
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return web.Response(body=found.content, headers=headers)

    async def _is_open(self, grant: FileGrant) -> bool:
        """Whether the message exists and has the file. Raises JournalError."""
        if not self._is_relayed(grant.message.chat):
            return False
        original = await self._store.original(grant.message)
        if original is None or original.is_deleted:
            return False
        edit = original.edit
        return edit is None or not edit.attachments_known or any(map(grant.is_of, edit.content.attachments))

    async def _handed_out(self, request: web.BaseRequest, grant: FileGrant, caller: str) -> web.StreamResponse:
        headers = _HEADERS | {
            "Cache-Control": "private, no-cache",  # cached, but revalidated each time: the message may be deleted
            "Accept-Ranges": "bytes",
            "Content-Disposition": disposition(grant.name),
            "Content-Type": grant.mime,
        }
        is_known = grant.size_bytes is not None
        if _ROBOT.search(request.headers.get("User-Agent", "")):
            return _text(403, "files are for people\n")
        if request.method == "HEAD" and is_known:
            return _bare(200, headers | {"Content-Length": str(grant.size_bytes)})
        busy = {"Retry-After": str(_RETRY_BUSY_S)}
        if self._under_way.total() >= MOST_AT_ONCE or self._under_way[caller] >= MOST_OF_ONE:
            return _text(503, "too many downloads at a time; see Retry-After\n", busy)
        with self._counted(caller):
            return await self._fetched(request, grant, headers)

    async def _fetched(self, request: web.BaseRequest, grant: FileGrant, headers: dict[str, str]) -> web.StreamResponse:
        attachment = Attachment(
            kind=AttachmentKind.DOCUMENT,
            file_id=grant.file_id,
            name=grant.name,
            mime=grant.mime,
            size_bytes=grant.size_bytes,
            unique_id=grant.unique_id,
        )
        try:
            async with self._files.borrow(grant.message.chat, attachment, within_s=_WAIT_S) as spooled:
                return await _sent(request, spooled, headers)
        except NotYet as error:
            return _later(f"{error.reason}; try again in a moment\n", error.after_s)
        except TooLarge:
            return _text(404, "the file is larger than it was said to be, and is not handed out\n")
        except Rejected as error:
            return _text(404, f"the file is no longer there: {error.reason}\n")
        except FileHarmed as error:
            raise ConnectionResetError(error.reason) from error
        except RetryLater as error:
            return _later("the file cannot be fetched just now; try again in a moment\n", error.after_s or _RETRY_BUSY_S)
        except BridgeError:  # the supervisor reports an account that is down
            return _later("the file cannot be fetched just now; try again later\n", 60)

    @contextmanager
    def _counted(self, caller: str) -> Iterator[None]:
        self._under_way[caller] += 1
        try:
            yield
        finally:
            self._under_way[caller] -= 1
            if not self._under_way[caller]:
                del self._under_way[caller]


async def _sent(request: web.BaseRequest, spooled: Spooled, headers: dict[str, str]) -> web.StreamResponse:
    """The file, or the requested part of it."""
    from aiohttp import web

    etag = _etag_of(spooled)
    headers = headers | {"ETag": etag}
    if etag in (one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")):
        return _bare(304, headers)
    span = span_of(request.headers, spooled.size_bytes, etag)
    if span is None:
        return _text(416, "there is no such part\n", {"Content-Range": f"bytes */{spooled.size_bytes}"})
    whole = Span(0, spooled.size_bytes)
    more = {} if span == whole else {"Content-Range": f"bytes {span.start}-{span.end - 1}/{spooled.size_bytes}"}
    answer = web.StreamResponse(
        status=206 if more else 200, headers=headers | more | {"Content-Length": str(span.end - span.start)}
    )
    await answer.prepare(request)
    if request.method == "GET":
        await send_span(answer, spooled, span)
    await answer.write_eof()
    return answer


def _etag_of(spooled: Spooled) -> str:
    """The same for the same bytes, whenever they were fetched."""
    return f'"{hashlib.blake2b(spooled.block_sums, digest_size=12).hexdigest()}-{spooled.size_bytes:x}"'


def _later(text: str, after_s: float) -> web.Response:
    return _text(503, text, {"Retry-After": str(ceil(after_s))})


def _text(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    from aiohttp import web

    answer = web.Response(status=status, text=text, headers=_HEADERS | {"Cache-Control": "no-store"} | (headers or {}))
    answer.force_close()
    return answer


def _bare(status: int, headers: dict[str, str]) -> web.StreamResponse:
    """Headers only: for HEAD, and for content that the client has already."""
    from aiohttp import web

    return web.StreamResponse(status=status, headers=headers)

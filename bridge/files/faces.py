"""People's pictures, for platforms that show a public address beside a message: links to them, and the pictures themselves.

A picture that needs the account's own token (Telegram's) is fetched by the account and served by the bridge; an author without one
gets initials. A link is sealed (`links`), contains the version of the picture, so that it changes when the picture does, and
expires: the target's servers fetch it when the message is posted. Pictures are cached in the spool, by their file's unique id."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import structlog

from bridge.files.initials import initials_of, picture
from bridge.files.links import EPOCH, Purpose, Seal
from bridge.files.on_demand import NotYet, OnDemand, Suppliers
from bridge.model.abilities import ShowsFaces
from bridge.model.clock import Clock
from bridge.model.errors import BridgeError
from bridge.model.events import Attachment, Author
from bridge.model.refs import AccountName, ChatRef

ROOT = "/faces/"
log = structlog.get_logger("files")

_SLUG = "face.png"
"""At the end of each link: some platforms want the name of a picture there, whatever its format."""
_PERIOD_H = 7 * 24
"""Links made within one period are the same, so that the target's servers may keep the picture. Each is valid for one more."""
LONGEST_LINK = timedelta(hours=2 * _PERIOD_H)
_FRESH_S = 3600.0
_FAILED_S = 300.0
"""How long a known picture, and a failed lookup, are cached."""
_PATIENCE_S = 2.0
"""The longest that a message waits for a lookup."""
_MOST_KNOWN = 10_000
_MOST_ASKED = 16
"""The most lookups at a time."""
_MOST_BYTES = 2_000_000
_FETCH_S = 8.0
_KINDS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


class FaceGrant(msgspec.Struct, frozen=True, array_like=True):
    """Whose picture a link opens."""

    ends_at_h: int
    account: AccountName
    user_id: str
    initials: str
    version: bytes
    era_s: int = 0
    """When its person was erased before the link was made, in seconds since 1970; 0: never, as far as is known."""


class Picture(NamedTuple):
    content: bytes
    mime: str
    is_final: bool
    """Whether the picture is known; False: the lookup failed."""


class _Known(NamedTuple):
    face: Attachment | None
    is_certain: bool
    until_s: float


class Faces:
    """`are_on` is called for each picture; so is `forgotten`, which tells who was erased, and when: links of before are over."""

    def __init__(
        self,
        seal: Seal,
        base_url: str,
        clock: Clock,
        suppliers: Suppliers,
        files: OnDemand,
        *,
        are_on: Callable[[], bool],
        forgotten: Callable[[], Mapping[tuple[AccountName, str], datetime]] = dict,
    ) -> None:
        self._seal = seal
        self._base_url = base_url
        self._clock = clock
        self._suppliers = suppliers
        self._files = files
        self._are_on = are_on
        self._forgotten = forgotten
        self._known: OrderedDict[tuple[AccountName, str], _Known] = OrderedDict()
        self._asking: dict[tuple[AccountName, str], asyncio.Task[_Known]] = {}

    @property
    def are_on(self) -> bool:
        return self._are_on()

    async def url(self, account: AccountName, author: Author) -> str:
        """An address for that author's picture or initials. Where the account shows no pictures itself, a public one stays."""
        supplier = self._suppliers(account)
        shows = supplier is not None and isinstance(supplier.adapter, ShowsFaces)
        if not self.are_on or not author.user_id or (author.avatar_url and not shows):
            return author.avatar_url
        known = await self._look_up(account, author.user_id, _PATIENCE_S)
        if author.avatar_url and (known is None or known.face is None):
            return author.avatar_url
        version = b"" if known is None or known.face is None else known.face.unique_id.encode()
        hours = (self._clock.now() - EPOCH) // timedelta(hours=1)
        grant = FaceGrant(
            ends_at_h=(hours // _PERIOD_H + 2) * _PERIOD_H,
            account=account,
            user_id=author.user_id,
            initials=initials_of(author.name or author.username),
            version=blake2b(version, digest_size=6).digest() if version else b"",
            era_s=self._era_s(account, author.user_id),
        )
        return f"{self._base_url}{ROOT}{self._seal.make(Purpose.FACE, grant, _SLUG)}/{_SLUG}"

    def read(self, path: str) -> FaceGrant | None:
        """Whose picture a path below `ROOT` asks for. None: not a link of ours, an expired one, or one of somebody who was erased
        since."""
        sealed, _, slug = path.removeprefix(ROOT).partition("/")
        grant = self._seal.read(Purpose.FACE, sealed, slug, FaceGrant) if slug == _SLUG and path.startswith(ROOT) else None
        if grant is None or self._clock.now() >= EPOCH + timedelta(hours=grant.ends_at_h):
            return None
        return grant if grant.era_s >= self._era_s(grant.account, grant.user_id) else None

    def _era_s(self, account: AccountName, user_id: str) -> int:
        erased_at = self._forgotten().get((account, user_id))
        return 0 if erased_at is None else (erased_at - EPOCH) // timedelta(seconds=1)

    def forget(self, account: AccountName, user_id: str) -> None:
        """Nothing is known of that person's picture any more."""
        self._known.pop((account, user_id), None)

    async def picture(self, grant: FaceGrant) -> Picture:
        """The person's picture as it is now, else initials: there is always one."""
        known = await self._look_up(grant.account, grant.user_id, _FETCH_S)
        if known is not None and known.face is not None:
            try:
                found = await self._fetched(grant.account, known.face)
            except (BridgeError, NotYet):
                known = None
            else:
                if found is not None:
                    return found
        drawn = await asyncio.to_thread(picture, grant.initials, f"{grant.account}/{grant.user_id}")
        return Picture(drawn, "image/png", is_final=known is not None and known.is_certain)

    async def _fetched(self, account: AccountName, face: Attachment) -> Picture | None:
        """None: not a picture that browsers show, or too large."""
        if (face.size_bytes or 0) > _MOST_BYTES:
            return None
        async with self._files.borrow(ChatRef(account, ""), face, within_s=_FETCH_S) as spooled:
            if spooled.size_bytes > _MOST_BYTES:
                return None
            content = await asyncio.to_thread(spooled.path.read_bytes)
        mime = _mime_of(content)
        return Picture(content, mime, is_final=True) if mime else None

    # -- who has which ------------------------------------------------------------------------------------------------------

    async def _look_up(self, account: AccountName, user_id: str, within_s: float) -> _Known | None:
        """None: not known within that time."""
        key = account, user_id
        known = self._known.get(key)
        if known is not None and self._clock.monotonic_s() < known.until_s:
            return known
        task = self._asking.get(key)
        if task is None:
            if len(self._asking) >= _MOST_ASKED:
                return known
            task = self._asking[key] = asyncio.create_task(self._ask(account, user_id), name=f"picture of somebody on {account}")
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.shield(task)
        except TimeoutError:
            return known

    async def _ask(self, account: AccountName, user_id: str) -> _Known:
        supplier = self._suppliers(account)
        face, is_certain = None, True
        try:
            adapter = supplier.adapter if supplier is not None else None
            if supplier is not None and isinstance(adapter, ShowsFaces):
                face = await supplier.call(adapter.face(user_id))
        except (BridgeError, OSError):  # initials will do
            is_certain = False
        except Exception:  # a mistake of the adapter's costs the picture, never the message beside it
            is_certain = False
            log.exception("picture not found", account=account)
        now_s = self._clock.monotonic_s()
        known = self._known[account, user_id] = _Known(face, is_certain, now_s + (_FRESH_S if is_certain else _FAILED_S))
        self._known.move_to_end((account, user_id))
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return known

    async def close(self) -> None:
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)


def _mime_of(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in _KINDS if content.startswith(magic)), "")

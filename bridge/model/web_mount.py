"""The public listener as an account sees it, and keys: what the holder of one may do. Types only; `web` implements it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from aiohttp import web

    WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
    KeyHandler = Callable[[web.Request, "KeyGrant"], Awaitable[web.StreamResponse]]


class KeyDirection(StrEnum):
    """What the holder of a key may do with its chat."""

    IN = "in"
    """Say something in it: `/in/<key>`."""
    OUT = "out"
    """Read what is sent into it: `/out/<key>`."""
    API = "api"
    """Both, by the API of matterbridge: `/api/<key>/api/message` and so on, or `/api/message` with the key as a bearer."""


EVERY_CHAT = "*"
"""The chat of a key that is for all chats of its account."""

PLACES_OF_API = ("health", "messages", "stream", "websocket", "message")
"""What stands behind `/api/`."""


def _free() -> float:
    return 0.0


async def _always() -> bool:
    return True


HONEYPOT_FIELD = "leave_this_empty"
"""A field that forms made by the bridge hide from people: who fills it in is a robot. It is answered as if it was taken, and not
relayed."""


class KeyGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was shown to the public listener, and is valid. The key itself is known to nobody but its holder."""

    key_id: str
    """Names the key in lists, logs and commands. It is no secret."""
    chat: str
    """The chat part of the address that the key is for: `alerts` of `hooks/alerts`; `EVERY_CHAT` for all of the account."""
    direction: KeyDirection
    label: str = ""
    """What an admin calls the holder, for people to read."""
    is_form: bool = False
    """Made for a website's form: browsers post with it, and what they send is what strangers wrote."""
    origins: tuple[str, ...] = ()
    """Of a form: the sites (`https://example.com`) whose pages may post by script."""
    most_bytes: int = 1024**2
    """Of a request's body, as `content`, `multipart` and `post` of the request read it; they raise for more. `read` takes 1 MiB."""
    is_replay: bool = False
    """An admin puts through once more what arrived earlier: neither its age nor a signature says anything, and it is no repeat."""
    place: str = "in"
    """The first word of the path that was called: `in` or `out`; `hooks`, or empty, where a sender adds its own platform's path to
    the listener's address (`/hooks/<key>`; `/` and `/<topic>`, with the key as a bearer). For an `API` key `api/` and one of
    `PLACES_OF_API`, or `api/` alone."""
    spend: Callable[[], float] = _free
    """Count one more message against the key's rate, where a single call brings many: seconds to wait before it may be taken, 0 if
    it was counted."""
    is_valid: Callable[[], Awaitable[bool]] = _always
    """Whether the key may still be used, for a call that lasts and brings many messages. Raises StoreDown."""


@runtime_checkable
class HoldsBytes(Protocol):
    """A request of the public listener."""

    def hold(self, size_bytes: int) -> None:
        """Count what a handler keeps in memory of a body that it reads in pieces, beside all others' until the request is answered.
        Raises HTTPServiceUnavailable when there is no room: let it pass."""
        ...


class WebMount(Protocol):
    """The public web listener, for platforms that call us."""

    @property
    def public_url(self) -> str:
        """Base URL under which the outside reaches us, without a trailing slash; empty if there is none."""
        ...

    def mount(self, name: str, handler: WebHandler) -> str:
        """Serve POST requests on `/hooks/<account>/<name>`; returns that path. A second mount of a name replaces the first.

        The handler is called once the headers have arrived, and reads the body by `request.read()`, which is bounded in bytes and
        time. If the headers already show that a caller is not authorised, do not read the body. A 401 reaches the caller without
        its text."""
        ...

    def unmount(self, name: str) -> None: ...

    def serve_keys(self, handler: KeyHandler) -> None:
        """Handle the requests under `/in/<key>`, `/out/<key>` and so on (see `KeyGrant.place`) whose key is valid and for a chat of
        this account. Rates, the size that the headers declare, and web pages' origins have been looked at; the method (but OPTIONS)
        and the body have not.

        The handler is called only while the account is up (`Intake.connected`): before, senders are asked to come again. `read` of
        the request takes 1 MiB; what is larger is read in pieces, by `content` or `multipart`, up to `KeyGrant.most_bytes` and no
        slower than a bad line, and goes to disk, or is counted by `HoldsBytes`. What they raise (413, 408, 503) is the answer: let
        it pass. An answer of 400 and above says what is wrong: the holder of a key is no stranger. A second handler replaces the
        first; `close` of the adapter need not take it away."""
        ...

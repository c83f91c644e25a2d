"""Calls with a key, which is shown as `key_paths` says. Looks the key up, holds its limits, and hands the request to its account.

Who has no valid key is answered like everybody else without one. Who has one is told what is wrong: too often (429), too large
(413), another site's form (403), an account that is not up just now (503: senders try again)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol, cast

import structlog

from bridge.journal.contract import ArrivalStore, JournalError, KeySecret, KeyStore, StoredKey
from bridge.model.clock import Clock
from bridge.model.refs import AccountName
from bridge.model.tasks import to_the_end
from bridge.model.web_mount import KeyDirection, KeyGrant
from bridge.policy.access_keys import KEY_PREFIX, Terms, hash_of, looks_right, new_secret, opens
from bridge.web.allowance import Allowances
from bridge.web.arrivals import KEPT_BYTES, as_kept, is_worth_keeping
from bridge.web.client_address import household
from bridge.web.key_paths import NOTHING, Shown, shown
from bridge.web.reading import while_valid

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.model.web_mount import KeyHandler
    from bridge.web.door import StrangerRequest
    from bridge.web.stream import BoundedStream

log = structlog.get_logger("web")

FORM_PER_MINUTE = 6
"""What one visitor of a website may send by a form's key."""
MOST_AT_ONCE = 24
"""Calls of one key that are under way at a time: slow bodies, and readers who wait. A tenth of the listener's connections, so that
nobody's key, which on a website everybody knows, keeps the others out."""
_READERS = "readers"
FORM_AT_ONCE = 4
"""Of one visitor of a website."""
_RETRY_BUSY_S = 5
RETRY_DOWN_S = 30
"""How soon a sender may come again whose account is not up."""
_PREFLIGHT_S = 600
_LAST_S = 30.0
"""Longest that a program's post is still taken after its connection is gone."""
_SLOW_BODY_S = 0.25
"""A body that took longer is one that a revocation may have overtaken."""


class KeyedStore(KeyStore, ArrivalStore, Protocol):
    pass


class KeyCounts(Protocol):
    def keyed(self, account: str, direction: str, outcome: str) -> None:
        """A call with a valid key of that account, and what became of it."""
        ...


class Refused(Exception):
    """The call is answered so, and not handed on."""

    def __init__(self, answer: web.Response, outcome: str) -> None:
        super().__init__(outcome)
        self.answer, self.outcome = answer, outcome


class HandlerFailed(Exception):
    """The account's handler raised what it should not have."""

    def __init__(self, account: AccountName) -> None:
        super().__init__(account)
        self.account = account


class KeyedCalls:
    """`handler_of` gives the handler of an account that is up."""

    def __init__(
        self,
        store: KeyedStore,
        clock: Clock,
        counts: KeyCounts,
        *,
        handler_of: Callable[[AccountName], KeyHandler | None],
        steady_s: Callable[[], float] | None = None,
    ) -> None:
        """`steady_s`: seconds that never step, and continue while the machine sleeps; the clock's where that is not needed."""
        self._store = store
        self._clock = clock
        self._steady_s = steady_s or clock.monotonic_s
        self._terms = Terms()
        self._counts = counts
        self._handler_of = handler_of
        self._allowances = Allowances()
        self._visitors = Allowances()
        self._passes: dict[str, StoredKey] = {}
        """What stands in the place of a key while the bridge calls itself (see `passing`)."""
        self._under_way: Counter[Hashable] = Counter()
        self._used: dict[str, int] = {}
        """Key id -> the day for which its use is recorded."""

    async def answer(self, request: StrangerRequest, path: str, client: str) -> web.StreamResponse | None:
        """None: no valid key is shown. `client` is the caller's address. Raises JournalError, HTTPException (the answer to a body
        that is too large or too slow) and HandlerFailed."""
        found = shown(path, request.headers.get("Authorization", "")) or NOTHING
        if found.direction is KeyDirection.API and request.method == "POST":
            # matterbridge takes what a program posts also if it does not wait for the answer
            return await to_the_end(self._answer(request, found, client), "post of a program", within_s=_LAST_S)
        return await self._answer(request, found, client)

    async def _answer(self, request: StrangerRequest, found: Shown, client: str) -> web.StreamResponse | None:
        direction, secret, place = found
        key = await self._find(secret, direction)
        if key is None:
            return None
        try:
            is_replay = secret in self._passes
            if not is_replay:
                self._look_at(key, request, client)
            with self._counted(key, request, client):
                answer = await self._while_valid(secret, key, request, self._hand_on(key, request, place, secret))
        except Refused as refused:
            self._counts.keyed(key.account, key.direction.value, refused.outcome)
            answer = refused.answer
            if refused.outcome != "preflight":
                answer.force_close()  # its body was not read
        else:
            self._counts.keyed(key.account, key.direction.value, _outcome(answer.status))
        if not answer.prepared:  # else it is a stream, whose headers are sent
            answer.headers.update(_cors(key, request.headers.get("Origin", "")))
        return answer

    @contextmanager
    def passing(self, key: StoredKey) -> Iterator[str]:
        """What a request shows instead of the key, which nobody knows: for a replay. Good until the block ends."""
        secret = new_secret()
        self._passes[secret] = key
        try:
            yield secret
        finally:
            del self._passes[secret]

    async def _while_valid(
        self, secret: str, key: StoredKey, request: StrangerRequest, handling: Coroutine[Any, Any, web.StreamResponse]
    ) -> web.StreamResponse:
        """A reader who waits is let go once the key is revoked, or no longer its newest secret. Raises ConnectionError then."""
        if not _is_reading(key, request):
            return await handling

        async def is_valid() -> bool:
            return await self._find(secret, key.direction) is not None

        try:
            return await while_valid(handling, is_valid, self._clock)
        except ConnectionError:
            request.let_go()
            raise

    async def _find(self, secret: str, direction: KeyDirection | None) -> StoredKey | None:
        passing = self._passes.get(secret)
        if passing is not None and passing.direction is direction:
            return passing
        if direction is None or not looks_right(secret, KEY_PREFIX):
            return None
        asked = hash_of(secret)
        key = await self._store.find_key(asked)
        if key is None or key.direction is not direction or key.revoked_at is not None:
            return None
        return key if opens([(one.hash, self._holds(key, one)) for one in key.secrets], asked) else None

    def _holds(self, key: StoredKey, secret: KeySecret) -> bool:
        is_old = secret is not key.secrets[-1]
        return self._terms.holds(secret.hash, secret.valid_until, is_old=is_old, now=self._clock.now(), steady_s=self._steady_s())

    # -- before the handler -------------------------------------------------------------------------------------------------

    def _look_at(self, key: StoredKey, request: StrangerRequest, client: str) -> None:
        """Raises Refused."""
        origin = request.headers.get("Origin", "")
        if key.is_form and key.origins and origin and origin not in key.origins:
            raise _refused(403, "this form may not be sent from that site", "other site")
        if request.method == "OPTIONS":
            raise self._preflight(key, origin)
        now_s = self._clock.monotonic_s()
        wait_s = 0.0
        if key.is_form:  # before the key's own rate, which one visitor must not use up for all
            wait_s = self._visitors.take((key.key_id, household(client)), FORM_PER_MINUTE, now_s)
        wait_s = wait_s or self._allowances.take(key.key_id, key.per_minute, now_s)
        if wait_s:
            raise _refused(429, "too many requests; see Retry-After", "too many", {"Retry-After": str(ceil(wait_s))})
        if (request.content_length or 0) > key.most_bytes:
            raise _refused(413, f"larger than {key.most_bytes} bytes", "too large")

    @contextmanager
    def _counted(self, key: StoredKey, request: StrangerRequest, client: str) -> Iterator[None]:
        """Raises Refused."""
        bounds: dict[Hashable, int] = {key.key_id: MOST_AT_ONCE}
        if key.is_form:
            bounds[key.key_id, household(client)] = FORM_AT_ONCE
        if _is_reading(key, request):
            bounds[_READERS] = most_readers()
        for who, most in bounds.items():
            if self._under_way[who] >= most:
                whose = "readers wait" if who == _READERS else "calls of this key are under way"
                headers = {"Retry-After": str(_RETRY_BUSY_S)}
                raise _refused(429, f"{most} {whose}; see Retry-After", "too many", headers)
        self._under_way.update(bounds.keys())
        try:
            yield
        finally:
            self._under_way.subtract(bounds.keys())
            for who in bounds:
                if not self._under_way[who]:
                    del self._under_way[who]

    def _preflight(self, key: StoredKey, origin: str) -> Refused:
        """A browser asks whether a page's script may post a form."""
        if not key.is_form or origin not in key.origins:
            return _refused(405, "only GET and POST", "refused", {"Allow": "GET, POST"})
        from aiohttp import web

        allowed = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": str(_PREFLIGHT_S),
        }
        return Refused(web.Response(status=204, headers=allowed), "preflight")

    async def _hand_on(self, key: StoredKey, request: StrangerRequest, place: str, secret: str) -> web.StreamResponse:
        """Raises Refused, HTTPException."""
        is_replay, began_s = secret in self._passes, self._clock.monotonic_s()

        async def came() -> None:
            """The body is here: one that took its time may be of a key that was revoked meanwhile. Raises HTTPUnauthorized."""
            took_s = self._clock.monotonic_s() - began_s
            if took_s >= _SLOW_BODY_S and await self._find(secret, key.direction) is None:
                raise _unauthorised()

        handler = self._handler_of(key.account)
        if handler is None:
            raise _refused(503, "not up just now; try again later", "not up", {"Retry-After": str(RETRY_DOWN_S)})
        stream = request.stream(most_bytes=key.most_bytes, kept_bytes=KEPT_BYTES, came=came)
        await self._mark_used(key)

        def spend() -> float:
            return self._allowances.take(key.key_id, key.per_minute, self._clock.monotonic_s())

        async def is_valid() -> bool:
            return await self._find(secret, key.direction) is not None

        grant = grant_of(key, place, is_replay=is_replay, spend=spend, is_valid=is_valid)
        handling = handler(cast("web.Request", request), grant)
        from aiohttp import web

        answer: web.StreamResponse | None = None
        try:
            answer = await self._handled(key, request, handling)
        except web.HTTPException as error:
            answer = error
            raise
        finally:
            if answer is not None and not is_replay and not _is_reading(key, request):
                await self._keep(key, request, place, stream, answer)
        return answer

    async def _keep(
        self, key: StoredKey, request: StrangerRequest, place: str, stream: BoundedStream, answer: web.StreamResponse
    ) -> None:
        if not is_worth_keeping(key, answer.status, self._clock):
            return
        text = getattr(answer, "text", None)
        kept = as_kept(
            key,
            method=request.method,
            place=place,
            query=request.rel_url.raw_query_string,
            headers=request.headers.items(),
            stream=stream,
            status=answer.status,
            answer=text if isinstance(text, str) else "",
            clock=self._clock,
        )
        try:
            await self._store.keep_arrival(kept)
        except JournalError as error:
            log.error("journal unavailable", reason=str(error))  # the call itself was handled, and is answered so

    async def _handled(
        self, key: StoredKey, request: StrangerRequest, handling: Awaitable[web.StreamResponse]
    ) -> web.StreamResponse:
        from aiohttp import web

        try:
            return await handling
        except web.HTTPException as error:
            self._counts.keyed(key.account, key.direction.value, _outcome(error.status))
            error.headers.update(_cors(key, request.headers.get("Origin", "")))
            raise
        except (JournalError, ConnectionError):
            raise
        except Exception as error:
            self._counts.keyed(key.account, key.direction.value, "failed")
            raise HandlerFailed(key.account) from error

    async def _mark_used(self, key: StoredKey) -> None:
        """Once a day."""
        today = self._clock.now().date()
        if key.last_used_on == today or self._used.get(key.key_id) == today.toordinal():
            return
        if len(self._used) >= 10_000:
            self._used.clear()
        self._used[key.key_id] = today.toordinal()
        try:
            await self._store.mark_key_used(key.key_id, today)
        except JournalError:
            del self._used[key.key_id]
            raise


def most_readers() -> int:
    """So many may read at once by all keys together: half of the connections, so that those who say something get in."""
    from bridge.web import door

    return max(1, door.most_connections() // 2)


def _is_reading(key: StoredKey, request: StrangerRequest) -> bool:
    """Whether the call may last long, and brings nothing that an admin would look for."""
    return key.direction is KeyDirection.OUT or (key.direction is KeyDirection.API and request.method != "POST")


def grant_of(
    key: StoredKey, place: str, *, is_replay: bool, spend: Callable[[], float], is_valid: Callable[[], Awaitable[bool]]
) -> KeyGrant:
    return KeyGrant(
        key_id=key.key_id,
        chat=key.chat,
        direction=key.direction,
        label=key.label,
        is_form=key.is_form,
        origins=key.origins,
        most_bytes=key.most_bytes,
        is_replay=is_replay,
        place=place,
        spend=spend,
        is_valid=is_valid,
    )


def _cors(key: StoredKey, origin: str) -> dict[str, str]:
    if not key.is_form or not key.origins:
        return {}
    return {"Vary": "Origin"} | ({"Access-Control-Allow-Origin": origin} if origin in key.origins else {})


def _refused(status: int, text: str, outcome: str, headers: dict[str, str] | None = None) -> Refused:
    from aiohttp import web

    return Refused(web.Response(status=status, text=text + "\n", headers=headers), outcome)


def _unauthorised() -> web.HTTPUnauthorized:
    """The answer to who has no valid key."""
    from aiohttp import web

    error = web.HTTPUnauthorized(text="not authorised\n")
    error.force_close()
    return error


def _outcome(status: int) -> str:
    if status < 400:
        return "taken"
    return "refused" if status < 500 else "failed"

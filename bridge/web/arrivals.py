"""What arrives by keys, for an admin who connects a sender: kept while somebody looks on (`hooks listen`), and when it was refused.
What was taken is in the journal as an event, and nobody's copy of it is kept here.

Replays put such a request through once more, by the listener itself: the same way, with the same handler."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

import structlog

from bridge.journal.contract import Arrival, ArrivalStore, JournalError, KeyStore, NewArrival, StoredKey
from bridge.journal.contract.keys import ARRIVAL_BODY_BYTES
from bridge.model.clock import Clock
from bridge.model.web_mount import KeyDirection
from bridge.policy.redact import MASK, Masker

if TYPE_CHECKING:
    from bridge.web.stream import BoundedStream

log = structlog.get_logger("web")

KEPT_BYTES = ARRIVAL_BODY_BYTES + 1
"""Of a body while it is read; one more than is stored, so that it shows whether that is all."""
POLL_S = 1.0
_ANSWER_CHARS = 500
_VALUE_CHARS = 500
_MOST_HEADERS = 64
_SECRET_NAME = re.compile(r"authorization|cookie|token|secret|password|api-?key|credential|signature", re.IGNORECASE)
_OWN_KEY = re.compile(rb"(mbk_|mbi_)[0-9A-Za-z]{38}")
_PLACE = ":path"
"""HTTP/2's name for where a request went, which no header of HTTP/1 can have: kept where it was not `/in` or `/out`."""
_OF_THE_CONNECTION = frozenset(
    {_PLACE, "host", "connection", "content-length", "transfer-encoding", "expect", "keep-alive", "te", "upgrade"}
)
_mask = Masker()


def is_worth_keeping(key: StoredKey, status: int, clock: Clock) -> bool:
    return 400 <= status < 500 or (key.listened_until is not None and clock.now() < key.listened_until)


def as_kept(
    key: StoredKey,
    *,
    method: str,
    place: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    stream: BoundedStream,
    status: int,
    answer: str,
    clock: Clock,
) -> NewArrival:
    """A request as it is stored: without the key, and without what its headers have for secrets. Its body is as it came, but for
    keys of ours in it (senders repeat the URL that they were given)."""
    body = bytes(stream.beginning)
    kept = [(_text(name), _masked(name, _text(value))) for name, value in list(headers)[:_MOST_HEADERS]]
    if place != key.direction.value:
        kept.insert(0, (_PLACE, f"/{place}"))
    return NewArrival(
        key_id=key.key_id,
        arrived_at=clock.now(),
        method=method,
        query=_mask(f"?{query}")[1:],
        headers=tuple(kept),
        body=_OWN_KEY.sub(rb"\1" + MASK.encode(), body),
        is_whole=stream.at_eof() and stream.size_bytes == len(body),
        status=status,
        answer=_mask(answer)[:_ANSWER_CHARS],
    )


def _text(header: str) -> str:
    """Without the bytes that are no UTF-8, which HTTP lets through."""
    return header.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _masked(name: str, value: str) -> str:
    return MASK if _SECRET_NAME.search(name) else _mask(value)[:_VALUE_CHARS]


def place_to_call(key: StoredKey, arrival: Arrival, secret: str) -> tuple[str, list[tuple[str, str]]]:
    """The path that it came to, with this in the place of the key, and the header that shows it where the path does not."""
    place = next((value[1:] for name, value in arrival.headers if name == _PLACE), key.direction.value)
    if place and key.direction is not KeyDirection.API:
        return f"/{place}/{secret}", []
    return f"/{place}", [("Authorization", f"Bearer {secret}")]


def replayed_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without what belonged to the connection, and what was masked."""
    return [(name, value) for name, value in headers if name.lower() not in _OF_THE_CONNECTION and value != MASK]


class ReplayStore(KeyStore, ArrivalStore, Protocol):
    pass


class Repeater(Protocol):
    async def repeat(self, key: StoredKey, arrival: Arrival) -> tuple[int, str]:
        """Put it through once more; the answer's status and text. Raises OSError."""
        ...


class Replays:
    """Requests to replay are left in the journal, by a command in another process. The app runs `run`."""

    def __init__(self, store: ReplayStore, clock: Clock, repeater: Repeater) -> None:
        self._store = store
        self._clock = clock
        self._repeater = repeater

    async def run(self) -> None:
        while True:
            await self._clock.sleep(POLL_S)
            try:
                await self.take()
            except JournalError as error:
                log.error("journal unavailable", reason=str(error))

    async def take(self) -> None:
        """All that are asked for, one after the other. Raises JournalError."""
        while arrival := await self._store.take_replay():
            keys: Mapping[str, StoredKey] = {key.key_id: key for key in await self._store.keys() if key.revoked_at is None}
            key = keys.get(arrival.key_id)
            status, answer = (401, "the key is revoked") if key is None else await self._repeated(key, arrival)
            log.info("replayed on request", access_key=arrival.key_id, status=status)
            await self._store.replayed(arrival.number, status=status, answer=_mask(answer)[:_ANSWER_CHARS])

    async def _repeated(self, key: StoredKey, arrival: Arrival) -> tuple[int, str]:
        try:
            return await self._repeater.repeat(key, arrival)
        except OSError as error:
            return 503, f"the listener does not answer itself: {error}"

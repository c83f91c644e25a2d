"""How values become columns and come back: native ids, times, event keys, event bodies. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import msgspec

from bridge.journal.contract import AuthorName, Carried, DeliveryStatus, StoredPart
from bridge.journal.tracing import ChangeKind
from bridge.model.adapter import Copy
from bridge.model.capabilities import Feature
from bridge.model.events import AlbumItem, Author, ChatEvent, MessageCreated, MessageEdited

Packed = int | bytes | str
"""A native id as it is stored."""

_SLACK_TS = re.compile(r"[1-9][0-9]{9}\.[0-9]{6}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INTEGER_MAX = 2**63 - 1
_TS_BYTES = 7


def pack_id(text: str) -> Packed:
    """The smallest stored form of a native id. Decimal ids and Slack timestamps keep their order."""
    size = len(text)
    if size <= 19 and text.isascii() and text.isdigit() and (text[0] != "0" or size == 1):
        number = int(text)
        if number <= _INTEGER_MAX:
            return number
    elif size == 17 and _SLACK_TS.fullmatch(text):
        return int(text.replace(".", "")).to_bytes(_TS_BYTES, "big")
    elif size == 36 and _UUID.fullmatch(text):
        return bytes.fromhex(text.replace("-", ""))
    return text


def unpack_id(packed: Packed) -> str:
    if isinstance(packed, str):
        return packed
    if isinstance(packed, int):
        return str(packed)
    if len(packed) == _TS_BYTES:
        seconds, micros = divmod(int.from_bytes(packed, "big"), 1_000_000)
        return f"{seconds}.{micros:06d}"
    digits = packed.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def pack_optional(text: str | None) -> Packed | None:
    return None if text is None else pack_id(text)


def unpack_optional(packed: Packed | None) -> str | None:
    return None if packed is None else unpack_id(packed)


_strings = msgspec.json.Decoder(tuple[str, ...])


def pack_more(ids: tuple[str, ...]) -> str | None:
    """Further ids beside the first: JSON, or nothing."""
    return msgspec.json.encode(ids).decode() if ids else None


def unpack_more(more: str | None) -> tuple[str, ...]:
    return () if more is None else _strings.decode(more)


# -- times ------------------------------------------------------------------------------------------------------------------

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def pack_time(moment: datetime) -> int:
    """Microseconds since 1970. Raises TypeError for a naive time."""
    return (moment - _EPOCH) // _MICROSECOND


def unpack_time(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def pack_optional_time(moment: datetime | None) -> int | None:
    return None if moment is None else pack_time(moment)


def unpack_optional_time(micros: int | None) -> datetime | None:
    return None if micros is None else unpack_time(micros)


# -- events -----------------------------------------------------------------------------------------------------------------


def hash_key(event_key: str) -> bytes:
    """16 bytes represent an event key of any length; two keys of one journal do not collide in 128 bits by chance."""
    return blake2b(event_key.encode(), digest_size=16).digest()


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[ChatEvent] = msgspec.json.Decoder(ChatEvent)
# One decoder may be shared by threads: it keeps no state between calls.

encode_event = _encoder.encode
encode_item = _encoder.encode
encode_counts = _encoder.encode
decode_event = _decoder.decode
decode_edit = msgspec.json.Decoder(MessageEdited).decode
decode_created = msgspec.json.Decoder(MessageCreated).decode
decode_counts = msgspec.json.Decoder(tuple[int, ...]).decode
decode_item = msgspec.json.Decoder(AlbumItem).decode


# -- states -----------------------------------------------------------------------------------------------------------------

WAITING, SENDING, HELD, DEAD, DELIVERED, SKIPPED, BEHIND = range(7)
NUMBERS = {
    DeliveryStatus.BEHIND: BEHIND,
    DeliveryStatus.WAITING: WAITING,
    DeliveryStatus.SENDING: SENDING,
    DeliveryStatus.HELD: HELD,
    DeliveryStatus.DEAD: DEAD,
    DeliveryStatus.DELIVERED: DELIVERED,
    DeliveryStatus.SKIPPED: SKIPPED,
}
"""The stored number of each state."""
STATES = {number: state for state, number in NUMBERS.items()}


def sql_states(states: Iterable[DeliveryStatus]) -> str:
    """`IN (0, 1)`."""
    return f"IN ({', '.join(str(NUMBERS[state]) for state in sorted(states, key=lambda state: NUMBERS[state]))})"


def sql_transition(after: Mapping[DeliveryStatus, DeliveryStatus]) -> str:
    """The new state of a row, as an expression."""
    changes = [f"WHEN {NUMBERS[state]} THEN {NUMBERS[then]}" for state, then in after.items() if state is not then]
    return f"CASE state {' '.join(changes)} ELSE state END"


CHANGES = (ChangeKind.EDIT, ChangeKind.DELETION, ChangeKind.REACTIONS, ChangeKind.PIN, ChangeKind.UNPIN, ChangeKind.VOTES)
"""By stored number."""

# -- parts and authors --------------------------------------------------------------------------------------------------------


PART_COLUMNS = "part.part, part.chat, part.message, part.more, part.thread, part.data, part.text, part.marks"


_TEXT, _POLL, _WORDLESS = 1, 2, 4
_ALONE = {None: 0, Feature.LOCATION: 8, Feature.CONTACT: 16}


def pack_text(carried: Carried) -> int:
    """See `part.text` in schema.sql."""
    return _TEXT * carried.text | _POLL * carried.poll | _WORDLESS * carried.wordless | _ALONE[carried.alone]


def _carried(text: int, marks: str | None) -> Carried:
    return Carried(
        text=bool(text & _TEXT),
        files=marks is not None,
        marks=unpack_more(marks),
        poll=bool(text & _POLL),
        wordless=bool(text & _WORDLESS),
        alone=next((feature for feature, bit in _ALONE.items() if text & bit), None),
    )


def pack_marks(carried: Carried) -> str | None:
    """See `part.marks` in schema.sql."""
    return msgspec.json.encode(carried.marks).decode() if carried.files else None


def unpack_part(
    chat_id: str,
    part: int,
    message: Packed | None,
    more: str | None,
    thread: Packed | None,
    data: Packed | None,
    text: int,
    marks: str | None,
) -> StoredPart:
    first = () if message is None else (unpack_id(message),)
    copy = Copy(
        chat_id=chat_id,
        message_ids=first + unpack_more(more),
        thread_id=unpack_optional(thread),
        adapter_data="" if data is None else unpack_id(data),
    )
    return StoredPart(part=part, copy=copy, carried=_carried(text, marks))


def pack_author(author: Author | None) -> tuple[str | None, Packed | None, str | None]:
    """Columns author, author_id, username."""
    if author is None:
        return None, None, None
    return author.name, pack_id(author.user_id) if author.user_id else None, author.username or None


def unpack_author(name: str | None, user_id: Packed | None, username: str | None) -> AuthorName:
    return AuthorName(name or "", "" if user_id is None else unpack_id(user_id), username or "")


UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, LookupError, OverflowError, AssertionError)
"""The errors of reading a row that is damaged, or written by a newer version. An error of the storage itself is none of these."""

"""Updates as they came: read from their JSON text, and their kind and message. Pure; used by `receiver` and `decode`."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from adapters.common.lenient import mended_json, record
from adapters.telegram.inbound.decode_kinds import CONTENT_FIELDS, unknown_kind
from adapters.telegram.inbound.decode_service import SERVICE_FIELDS
from adapters.telegram.wire import Json, Message

_MOVED = frozenset({"migrate_to_chat_id", "migrate_from_chat_id"})
_KNOWN = frozenset({"edit_date", *SERVICE_FIELDS, *CONTENT_FIELDS, *_MOVED})


def read_update(raw: bytes) -> Json:
    """An update from the JSON text it came in. Half of a surrogate pair in a name or a text, which is no proper JSON, is replaced.

    Raises ValueError, MsgspecError among them."""
    try:
        return cast("Json", msgspec.json.decode(raw, type=dict))
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return cast("Json", msgspec.json.decode(mended_json(raw), type=dict))


def message_of(update: Json) -> Message:
    """The message that an update tells of, as it is now; an empty one if it tells of none."""
    kinds = ("message", "channel_post", "edited_message", "edited_channel_post")
    return cast("Message", record(next((update[kind] for kind in kinds if kind in update), None)))


def kind_of(update: Any) -> str:
    """The name of what an update tells of, as Telegram calls it."""
    return next((str(name) for name in update if name != "update_id"), "nothing") if isinstance(update, dict) else "no object"


def strange(update: Json) -> str:
    """What is new to us about a message whose content is of none of the known kinds; empty for all others."""
    message = message_of(update)
    if not message or not _KNOWN.isdisjoint(message):
        return ""
    return unknown_kind(message)

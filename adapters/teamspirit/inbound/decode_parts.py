"""Parts of a native message as the dialect finds them, read leniently: a value of another type than expected costs at most itself.

Pure; used by `decode` and `decode_cards`. What a message cannot do without (its id, its chat, its author) `decode` insists on.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adapters.common.queries import find, find_text
from bridge.model.events import Attachment, AttachmentKind

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.events import FileFields

_MILLISECONDS_FROM = 100_000_000_000
"""Unix times above this are in milliseconds: in seconds it is the year 5138."""
_KINDS = {"image": AttachmentKind.PHOTO, "video": AttachmentKind.VIDEO, "audio": AttachmentKind.AUDIO}
_NOT_TRUE = frozenset({"", "0", "false", "no", "null", "none"})
_UNKNOWN_FILE = "the messenger does not say which file it is"


def time_of(value: Any) -> datetime | None:
    """RFC 3339 text, or Unix time in seconds or milliseconds; None for anything else, nothing and zero included."""
    try:
        if isinstance(value, str) and not value.isdecimal():
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            seconds = float(value)
            return datetime.fromtimestamp(seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        pass
    return None


def truth_of(value: Any) -> bool:
    """Whether the server says yes: `"false"` and `"0"` are no, as they are written."""
    return value.strip().lower() not in _NOT_TRUE if isinstance(value, str) else bool(value)


def words_of(value: Any) -> str:
    """Anything as people would have to see it: texts and numbers as they are, the rest as JSON; nothing as nothing."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool() | int() | float():
            return json.dumps(value)
        case _:
            try:
                return json.dumps(value, ensure_ascii=False)
            except (TypeError, ValueError, RecursionError):
                return ""


def list_of(value: Any) -> list[Any]:
    """A list, a single thing as a list of one, nothing as an empty one."""
    if isinstance(value, list):
        return value
    return [] if value is None or value == "" or value is False else [value]


def file_count(items: Any, fields: FileFields | None) -> tuple[Attachment, ...]:
    """Every file has at least its line: one that the server does not name so that it can be fetched says that."""
    return () if fields is None else tuple(_file(item, fields) for item in list_of(items))


def _file(item: Any, fields: FileFields) -> Attachment:
    file_id, mime = find_text(fields.id, item), find_text(fields.mime, item)
    size = find(fields.size, item)
    known_size = isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**63
    return Attachment(
        kind=_KINDS.get(mime.partition("/")[0] or find_text(fields.kind, item), AttachmentKind.DOCUMENT),
        file_id=file_id,
        name=find_text(fields.name, item),
        mime=mime,
        size_bytes=size if known_size else None,
        problem="" if file_id else _UNKNOWN_FILE,
    )

"""Other data of a message than words and files: a place, somebody's contact. Pure; used by `decode_content`.

Read leniently: what is there and cannot be read as what it should be is at least a line.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from adapters.common.queries import find
from adapters.teamspirit.inbound.decode_parts import list_of, truth_of, words_of
from bridge.model.events import Contact, Location
from bridge.model.rich_text import RichText, plain

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.events import ContactFields, LocationFields

_MOST_DETAILS = 20
_LONGEST = 1000


def location_of(payload: Any, fields: LocationFields | None) -> Location | RichText | None:
    """The place, or a line about it if nobody can tell where it is; None: there is none."""
    if fields is None:
        return None
    found = [find(query, payload) for query in (fields.latitude, fields.longitude)]
    title, address = (_line(find(query, payload)) for query in (fields.title, fields.address))
    latitude, longitude = (_degrees(value, most) for value, most in zip(found, (90.0, 180.0), strict=True))
    if latitude is not None and longitude is not None:
        live = truth_of(find(fields.live, payload))
        return Location(latitude=latitude, longitude=longitude, title=title, address=address, live=live)
    told = [part for part in (title, address, *(_line(value) for value in found)) if part]
    return plain(f"📍 {', '.join(told)}") if told else None


def contact_of(payload: Any, fields: ContactFields | None) -> Contact | None:
    """None: there is none. One without a name is called by its phone."""
    if fields is None:
        return None
    name, phone = _line(find(fields.name, payload)), _line(find(fields.phone, payload))
    details = tuple(line for value in list_of(find(fields.details, payload))[:_MOST_DETAILS] if (line := _line(value)))
    if not (name or phone or details):
        return None
    return Contact(name=name or phone or details[0], phone=phone, details=details)


def _degrees(value: Any, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        degrees = float(value)
    except (ValueError, OverflowError):
        return None
    return degrees if math.isfinite(degrees) and abs(degrees) <= most else None


def _line(value: Any) -> str:
    return " ".join(words_of(value).split())[:_LONGEST]

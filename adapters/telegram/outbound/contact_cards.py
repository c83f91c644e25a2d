"""A contact's details -> the vCard that sendContact takes along (RFC 2426), of at most 2048 bytes. Pure.

`inbound.vcard` is the way back: its signs say which property a detail was."""

from __future__ import annotations

from bridge.model.events import Contact

_MOST_BYTES = 2048
_SIGNS = {"☎": "TEL", "✉": "EMAIL", "🎂": "BDAY"}


def vcard_of(contact: Contact) -> str:
    """Empty if there is nothing to say but the name and the number. What does not fit is left out whole, from the end."""
    if not contact.details:
        return ""
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{_escaped(contact.name)}", f"N:{_escaped(contact.name)};;;;"]
    lines += [f"TEL:{_escaped(contact.phone)}"] if contact.phone else []
    end = "END:VCARD"
    for detail in contact.details:
        sign, _, value = detail.partition(" ")
        name = _SIGNS.get(sign, "")
        property_ = f"{name}:{_escaped(value)}" if name and value else f"NOTE:{_escaped(detail)}"
        if _bytes([*lines, property_, end]) > _MOST_BYTES:
            break
        lines.append(property_)
    card = [*lines, end]
    return "\r\n".join(card) if _bytes(card) <= _MOST_BYTES else ""


def _bytes(lines: list[str]) -> int:
    return len("\r\n".join(lines).encode())


def _escaped(value: str) -> str:
    """A value in one line: no line of a detail can become a property."""
    one_line = " ".join(value.split())
    for sign in ("\\", ",", ";"):
        one_line = one_line.replace(sign, f"\\{sign}")
    return one_line

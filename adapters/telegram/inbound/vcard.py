"""The further details of a contact's vCard (RFC 2426, 6350), which the Bot API hands on as text of up to 2048 bytes. Pure."""

from __future__ import annotations

import quopri
import re

_SHOWN = dict.fromkeys(("FN", "ORG", "TITLE", "ROLE", "NICKNAME", "ADR", "URL", "NOTE"), "")
_SHOWN |= {"TEL": "☎", "EMAIL": "✉", "BDAY": "🎂"}
"""The properties that people see, with a sign for those that do not explain themselves. Pictures and keys are not among them."""
_VCARD_MAX = 8192
_DETAILS_MAX = 12
_DETAIL_LENGTH = 200


def details(vcard: str, known: set[str]) -> tuple[str, ...]:
    """A line for each property, in the order of the card; `known` are values that are shown already (name, phone number)."""
    found: dict[str, None] = {}
    soft_break = r"=\r?\n|\r?\n[ \t]" if "QUOTED-PRINTABLE" in vcard.upper() else r"\r?\n[ \t]"
    for line in re.sub(soft_break, "", vcard[:_VCARD_MAX]).splitlines():
        head, colon, value = line.partition(":")
        name, *parameters = head.split(";")
        sign = _SHOWN.get(name.rpartition(".")[2].upper())
        if sign is None or not colon:
            continue
        if any("QUOTED-PRINTABLE" in parameter.upper() for parameter in parameters):
            value = quopri.decodestring(value.encode("utf-8", "replace")).decode("utf-8", "replace")
        shown = _unescaped(value.removeprefix("tel:").removeprefix("mailto:"))
        if shown and _bare(shown) not in map(_bare, known):
            found[f"{sign} {shown[:_DETAIL_LENGTH]}".strip()] = None
    return tuple(found)[:_DETAILS_MAX]


def _unescaped(value: str) -> str:
    """The parts of a structured value in one line."""
    parts = (re.sub(r"\\([\\,;nN])", _meant, part) for part in re.split(r"(?<!\\);", value))
    return ", ".join(" ".join(part.split()) for part in parts if part.strip())


def _meant(escaped: re.Match[str]) -> str:
    return " " if escaped[1] in "nN" else escaped[1]


def _bare(value: str) -> str:
    return re.sub(r"[\s()/-]", "", value).casefold()

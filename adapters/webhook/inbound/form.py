"""Decodes a website's form to a message with a line for each field. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.webhook.inbound.body import Body
from adapters.webhook.inbound.common_json import TEXTS
from adapters.webhook.inbound.decode_content import decode_content, short
from adapters.webhook.inbound.received import Answer, Nothing, Said
from bridge.model.rich_text import EMPTY, plain
from bridge.model.web_mount import HONEYPOT_FIELD

if TYPE_CHECKING:
    from adapters.webhook.config import FormOptions

ROBOT = "a form that a robot filled in"
_SILENT = ("csrf", "token", "captcha", "password", "passwd", "submit", "_")
"""Prefixes and suffixes of fields that are meant for the site and its robots, not for people."""
_AUTHORS = ("name", "your-name", "fullname", "full_name", "author", "имя")
_MOST_FIELDS = 50
_LONGEST_LABEL = 100


def decode_form(body: Body, options: FormOptions | None) -> Said | Nothing | None:
    """None if no field was filled in."""
    values: dict[str, str] = {}
    for name, value in body.fields:
        if value.strip():
            values[name] = f"{values[name]}, {value}" if name in values else value
    traps = (HONEYPOT_FIELD, options.honeypot if options is not None else "")
    if any(values.get(trap) for trap in traps):
        return Nothing(reason=ROBOT, answer=Answer.FORM)
    author = values.get(options.author, "") if options is not None and options.author else _author(values)
    fields = list(_fields(values, options))
    if not fields and not body.files:
        return None
    title, text = options.title if options is not None else "", EMPTY
    if len(fields) == 1 and fields[0][0].lower() in TEXTS:
        text, fields = plain(fields[0][1]), []
    content = decode_content(title=title, text=text, fields=fields, files=body.files)
    return Said(content=content, answer=Answer.FORM, author=" ".join(author.split())[:80])


def _fields(values: dict[str, str], options: FormOptions | None) -> list[tuple[str, str]]:
    if options is not None and options.fields:
        return [(label, values[name]) for name, label in options.fields.items() if name in values]
    shown = [(name, value) for name, value in values.items() if not _is_silent(name)]
    return [(short(name, _LONGEST_LABEL), value) for name, value in shown[:_MOST_FIELDS]]


def _is_silent(name: str) -> bool:
    low = name.lower()
    return low.startswith(_SILENT) or low.endswith(("token", "captcha-response", "password"))


def _author(values: dict[str, str]) -> str:
    return next((values[name] for name in values if name.lower() in _AUTHORS), "")

"""Reading requests as strictly as a server does: types checked, refusals with the dialect's codes. No state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, hdrs, web

from adapters.teamspirit.emulator.errors import Refused
from adapters.teamspirit.emulator.files import FileStore, StoredFile
from adapters.teamspirit.emulator.outgoing import EVENTS
from adapters.teamspirit.emulator.records import OTHER_DATA, Json
from adapters.teamspirit.emulator.rules import Rules


@dataclass(frozen=True, slots=True)
class Content:
    text: str
    format: str
    files: list[StoredFile] | None
    """None: the request says nothing of files."""


async def json_object(request: web.Request) -> Json:
    if request.content_type != "application/json":
        raise Refused(415, "unsupported_media_type", "the body must be application/json")
    try:
        body = await request.json()
    except ValueError:
        raise Refused(400, "bad_json", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "bad_json", "the body must be an object")
    return body


async def json_or_form(request: web.Request) -> Json:
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = await request.post()
        return {"text": form.get("text", "")}
    return await json_object(request)


def text(body: Json, name: str, default: str | None = None) -> str:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise Refused(400, "bad_request", f"{name} must be a string")
    return value


def one_of(body: Json, name: str, allowed: Sequence[str]) -> str:
    value = text(body, name)
    if value not in allowed:
        raise Refused(400, "bad_request", f"{name} must be one of {', '.join(allowed)}")
    return value


def number(value: str, name: str) -> int:
    if not value.isdecimal():
        raise Refused(400, "bad_request", f"{name} must be a number")
    return int(value)


def strings(body: Json, name: str) -> list[str]:
    values: Any = body.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refused(400, "bad_request", f"{name} must be a list of strings")
    return list(values)


def message_text(body: Json, rules: Rules) -> str:
    value = text(body, "text", default="")
    rules.check_text(value)
    return value


def content(body: Json, store: FileStore, rules: Rules, kept_files: Sequence[StoredFile] = ()) -> Content:
    """Text, format and files of a send or an edit. `kept_files` are those of an edit that names none."""
    value = message_text(body, rules)
    format_name = one_of({"format": body.get("format", "markdown")}, "format", ("markdown", "plain"))
    files: list[StoredFile] | None = None
    if "files" in body:
        files = []
        for file_id in strings(body, "files"):
            stored = store.get(file_id)
            if stored is None:
                raise Refused(400, "file_not_found", "no such file")
            files.append(stored)
        rules.check_file_count(len(files))
    if not value.strip() and not (kept_files if files is None else files) and not other_data(body):
        raise Refused(400, "empty_message", "a message needs text or files")
    return Content(value, format_name, files)


def other_data(body: Json) -> dict[str, Json]:
    """Place, contact and card of a send or an edit, as far as it has them."""
    found = {name: body[name] for name in OTHER_DATA if body.get(name) is not None}
    for name, data in found.items():
        if not isinstance(data, dict):
            raise Refused(400, "bad_request", f"{name} must be an object")
    for name, most in (("lat", 90), ("lon", 180)) if "location" in found else ():
        degrees = found["location"].get(name)
        if isinstance(degrees, bool) or not isinstance(degrees, int | float) or abs(degrees) > most:
            raise Refused(400, "bad_request", f"location.{name} must be a number from -{most} to {most}")
    if "contact" in found and not text(found["contact"], "name"):
        raise Refused(400, "bad_request", "contact.name must not be empty")
    return found


def sender(body: Json) -> tuple[str, str]:
    value = body.get("sender")
    if value is None:
        return "", ""
    if not isinstance(value, dict):
        raise Refused(400, "bad_request", "sender must be an object")
    return text(value, "name", default=""), text(value, "avatar_url", default="")


def file_links(body: Json) -> list[tuple[str, str]]:
    values: Any = body.get("files") or []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise Refused(400, "bad_request", "files must be a list of objects")
    links = [(text(value, "url"), text(value, "name", default="")) for value in values]
    if any(not url.startswith(("http://", "https://")) for url, _ in links):
        raise Refused(400, "bad_request", "files must have http(s) URLs")
    return [(url, name or url) for url, name in links]


def webhook(body: Json) -> tuple[str, list[str], list[str]]:
    one_of(body, "direction", ("outgoing",))
    url = text(body, "url")
    if not url.startswith(("http://", "https://")):
        raise Refused(400, "bad_request", "url must be an http(s) URL")
    events = strings(body, "events")
    unknown = [name for name in events if name not in EVENTS]
    if unknown:
        raise Refused(400, "bad_request", f"unknown event {unknown[0]}")
    return url, strings(body, "chats"), events


async def file_part(request: web.Request) -> BodyPartReader:
    """The part named `file` of a multipart upload."""
    if not request.headers.get(hdrs.CONTENT_TYPE, "").startswith("multipart/form-data"):
        raise Refused(415, "unsupported_media_type", "the body must be multipart/form-data")
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == "file":
            return part
    raise Refused(400, "bad_request", "a part named file is needed")


async def chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(1 << 18):
        yield chunk

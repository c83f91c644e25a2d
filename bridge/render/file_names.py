"""A file's name and MIME type as the sender states them, made safe to pass on. Pure. Called by `files`. Both go into headers of
uploads, where a line break or a quote could inject a header; the name also goes onto other people's disks."""

from __future__ import annotations

import re
import unicodedata
from mimetypes import guess_extension, guess_type

import regex

from bridge.model.characters import BLANK, INVISIBLE
from bridge.model.events import Attachment

FALLBACK_MIME = "application/octet-stream"
_MOST_CHARACTERS = 120
_MOST_BYTES = 240
"""File systems take 255 bytes for a name."""
_LONGEST_EXTENSION = 10

_ENDINGS = {"audio/mp4": ".m4a", "audio/ogg": ".ogg", "image/jpeg": ".jpg", "image/webp": ".webp"}
"""Where the usual ending is another one, or unknown to some systems."""

_PART = r"[A-Za-z0-9!#$&^_.+-]{1,64}"
_MIME = re.compile(f"{_PART}/{_PART}")
"""RFC 6838, 4.2: what a type may be made of."""
_UNSAFE = re.compile(r'[/\\:*?"<>|]')
_UNSEEN = regex.compile(rf"(?!\u200d)[{INVISIBLE}\p{{Cs}}\p{{Co}}\p{{Cn}}]")
_BLANKS = regex.compile(rf"[{BLANK}]+")
_GRAPHEME = regex.compile(r"\X")
_DEVICES = re.compile(r"(?:con(?:in\$|out\$)?|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?= *(?:\.|$))", re.IGNORECASE)
"""Names that Windows treats as devices, whatever their extension, and whatever blanks are before it. Source: Microsoft, "Naming
Files, Paths, and Namespaces"; for the blanks, RtlIsDosDeviceName_U."""


def mime_of(attachment: Attachment) -> str:
    """The MIME type without parameters; guessed by the name if the sender's is invalid."""
    said = attachment.mime.partition(";")[0].strip().lower()
    if _MIME.fullmatch(said):
        return said
    return guess_type(attachment.name[-_MOST_BYTES:].replace("\n", "").replace("\r", ""))[0] or FALLBACK_MIME


def file_name(attachment: Attachment) -> str:
    """A name that is safe to pass on: one path component, printable, at most 120 characters and 240 bytes, no device, with an
    extension if the MIME type implies one. A name that begins with a dot keeps it."""
    kept = unicodedata.normalize("NFC", attachment.name[:4000].encode("utf-8", "replace").decode("utf-8"))
    kept = _BLANKS.sub(" ", _UNSEEN.sub("", _BLANKS.sub(" ", kept)))
    kept = _UNSAFE.sub("_", kept).strip(" ").rstrip(". ")
    is_hidden = kept.startswith(".") and not kept.startswith("..")
    kept = kept.lstrip(". ")
    if not kept:
        kept, is_hidden = attachment.kind.value, False
    stem, dot, extension = kept.rpartition(".")
    if not dot or len(extension) > _LONGEST_EXTENSION or " " in extension:
        known = "" if is_hidden else (guess_extension(mime_of(attachment)) or "").lstrip(".")
        stem, extension = kept, known
    if is_hidden:
        stem = f".{stem}"
    if _DEVICES.match(stem):
        stem = f"{stem}_" if _DEVICES.fullmatch(stem) else _DEVICES.sub(lambda found: f"{found[0]}_", stem, count=1)
    ending = f".{extension}" if extension else ""
    return _shortened(stem, _MOST_CHARACTERS - len(ending), _MOST_BYTES - len(ending.encode())) + ending


def with_ending(attachment: Attachment, mime: str) -> str:
    """The attachment's name, as it should be for a file of that type that was made of it."""
    stem, dot, ending = attachment.name.rpartition(".")
    kept = stem if dot and stem and len(ending) <= _LONGEST_EXTENSION and " " not in ending else attachment.name
    return f"{kept or attachment.kind.value}{_ENDINGS.get(mime) or guess_extension(mime) or ''}"


def _shortened(text: str, most_characters: int, most_bytes: int) -> str:
    """As many graphemes as there is room for; at least a part of the first."""
    if len(text) <= most_characters and len(text.encode()) <= most_bytes:
        return text
    kept, size_bytes = "", 0
    for found in _GRAPHEME.finditer(text, 0, most_characters):
        size_bytes += len(found[0].encode())
        if size_bytes > most_bytes:
            break
        kept += found[0]
    return kept.rstrip(". ") or text[: most_characters // 4]

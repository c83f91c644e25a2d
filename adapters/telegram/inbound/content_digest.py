"""A short digest of a message's content, which stays the same as long as nothing visible changes. Pure."""

from __future__ import annotations

import hashlib

import msgspec

from bridge.model.events import Content


def lasting(content: Content) -> Content:
    """What stays the same as long as nothing of a message changes. What it answers cannot, though it is told as it is now."""
    if content.reply_to is None and not content.attachments and not content.pictures:
        return content
    files = [msgspec.structs.replace(file, file_id=file.unique_id or file.file_id, problem="") for file in content.attachments]
    return msgspec.structs.replace(content, reply_to=None, attachments=tuple(files), pictures=())


def content_digest(content: Content) -> str:
    """A few letters for what lasts of a content, the same in every process."""
    shown = repr(msgspec.to_builtins(lasting(content))).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(shown, digest_size=6).hexdigest()

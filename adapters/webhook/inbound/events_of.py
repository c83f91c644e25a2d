"""Turns a request into events: a message, or an edit of the message that its id names. Used by `receiver`, one request at a
time."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from adapters.webhook.inbound.incidents import Incident, Incidents, digest_of
from adapters.webhook.inbound.received import Said
from bridge.model.events import Author, ChatEvent, EventMeta, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import AccountName, ChatRef


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded request that waits to be stored."""

    end: str
    said: Said
    label: str
    """The author's name if the payload has none."""
    at: datetime
    request_id: str = ""
    """The identifier of the request, by which a repetition is recognised; empty if it has none."""
    former_id: str = ""
    """The identifier as bridges before wrote it. It is looked for, and never written."""
    by_person: bool = False


async def events_of(job: Job, account: AccountName, incidents: Incidents) -> tuple[str, ChatEvent | None]:
    """The id of its message, and the event to accept; None if it has nothing new."""
    if job.request_id:
        for known_as in (job.request_id, job.former_id):
            before = await incidents.request(job.end, known_as) if known_as else None
            if before is not None:
                return before, None
    message_id, event = await _event(job, account, incidents)
    if job.request_id:
        await incidents.remember_request(job.end, job.request_id, message_id)
    return message_id, event


async def _event(job: Job, account: AccountName, incidents: Incidents) -> tuple[str, ChatEvent | None]:
    if job.said.changes and await incidents.is_message(_created_key(job, account, job.said.changes)):
        return job.said.changes, _change(job, account)
    if job.said.is_deletion:
        return "", None
    said, digest = job.said, _digest(job.said)
    known = await incidents.get(job.end, said.id) if said.id else None
    if (
        known is not None
        and known.digest != digest
        and not await incidents.is_message(_created_key(job, account, known.message_id))
    ):
        known = None  # the core no longer knows the message, and could not edit it
    if known is None or (known.over and not said.over):
        message_id = digest_of(f"request {job.request_id}") if job.request_id else uuid.uuid4().hex[:24]
        if said.id:
            await incidents.set(job.end, said.id, Incident(message_id, digest, 0, said.over))
        key = _created_key(job, account, message_id)
        incidents.created(key)
        return message_id, MessageCreated(meta=_meta(job, account, key), message_id=message_id, content=said.content)
    if known.digest == digest and known.over == said.over:
        return known.message_id, None
    now = Incident(known.message_id, digest, known.version + 1, said.over)
    await incidents.set(job.end, said.id, now)
    if known.digest == digest:
        return known.message_id, None
    key = f"edited:{account}:{job.end}:{known.message_id}:{now.version}"
    return known.message_id, MessageEdited(meta=_meta(job, account, key), message_id=known.message_id, content=said.content)


def _change(job: Job, account: AccountName) -> ChatEvent:
    """Of the message that the sender names by its id."""
    message_id = job.said.changes
    if job.said.is_deletion:
        key = f"deleted:{account}:{job.end}:{message_id}"
        return MessageDeleted(meta=_meta(job, account, key), message_id=message_id)
    version = digest_of(f"request {job.request_id}") if job.request_id else uuid.uuid4().hex[:24]
    key = f"edited:{account}:{job.end}:{message_id}:{version}"
    return MessageEdited(meta=_meta(job, account, key), message_id=message_id, content=job.said.content)


def _created_key(job: Job, account: AccountName, message_id: str) -> str:
    return f"created:{account}:{job.end}:{message_id}"


def _digest(said: Said) -> str:
    """A digest of the visible content. File ids are left out: they differ on each request."""
    seen = [(file.name, file.size_bytes) for file in said.content.attachments]
    content = msgspec.structs.replace(said.content, attachments=())
    return digest_of(msgspec.json.encode([content, seen]).decode("utf-8", "replace"))


def _meta(job: Job, account: AccountName, key: str) -> EventMeta:
    name = " ".join((job.said.author or job.label or job.end).split())[:80] or job.end
    author = Author(user_id=name, name=name, avatar_url=job.said.avatar_url, is_bot=not job.by_person)
    return EventMeta(event_key=key, origin=ChatRef(account, job.end), occurred_at=job.at, received_at=job.at, author=author)

"""Bodies of calls that post or edit a message. Types only; made by `encode`.

Source: API reference, message and webhook resources, August 2026.
"""

from __future__ import annotations

from typing import TypedDict


class AllowedMentions(TypedDict, total=False):
    parse: list[str]
    users: list[str]
    roles: list[str]
    replied_user: bool


class AttachmentBody(TypedDict, total=False):
    """A file of the request by its number, or one that the message keeps by its id."""

    id: int | str
    filename: str
    title: str
    description: str
    is_spoiler: bool
    duration_secs: float
    waveform: str


class EmbedBody(TypedDict, total=False):
    type: str
    description: str


class ReplyBody(TypedDict):
    message_id: str
    fail_if_not_exists: bool


class PollMediaBody(TypedDict):
    text: str


class PollAnswerBody(TypedDict):
    poll_media: PollMediaBody


class PollBody(TypedDict):
    """A "Poll Create Request". `duration` in hours."""

    question: PollMediaBody
    answers: list[PollAnswerBody]
    duration: int
    allow_multiselect: bool
    layout_type: int


class MessageBody(TypedDict, total=False):
    """Of "Create Message", "Execute Webhook" and both edits."""

    content: str
    allowed_mentions: AllowedMentions
    embeds: list[EmbedBody]
    flags: int
    attachments: list[AttachmentBody]
    username: str
    avatar_url: str
    nonce: str
    enforce_nonce: bool
    message_reference: ReplyBody
    poll: PollBody

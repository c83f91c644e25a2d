"""Attachments after fetching, and why one of them cannot be sent to a target. Pure; called by `render` and `delivery`."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from bridge.model.adapter import ListedFile, OutboundFile
from bridge.model.events import Attachment
from bridge.model.media import Form
from bridge.render.attachments import Target, why_unsendable
from bridge.render.file_names import file_name, mime_of
from bridge.render.long_text import is_whole_text


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchResult:
    """An attachment whose fetching is over: complete on disk, or the reason why not, in words for readers. With neither, a created
    message shows that the file is missing; in an edited one it stands for the file that its copy has already."""

    attachment: Attachment
    file: OutboundFile | None = None
    problem: str = ""
    late: bool = False
    """It cannot be fetched now but may be later: the text is sent without it. `problem` says so, `after_s` when to ask again."""
    after_s: float | None = None
    form: Form | None = None
    """What a late file is being converted to: it may have been sent as that before."""
    url: str = ""
    """A link to the file, for a line about one that the target cannot take."""


def is_offered(item: FetchResult, target: Target) -> bool:
    """Whether a link may stand for a file that is not sent: it can be fetched, and only the target does not take it. Files that are
    not relayed into this chat have none."""
    is_fetchable = not (item.problem or item.late or item.attachment.problem or is_whole_text(item.attachment))
    return is_fetchable and target.options.files and bool(why_unsendable(as_fetched(item), target))


def listed_file(attachment: Attachment, problem: str, url: str) -> ListedFile:
    return ListedFile(attachment=attachment, name=file_name(attachment), mime=mime_of(attachment), problem=problem, url=url)


def why_missing(item: FetchResult, target: Target) -> str:
    """Why a file cannot be sent to the target, in words for its readers; empty if it can."""
    return item.problem or why_unsendable(as_fetched(item), target)


def as_fetched(item: FetchResult) -> Attachment:
    """The attachment with the size that was found, if it was fetched."""
    if item.file is None or item.file.size_bytes == item.attachment.size_bytes:
        return item.attachment
    return msgspec.structs.replace(item.attachment, size_bytes=item.file.size_bytes)

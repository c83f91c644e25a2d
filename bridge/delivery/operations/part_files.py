"""The files of one created message: on disk when its parts need them, or the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bridge.delivery.execution import Execution
from bridge.delivery.message_plan import PlannedPart
from bridge.delivery.operations.tools import Tools
from bridge.files.fetch import FileNotYet, most_bytes
from bridge.model.adapter import OutboundFile
from bridge.model.events import Attachment, MessageCreated
from bridge.model.media import Form
from bridge.render.attachments import as_sendable_kind
from bridge.render.conversions import in_form, wanted_form
from bridge.render.file_names import file_name, mime_of
from bridge.render.message import FetchResult, why_missing


class PartFiles:
    """They stay on disk until the stack closes."""

    def __init__(self, event: MessageCreated, run: Execution, tools: Tools, stack: AsyncExitStack) -> None:
        self.event = event
        self._run, self._tools, self._stack = run, tools, stack
        self._fetched: dict[int, FetchResult] = {}

    async def fetch_all(self) -> Sequence[FetchResult]:
        if not self.event.content.attachments:
            return ()
        fetched = await self._fetch_those(None)
        self._fetched = dict(enumerate(fetched))
        return fetched

    async def fetch_added(self, event: MessageCreated) -> FetchResult:
        """The event has one file more, at the end."""
        index = len(self.event.content.attachments)
        self.event = event
        one = self._fetched[index] = (await self._fetch_those(index))[index]
        return one

    async def of(self, planned: PlannedPart) -> tuple[tuple[OutboundFile, ...], dict[int, str], FetchResult | None]:
        """The part's files on disk, the reasons for missing ones, and a file that may still come, if there is one: then its
        placeholder only serves for asking the platform."""
        files: list[OutboundFile] = []
        problems: dict[int, str] = {}
        late: FetchResult | None = None
        rendering = self._run.target.rendering
        for index in planned.files:
            one = self._fetched.get(index) or await self._fetch(index)
            if one.late:
                late = one
                files.append(stand_in(index, one))
                continue
            problem = why_missing(one, rendering)
            if problem or one.file is None:
                problems[index] = problem
            else:
                files.append(as_sendable_kind(one.file, rendering, same_platform=self._same_platform))
        return tuple(files), problems, late

    async def _fetch(self, index: int) -> FetchResult:
        try:
            one = (await self._fetch_those(index))[index]
        except FileNotYet as error:
            if not self._run.delivery.parts:
                raise
            attachment = self.event.content.attachments[index]
            one = FetchResult(attachment=attachment, problem=error.reason, late=True, after_s=error.after_s, form=error.form)
        self._fetched[index] = one
        return one

    @property
    def _same_platform(self) -> bool:
        origin = self._tools.renderer.origin_of(self.event.meta.origin)
        return origin.platform == self._run.target.rendering.platform

    def _form_of(self, attachment: Attachment) -> Form | None:
        return wanted_form(attachment, self._run.target.rendering, same_platform=self._same_platform)

    async def _fetch_those(self, only: int | None) -> Sequence[FetchResult]:
        run, content = self._run, self.event.content
        if not content.attachments:
            return ()
        if not run.target.options.files:
            return [FetchResult(attachment=attachment) for attachment in content.attachments]
        return await self._tools.files.fetch_all(
            self._stack,
            event_seq=run.pending.event_seq,
            origin=self.event.meta.origin,
            content=self._tools.renderer.rewritten_content(self.event, run.target),
            most_bytes=most_bytes(run.target.capabilities.limits, run.target.options),
            patience=run.delivery.files.patience,
            within_s=run.delivery.files.wait_s,
            only=None if only is None else {only},
            form_of=self._form_of,
        )


def stand_in(index: int, one: FetchResult) -> OutboundFile:
    """A file that is not on disk, in what can be known of it. The size of one that is converted is not known: it is 0."""
    attachment, size_bytes = one.attachment, one.attachment.size_bytes or 0
    if one.form is not None:
        size_bytes = size_bytes if one.form.mime == mime_of(attachment) else 0
        attachment = in_form(attachment, one.form)
    name, mime = file_name(attachment), mime_of(attachment)
    return OutboundFile(attachment=attachment, path=Path(str(index)), name=name, mime=mime, size_bytes=size_bytes)

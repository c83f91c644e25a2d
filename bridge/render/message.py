"""(event, target's capabilities) -> the parts to send and what is lost: every decision about how a message looks elsewhere. Pure.

The outbox calls `render` for created and edited messages and `render_notice` for lines about what happened. Adapters encode into a
platform's markup; what the text may contain is decided in `degrade`, splitting in `split`, files in `attachments`.

How a message looks. Where the target has native sender names, every part carries one. Elsewhere the author's name is a bold line of
its own above the text; further parts of the message begin with the same line and an ellipsis, because each is a message of the same
bot, may be forwarded or replied to alone, and must not look like another person's. Then come a forward's source, the quoted reply
(where it is not native), the text, what has no native form (polls, places, files that cannot travel). A text that fits goes with
the files as their caption, a longer one before them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bridge.identity.names import Names
from bridge.identity.people import People
from bridge.model.adapter import ListedFile, OutboundFile, Reply, Sender
from bridge.model.capabilities import Feature, Support
from bridge.model.characters import is_blank
from bridge.model.events import Attachment, AttachmentKind, Author, Content, Forward, MessageCreated, MessageEdited, ReplyTo
from bridge.model.original import Original
from bridge.model.outcomes import Loss, LossOf
from bridge.model.rich_text import (
    EMPTY,
    Mark,
    RichText,
    concat,
    stack,
)
from bridge.render.attachments import Target, as_sendable_kind, kind_there, why_unsendable
from bridge.render.contents import has_mass_mention, shows_nothing
from bridge.render.degrade import SPOILER_LABEL, Losses, degrade
from bridge.render.extras import (
    Existing,
    may_show,
    native_contact,
    native_location,
    with_own_messages,
    without_hidden,
    worded,
)
from bridge.render.fetched import FetchResult, as_fetched, listed_file, why_missing
from bridge.render.layout import Layout, Slot
from bridge.render.localize import localize
from bridge.render.long_text import cut_line, is_whole_text
from bridge.render.notices import (
    contact_lines,
    file_line,
    forward_line,
    line,
    location_lines,
    poll_lines,
    reply_lines,
)
from bridge.render.origin import Origin
from bridge.render.original import original_of
from bridge.render.parts import Held, Part, Rendered, TextParts
from bridge.render.polls import native_poll

__all__ = [
    "FetchResult",
    "Part",
    "Rendered",
    "Target",
    "TextParts",
    "render",
    "why_missing",
    "why_unsendable",
]


def render_lines(
    event: MessageCreated | MessageEdited,
    *,
    origin: Origin,
    target: Target,
    people: People,
    names: Names,
    fetched: Sequence[FetchResult] = (),
) -> TextParts:
    """A text message as the target is to show it, in one piece whatever its length; files are lines if they cannot be there."""
    return _Rendering(event, origin, target, people, names).text_parts(fetched)


def render(
    event: MessageCreated | MessageEdited,
    *,
    origin: Origin,
    target: Target,
    fetched: Sequence[FetchResult],
    reply: Reply | None,
    people: People,
    names: Names,
    existing: Sequence[Existing] | None = None,
    notes: Sequence[RichText] = (),
) -> Rendered:
    """The message as the target is to show it.

    `fetched` is parallel to the content's attachments; `reply` is what it answers, as far as the target or the journal knows.
    For an edit, `existing` tells of each copy in the target, in order, what it holds: the parts then fit those copies.
    Without it they have the layout that a new message would have. `notes` are lines of the bridge's own below the text.
    """
    return _Rendering(event, origin, target, people, names).result(fetched, reply, existing, notes)


class _Rendering:
    def __init__(self, event: MessageCreated | MessageEdited, origin: Origin, target: Target, people: People, names: Names) -> None:
        self.content: Content = without_hidden(event.content, origin.account, names)
        self.event = event if self.content is event.content else msgspec.structs.replace(event, content=self.content)
        self.origin = origin
        self.target = target
        self.people = people
        self.names = names
        self.capabilities = target.capabilities
        self.limits = target.capabilities.limits
        self.losses: Losses = {}
        self.listed: list[ListedFile] = []
        self.author: Author | None = event.meta.author
        self.name = names.shown(
            self.author or Author(user_id="", name=origin.chat_title or origin.title),
            template=target.options.sender,
            account=origin.account,
            platform=origin.title,
            chat=origin.chat_name,
            length=self.limits.sender_name_length,
        )
        self.sender = self._native_sender()
        self.location = native_location(self.content.location, self.capabilities)
        self.contact = native_contact(self.content.contact, self.capabilities)
        self.poll = native_poll(event, self.capabilities)

    # -- the whole ------------------------------------------------------------------------------------------------------

    def result(
        self, fetched: Sequence[FetchResult], reply: Reply | None, existing: Sequence[Existing] | None, notes: Sequence[RichText]
    ) -> Rendered:
        self.location = self.location if may_show(Feature.LOCATION, self.capabilities, existing) else None
        self.contact = self.contact if may_show(Feature.CONTACT, self.capabilities, existing) else None
        reply = self._known_reply(reply)
        native_reply = reply if reply and reply.message_id and self.capabilities.native(Feature.REPLY) else None
        if reply and not native_reply:
            self.losses[Loss.REPLY_AS_QUOTE] = None
        files, missing = self._files(fetched)
        held = worded(existing)
        has_files = bool(files) if held is None else any(one is not Held.WORDS for one in held)
        shown_kinds = self._kinds_of(files) if has_files else ()
        body, below = self._body([*missing, *notes], None if native_reply else reply, has_files=has_files, shown_kinds=shown_kinds)
        edited = isinstance(self.event, MessageEdited)
        problem = self._why_cut(fetched)
        layout = Layout(
            self.target,
            head=self._name_line(),
            tail=self._name_line(" …"),
            ending=lambda left_out: degrade(cut_line(left_out, problem=problem), self.capabilities, self.losses),
            edited=edited,
            file_follows=any(is_whole_text(item.attachment) for item in fetched),
        )
        slots = layout.new(files, body, below) if held is None else layout.onto(held, body, below)
        if self.poll and not (len(slots) == 1 and self._goes_with_poll(slots[0])):
            self.poll = None
            return self.result(fetched, reply, existing, notes)
        worded_parts = [self._part(number, slot, native_reply) for number, slot in enumerate(slots)]
        parts = with_own_messages(worded_parts, self._own_messages(), existing, native_reply)
        if layout.left_out:
            self.losses[LossOf(Loss.SHORTENED, f"shortened: the text is {layout.left_out:,} characters longer")] = None
        return Rendered(parts=parts, losses=tuple(self.losses), left_out=layout.left_out)

    def _why_cut(self, fetched: Sequence[FetchResult]) -> str:
        """Why there is no file with the whole text; empty if there is."""
        whole = next((item for item in fetched if is_whole_text(item.attachment)), None)
        if whole is None:
            return "the message is too long"
        return "" if whole.late else why_missing(whole, self.target)

    def text_parts(self, fetched: Sequence[FetchResult]) -> TextParts:
        _, missing = self._files(fetched)
        self.location = self.contact = self.poll = None  # text is all that there can be
        return TextParts(
            body=stack(*self._body(missing, self._known_reply(None), has_files=False)),
            head=self._name_line(),
            tail=self._name_line(" …"),
            sender=self.sender,
            previews=self._previews,
            losses=tuple(self.losses),
        )

    def _goes_with_poll(self, slot: Slot) -> bool:
        return not slot.has_files and self.target.measure(slot.text, caption=True) <= self.limits.caption_length

    @property
    def _previews(self) -> bool:
        return self.target.options.previews and self.content.previews

    def _own_messages(self) -> dict[Feature, Part]:
        alone = self.capabilities.alone
        own: dict[Feature, Part] = {}
        if self.location is not None and Feature.LOCATION in alone:
            own[Feature.LOCATION] = Part(sender=self.sender, location=self.location, alone=Feature.LOCATION)
        if self.contact is not None and Feature.CONTACT in alone:
            own[Feature.CONTACT] = Part(sender=self.sender, contact=self.contact, alone=Feature.CONTACT)
        return own

    def _part(self, number: int, slot: Slot, reply: Reply | None) -> Part:
        location = self.location if number == 0 and Feature.LOCATION not in self.capabilities.alone else None
        contact = self.contact if number == 0 and Feature.CONTACT not in self.capabilities.alone else None
        has_other = number == 0 and any(one is not None for one in (location, contact, self.poll))
        return Part(
            text=slot.text,
            files=slot.files,
            sender=self.sender,
            reply=self._reply_of_part(number, reply),
            mass_mentions=has_mass_mention(slot.text),
            previews=self._previews,
            location=location,
            contact=contact,
            poll=self.poll if number == 0 else None,
            listed=tuple(self.listed) if number == 0 else (),
            original=self._original(number),
            has_files=slot.has_files,
            wordless=slot.has_files and not slot.captioned,
            surplus=slot.surplus and not has_other,
            unchanged=slot.unchanged and not has_other,
        )

    def _original(self, number: int) -> Original | None:
        if not self.capabilities.takes_data:
            return None
        forward = self.content.forwarded_from
        shown = self._shown_forward(forward) if forward else None
        return original_of(self.event, forward=shown, is_first=number == 0, platform=self.origin.platform)

    def _reply_of_part(self, number: int, reply: Reply | None) -> Reply | None:
        """Where answers are pointers, the first part points. Where they are less (REPLY is PARTIAL: a place in a thread, say), all
        parts belong there, and only the first one has the words of what is answered: a reply without words shows nothing."""
        if reply is None or number == 0:
            return reply
        if self.capabilities.level(Feature.REPLY) is Support.FULL:
            return None
        return Reply(message_id=reply.message_id, thread_id=reply.thread_id)

    # -- who ------------------------------------------------------------------------------------------------------------

    def _native_sender(self) -> Sender | None:
        if not self.capabilities.native(Feature.SENDER_NAME):
            self.losses[Loss.SENDER_AS_LINE] = None
            return None
        avatar = self.author.avatar_url if self.author and self.capabilities.native(Feature.SENDER_AVATAR) else ""
        return Sender(name=self.name, avatar_url=avatar)

    def _name_line(self, continued: str = "") -> RichText:
        if self.sender:
            return EMPTY
        bold = self.capabilities.native(Feature.BOLD)
        return line(self.name + (continued or ("" if bold else ":")), Mark.BOLD if bold else 0)

    # -- what -----------------------------------------------------------------------------------------------------------

    def _body(
        self,
        missing: Sequence[RichText],
        quoted: Reply | None,
        *,
        has_files: bool,
        shown_kinds: Sequence[AttachmentKind] = (),
    ) -> tuple[RichText, RichText]:
        """The words, and the lines below them."""
        content = self.content
        location = None if self.location else content.location
        contact = None if self.contact else content.contact
        poll = None if self.poll else content.poll
        words = [
            forward_line(self._shown_forward(content.forwarded_from)) if content.forwarded_from else EMPTY,
            reply_lines(quoted.author_name, quoted.excerpt) if quoted else EMPTY,
            line(SPOILER_LABEL.strip()) if self._opens_spoiler(shown_kinds) else EMPTY,
            EMPTY if shows_nothing(content.text) else self._localized(content.text),
        ]
        below = [
            poll_lines(poll) if poll else EMPTY,
            location_lines(location, self.target.options.map_url) if location else EMPTY,
            contact_lines(contact) if contact else EMPTY,
            *missing,
        ]
        for loss, there in (
            (Loss.POLL_AS_TEXT, poll),
            (Loss.LOCATION_AS_TEXT, location),
            (Loss.CONTACT_AS_TEXT, contact),
        ):
            if there:
                self.losses[loss] = None
        body, lines = (degrade(concat(*pieces), self.capabilities, self.losses) for pieces in (words, below))
        is_shown = has_files or self.location or self.contact or self.poll
        if not is_shown and shows_nothing(body) and shows_nothing(lines):
            body = degrade(line("(empty message)", Mark.ITALIC), self.capabilities, self.losses)
        return body, lines

    def _kinds_of(self, files: Sequence[OutboundFile | None]) -> list[AttachmentKind]:
        """The kinds that hidden files are shown as: of those that an edited message has already, as far as it is known."""
        sent = [file.attachment.kind for file in files if file is not None and file.attachment.spoiler]
        if sent or any(file is not None for file in files):
            return sent
        same = self.origin.platform == self.target.platform
        return [kind_there(one, self.target, same_platform=same) for one in self.content.attachments if one.spoiler]

    def _opens_spoiler(self, hidden: Sequence[AttachmentKind]) -> bool:
        """Whether a hidden file will lie open, so that at least a word has to warn of it."""
        if all(kind in self.capabilities.media.hides for kind in hidden):
            return False
        self.losses[Loss.SPOILER_OPEN] = None
        return True

    def _localized(self, rich: RichText) -> RichText:
        return localize(
            rich,
            origin=self.origin.account,
            target=self.target.account,
            people=self.people,
            names=self.names,
            may_ping_all=self._may_ping_all(),
            losses=self.losses,
        )

    def _may_ping_all(self) -> bool:
        allowed = self.target.options.mass_mentions
        if not allowed or self.author is None:
            return False
        person = self.people.person_of(self.origin.account, self.author)
        return self.author.user_id in allowed or (person is not None and person.name in allowed)

    # -- reply ----------------------------------------------------------------------------------------------------------

    def _known_reply(self, reply: Reply | None) -> Reply | None:
        """What is known of the answered message, from the journal and from what the origin showed."""
        if reply is None and self.content.reply_to is None:
            return None
        shown = self.content.reply_to or ReplyTo(message_id="")
        known = reply or Reply()
        both = Reply(
            message_id=known.message_id,
            thread_id=known.thread_id,
            author_name=self.names.answered_name(
                self.origin.account,
                known.author_name or shown.author_name,
                user_id="" if known.author_name else shown.author_id,
                is_ours=bool(known.author_name),
            ),
            excerpt=known.excerpt or shown.excerpt,
        )
        return both if both.message_id or both.author_name or not is_blank(both.excerpt) else None

    def _shown_forward(self, forward: Forward) -> Forward:
        """With names as they may be shown: nobody passes for another by being forwarded."""
        account = self.origin.account
        return Forward(
            author_name=self.names.distinct_name(account, forward.author_name, user_id=forward.author_id),
            chat_name=self.names.distinct_name(account, forward.chat_name),
        )

    # -- files ----------------------------------------------------------------------------------------------------------

    def _files(self, fetched: Sequence[FetchResult]) -> tuple[list[OutboundFile | None], list[RichText]]:
        """Files to send (None: one that an edited message has already), and lines for those that cannot be."""
        files: list[OutboundFile | None] = []
        missing: list[RichText] = []
        edited = isinstance(self.event, MessageEdited)
        same_platform = self.origin.platform == self.target.platform
        for item in fetched:
            problem = why_missing(item, self.target)
            if not problem and item.file is None and not edited:
                problem = "could not be fetched"
            if problem and is_whole_text(item.attachment):
                continue  # what the text ends with says so
            if item.late:
                missing.append(file_line(as_fetched(item), problem))
            elif problem:
                missing.append(file_line(as_fetched(item), problem, item.url))
                self.listed.append(listed_file(as_fetched(item), problem, item.url))
                kind = item.attachment.kind.value.replace("_", " ")
                self.losses[LossOf(Loss.FILE_AS_LINE, f"{kind} shown as a line: {problem}")] = None
            elif item.file is None or edited:
                files.append(None)
            else:
                file = as_sendable_kind(item.file, self.target, same_platform=same_platform)
                if file is not item.file:
                    before, after = (kind.value.replace("_", " ") for kind in (item.attachment.kind, file.attachment.kind))
                    self.losses[LossOf(Loss.FILE_AS_OTHER_KIND, f"{before} sent as {after}")] = None
                if self._loses_alt_text(item.attachment):
                    self.losses[Loss.ALT_TEXT] = None
                files.append(file)
        return files, missing

    def _loses_alt_text(self, attachment: Attachment) -> bool:
        """Of a sticker it is what the platform calls it, and nobody's words."""
        is_told = attachment.kind is not AttachmentKind.STICKER and bool(attachment.alt_text.strip())
        return is_told and not self.capabilities.media.keeps_alt_text

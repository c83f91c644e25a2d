"""How each kind of message part or event is shown from one end to another, as far as it is known in advance. Pure.

For text and files the core's own code (`degrade`, `attachments`) is run on samples, so that this table cannot differ from what is
really done. The rest follows from capabilities and relay options as the outbox reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bridge.model.adapter import OutboundFile
from bridge.model.capabilities import Capabilities, Feature, Support
from bridge.model.events import KINDS, Attachment, AttachmentKind
from bridge.model.kinds import Traits
from bridge.model.refs import AccountName
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
    Heading,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
)
from bridge.model.rich_text_tables import table
from bridge.policy.routing import RelayOptions
from bridge.render.attachments import MEGABYTE, Target, as_sendable_kind, why_unsendable
from bridge.render.degrade import Losses, degrade
from bridge.render.notices import human_size


class Level(StrEnum):
    NATIVE = "native"
    PARTLY = "partly"
    """Native with a limit that the note names."""
    CONVERTED = "converted"
    """Shown by other means."""
    DROPPED = "dropped"
    OFF = "off"
    """Switched off by the configuration."""


_LEVELS = {
    Support.FULL: Level.NATIVE,
    Support.PARTIAL: Level.PARTLY,
    Support.CONVERTED: Level.CONVERTED,
    Support.DROPPED: Level.DROPPED,
}


@dataclass(frozen=True, slots=True)
class KindSupport:
    kind: str
    level: Level
    note: str = ""


_TEXT: tuple[tuple[str, Feature, Block], ...] = (
    ("bold", Feature.BOLD, Paragraph((Text("x", Mark.BOLD),))),
    ("italic", Feature.ITALIC, Paragraph((Text("x", Mark.ITALIC),))),
    ("underline", Feature.UNDERLINE, Paragraph((Text("x", Mark.UNDERLINE),))),
    ("strikethrough", Feature.STRIKE, Paragraph((Text("x", Mark.STRIKE),))),
    ("spoiler", Feature.SPOILER, Paragraph((Text("x", Mark.SPOILER),))),
    ("code", Feature.CODE, Paragraph((Text("x", Mark.CODE),))),
    ("code block", Feature.CODE_BLOCK, CodeBlock("x")),
    ("code language", Feature.CODE_LANGUAGE, CodeBlock("x", "python")),
    ("quote", Feature.QUOTE, Quote((Paragraph((Text("x"),)),))),
    ("quote within a quote", Feature.NESTED_QUOTE, Quote((Paragraph((Text("x"),)),), depth=2)),
    ("link", Feature.LINK, Paragraph((Text("x", 0, "https://example.com/"),))),
    ("mention", Feature.MENTION, Paragraph((Mention(MentionKind.USER, "1", "x"),))),
    ("heading", Feature.HEADING, Heading(1, (Text("x"),))),
    ("list", Feature.LIST, List((ListItem((Text("x"),)),))),
    ("table", Feature.TABLE, table([["x"], ["y"]])),
    ("custom emoji", Feature.CUSTOM_EMOJI, Paragraph((Emoji("x", "1", ":x:"),))),
    ("timestamp", Feature.TIMESTAMP, Paragraph((Timestamp(0, "x"),))),
)

_FILES: tuple[tuple[AttachmentKind, Feature, str], ...] = (
    (AttachmentKind.PHOTO, Feature.PHOTO, "image/jpeg"),
    (AttachmentKind.VIDEO, Feature.VIDEO, "video/mp4"),
    (AttachmentKind.AUDIO, Feature.AUDIO, "audio/mpeg"),
    (AttachmentKind.VOICE, Feature.VOICE, "audio/ogg"),
    (AttachmentKind.DOCUMENT, Feature.DOCUMENT, "application/pdf"),
    (AttachmentKind.ANIMATION, Feature.ANIMATION, "video/mp4"),
    (AttachmentKind.STICKER, Feature.STICKER, "image/webp"),
)

_AS = {
    AttachmentKind.PHOTO: "a picture",
    AttachmentKind.VIDEO: "a video",
    AttachmentKind.AUDIO: "an audio file",
    AttachmentKind.DOCUMENT: "a file",
}


_THREADS = (
    ("thread's new name", Feature.RENAME_THREAD),
    ("closed thread", Feature.CLOSE_THREAD),
    ("deleted thread", Feature.DELETE_THREAD),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One end as its platform declares it. `title` is the platform's name for people."""

    platform: str
    title: str
    capabilities: Capabilities


def support_of(origin: Side, target: Side, options: RelayOptions) -> list[KindSupport]:
    """All kinds, from `origin` into `target`, under the target end's options."""
    return [
        *_text(target.capabilities),
        *_identity(target.capabilities),
        *_files(origin, target, options),
        *(_event(origin, target, options, kind.traits) for kind in KINDS if kind.traits.switch is not None),
    ]


def _text(capabilities: Capabilities) -> Iterator[KindSupport]:
    for kind, feature, sample in _TEXT:
        losses: Losses = {}
        degrade(RichText((sample,)), capabilities, losses)
        if not losses:
            yield KindSupport(kind, _LEVELS[capabilities.level(feature)], capabilities.note(feature))
            continue
        loss = str(next(iter(losses)))
        _, shown, how = loss.partition(" shown ")
        yield KindSupport(kind, Level.CONVERTED, f"shown {how}") if shown else KindSupport(kind, Level.DROPPED)
    yield KindSupport("length", Level.NATIVE, f"{capabilities.limits.text_length} a message; longer texts are split")


def _identity(capabilities: Capabilities) -> Iterator[KindSupport]:
    if capabilities.native(Feature.SENDER_NAME):
        yield _declared("sender name", Feature.SENDER_NAME, capabilities)
    else:
        yield KindSupport("sender name", Level.CONVERTED, "a line in the text")
    yield _declared("sender avatar", Feature.SENDER_AVATAR, capabilities)
    if capabilities.native(Feature.REPLY):
        yield _declared("reply", Feature.REPLY, capabilities)
    else:
        yield KindSupport("reply", Level.CONVERTED, "a quoted line")
    yield _declared("thread", Feature.THREAD, capabilities)
    for kind, feature in _THREADS:
        is_native = capabilities.native(feature)
        yield _declared(kind, feature, capabilities) if is_native else KindSupport(kind, Level.CONVERTED, "a line in the thread")
    yield KindSupport("poll", Level.CONVERTED, "lines of text")
    for kind, feature in (("location", Feature.LOCATION), ("contact", Feature.CONTACT)):
        is_native = capabilities.native(feature)
        yield _declared(kind, feature, capabilities) if is_native else KindSupport(kind, Level.CONVERTED, "lines of text")


def _declared(kind: str, feature: Feature, capabilities: Capabilities) -> KindSupport:
    return KindSupport(kind, _LEVELS[capabilities.level(feature)], capabilities.note(feature))


def _files(origin: Side, target: Side, options: RelayOptions) -> Iterator[KindSupport]:
    if not options.files:
        yield KindSupport("files", Level.OFF, "a line with name and size")
        return
    capabilities = target.capabilities
    same = origin.platform == target.platform
    end = Target(
        account=AccountName(""),
        platform=target.platform,
        platform_title=target.title,
        capabilities=capabilities,
        measure=len,
        options=options,
    )
    for kind, feature, mime in _FILES:
        attachment = Attachment(kind=kind, file_id="1", name="x", mime=mime, size_bytes=1)
        why = why_unsendable(attachment, end)
        if why:
            yield KindSupport(kind.value, Level.CONVERTED, "a line with name and size")
            continue
        file = OutboundFile(attachment=attachment, path=Path("x"), name="x", mime=mime, size_bytes=1)
        shown = as_sendable_kind(file, end, same_platform=same).attachment.kind
        if shown is kind:
            yield _declared(kind.value, feature, capabilities)
        else:
            yield KindSupport(kind.value, Level.CONVERTED, f"as {_AS[shown]}")
    if capabilities.native(Feature.ALBUM):
        note = capabilities.note(Feature.ALBUM) or f"up to {capabilities.limits.attachments_per_message} files in a message"
        yield KindSupport("album", _LEVELS[capabilities.level(Feature.ALBUM)], note)
    else:
        yield KindSupport("album", Level.CONVERTED, "one message for each file")
    most = capabilities.limits.upload_bytes
    if options.max_file_mb is not None:
        most = min(most, int(options.max_file_mb * MEGABYTE))
    if origin.capabilities.limits.download_bytes is not None:
        most = min(most, origin.capabilities.limits.download_bytes)
    yield KindSupport("file size", Level.NATIVE, f"up to {human_size(most)}; a larger file becomes a line with name and size")


def _event(origin: Side, target: Side, options: RelayOptions, traits: Traits) -> KindSupport:
    kind, sees, needs = traits.title, traits.sees, traits.needs
    assert traits.switch is not None
    if not getattr(options, traits.switch):
        return KindSupport(kind, Level.OFF)
    if sees is not None and not origin.capabilities.native(sees):
        return KindSupport(kind, Level.DROPPED, origin.capabilities.note(sees) or f"{origin.title} does not report them")
    if needs is None:
        return KindSupport(kind, Level.CONVERTED, "a line of text")
    if not target.capabilities.native(needs):
        if traits.else_a_line:
            return KindSupport(kind, Level.CONVERTED, "a line of text")
        return KindSupport(kind, Level.DROPPED, target.capabilities.note(needs) or f"{target.title} cannot do it")
    partly = [
        side.capabilities.note(feature)
        for side, feature in ((origin, sees), (target, needs))
        if feature is not None and side.capabilities.level(feature) is Support.PARTIAL
    ]
    return KindSupport(kind, Level.PARTLY if partly else Level.NATIVE, "; ".join(note for note in partly if note))

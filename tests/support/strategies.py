"""Hypothesis strategies and small builders that the tests of the decisions share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import strategies as st

from bridge.model.adapter import OutboundFile
from bridge.model.capabilities import Capabilities, Feature, Limits, Support, features
from bridge.model.events import Attachment, AttachmentKind, Author, Content, EventMeta, MessageCreated, MessageEdited
from bridge.model.media import Media
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import (
    CodeBlock,
    Emoji,
    Heading,
    List,
    ListItem,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    to_plain,
)
from bridge.model.rich_text_tables import table
from bridge.policy.routing import RelayOptions
from bridge.render.message import FetchResult, Target
from bridge.render.origin import Origin
from bridge.render.slice import runs

TG, TEAM, GUILD = AccountName("tg"), AccountName("team"), AccountName("guild")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

# -- texts ------------------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["a", "word", "Привет", "👨‍👩‍👧‍👦", "🇩🇪", "e\u0301", "ß", "*x*", "<@U1>", "@here", "`", "_", "> q", "日本語", "1.", "#"]
)
SPACES = st.sampled_from([" ", " ", " ", "\n", "\n\n", "    ", "\t", "\u200b"])
texts = st.one_of(
    st.text(max_size=30),
    st.lists(st.tuples(WORDS, SPACES), max_size=12).map(lambda pairs: "".join(word + space for word, space in pairs)),
)
marks = st.integers(0, 63)
links = st.none() | st.sampled_from(["https://example.org/", "https://example.org/a?b=c&d=(e)", "mailto:a@example.org"])
names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12)
inlines = st.one_of(
    st.builds(Text, texts, marks, links),
    st.builds(Text, texts, marks, links),
    st.builds(Mention, st.sampled_from(MentionKind), st.sampled_from(["U1", "U2", "9"]), names, marks),
    st.builds(Emoji, names, st.sampled_from(["", "77"]), st.sampled_from(["", "🙂"]), marks),
    st.builds(Timestamp, st.integers(0, 2**33), st.sampled_from(["", "tomorrow"]), st.sampled_from(["", "R"]), marks),
)
runs_of_inlines = st.lists(inlines, max_size=5).map(tuple)
paragraphs = st.builds(Paragraph, runs_of_inlines)
headings = st.builds(Heading, st.integers(1, 6), runs_of_inlines)
code_blocks = st.builds(CodeBlock, texts, st.sampled_from(["", "python"])) | st.lists(
    st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=3
).map(table)
items = st.builds(ListItem, runs_of_inlines, st.integers(0, 3))
lists = st.builds(List, st.lists(items, max_size=4).map(tuple), st.booleans(), st.integers(0, 12))
simple_blocks = st.one_of(paragraphs, headings, code_blocks, lists)
quotes = st.builds(Quote, st.lists(simple_blocks, max_size=3).map(tuple), st.booleans(), st.sampled_from([1, 1, 2, 3]))
blocks = st.one_of(simple_blocks, quotes)
rich_texts = st.builds(RichText, st.lists(blocks, max_size=4).map(tuple))


def inked(text: str) -> str:
    """The text without white space: what no step may lose."""
    return "".join(text.split())


def marked_characters(rich: RichText) -> list[tuple[str, int, str | None]]:
    """Each visible character with its marks and link."""
    return [
        (character, inline.marks, inline.link)
        for inline in runs(rich)
        if isinstance(inline, Text)
        for character in inline.text
        if not character.isspace()
    ]


# -- targets ----------------------------------------------------------------------------------------------------------------

FILE_KINDS = (Feature.PHOTO, Feature.VIDEO, Feature.AUDIO, Feature.VOICE, Feature.DOCUMENT, Feature.ANIMATION, Feature.STICKER)
TEXT_FEATURES = (
    Feature.BOLD,
    Feature.ITALIC,
    Feature.UNDERLINE,
    Feature.STRIKE,
    Feature.SPOILER,
    Feature.CODE,
    Feature.CODE_BLOCK,
    Feature.CODE_LANGUAGE,
    Feature.QUOTE,
    Feature.NESTED_QUOTE,
    Feature.LINK,
    Feature.MENTION,
    Feature.HEADING,
    Feature.LIST,
    Feature.TABLE,
    Feature.CUSTOM_EMOJI,
    Feature.TIMESTAMP,
)
EVERYTHING = dict.fromkeys(Feature, Support.FULL)
MEGA = 1_000_000


def limits(**changes: int | None) -> Limits:
    given: dict[str, int | None] = {
        "text_length": 400,
        "caption_length": 100,
        "attachments_per_message": 10,
        "upload_bytes": 50 * MEGA,
        **changes,
    }
    return Limits(**given)  # type: ignore[arg-type]


def capabilities(*lacking: Feature, levels: dict[Feature, Support] | None = None, within: Limits | None = None) -> Capabilities:
    """Everything native but for the features named."""
    table = {feature: level for feature, level in EVERYTHING.items() if feature not in lacking} | (levels or {})
    media = Media(hides=frozenset(AttachmentKind) if table.get(Feature.SPOILER) is Support.FULL else frozenset())
    return Capabilities(features=features(table), limits=within or limits(), media=media)


def plain_measure(text: RichText, *, caption: bool = False) -> int:
    return len(to_plain(text))


def target(
    given: Capabilities | None = None,
    *,
    account: AccountName = TG,
    platform: str = "telegram",
    measure: Callable[..., int] = plain_measure,
    **options: object,
) -> Target:
    return Target(
        account=account,
        platform=platform,
        capabilities=given or capabilities(),
        measure=measure,
        options=RelayOptions(**options),  # type: ignore[arg-type]
    )


ORIGIN = Origin(account=TEAM, platform="slack", platform_title="Slack", chat_name="general")

# -- events -----------------------------------------------------------------------------------------------------------------

ANNA = Author(user_id="U1", name="Anna Petrova", username="anna", avatar_url="https://example.org/a.png")


def meta(author: Author | None = ANNA, key: str = "created:team:C1:1", **changes: object) -> EventMeta:
    return EventMeta(
        event_key=key,
        origin=ChatRef(TEAM, "C1"),
        occurred_at=NOON,
        received_at=NOON,
        author=author,
        **changes,  # type: ignore[arg-type]
    )


def created(content: Content, author: Author | None = ANNA) -> MessageCreated:
    return MessageCreated(meta=meta(author), message_id="1", content=content)


def edited(content: Content, author: Author | None = ANNA) -> MessageEdited:
    return MessageEdited(meta=meta(author, "edited:team:C1:1:2"), message_id="1", content=content)


def attachment(name: str, kind: AttachmentKind = AttachmentKind.DOCUMENT, **details: object) -> Attachment:
    given: dict[str, object] = {"size_bytes": 1000, "mime": "application/octet-stream", **details}
    return Attachment(kind=kind, file_id=f"id of {name}", name=name, **given)  # type: ignore[arg-type]


def fetched(given: Attachment) -> FetchResult:
    file = OutboundFile(
        attachment=given, path=Path("/spool") / given.name, name=given.name, mime=given.mime, size_bytes=given.size_bytes or 0
    )
    return FetchResult(attachment=given, file=file)

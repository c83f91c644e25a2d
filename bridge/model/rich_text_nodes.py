"""The types of the rich-text tree, which `model.rich_text` re-exports; it documents how they work together."""

from __future__ import annotations

from enum import IntFlag, StrEnum

import msgspec


class Mark(IntFlag):
    """Character formatting. Runs carry the bare integer, so that the journal stays small."""

    BOLD = 1
    ITALIC = 2
    UNDERLINE = 4
    STRIKE = 8
    SPOILER = 16
    CODE = 32


class _Node(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="t"):
    pass


class Text(_Node, frozen=True, gc=False, tag="x"):
    """A run of literal text; `link` is the URL it leads to, if any. With CODE, other marks may be dropped by a platform."""

    text: str
    marks: int = 0
    link: str | None = None


class MentionKind(StrEnum):
    USER = "user"
    CHAT = "chat"
    GROUP = "group"
    """A role or user group."""
    EVERYONE = "everyone"
    """@everyone, @here, @channel, @all: `name` says which."""


class Mention(_Node, frozen=True, gc=False, tag="m"):
    """A mention. `id` is native to the platform the tree was decoded from or is encoded for; the core translates between them
    (a mention it cannot translate, or may not pass on, becomes `Text`). `name` comes without @ or #."""

    kind: MentionKind
    id: str
    name: str
    marks: int = 0


class Emoji(_Node, frozen=True, gc=False, tag="e"):
    """A custom emoji. Standard emoji are plain text. `text` is the Unicode emoji it stands for, if it has one.

    `id` is native and empty when the emoji comes from another platform: then `text` or `:name:` is shown."""

    name: str
    id: str = ""
    text: str = ""
    marks: int = 0
    animated: bool = False


class Timestamp(_Node, frozen=True, gc=False, tag="d"):
    """A moment shown in each reader's own time zone, where the platform can. `unix_s` is Unix time in seconds; `text` is what the
    origin showed, kept as the fallback; `style` is one of Discord's t T d D f F R, or empty."""

    unix_s: int
    text: str = ""
    style: str = ""
    marks: int = 0


Inline = Text | Mention | Emoji | Timestamp


class Paragraph(_Node, frozen=True, tag="p"):
    inlines: tuple[Inline, ...]


class Heading(_Node, frozen=True, tag="h"):
    """`level` is 1 to 6."""

    level: int
    inlines: tuple[Inline, ...]


class CodeBlock(_Node, frozen=True, tag="c"):
    """`text` without the line break before the closing fence."""

    text: str
    language: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    """Of a table, of which the text is the form in columns: its cells, those of its head first."""
    has_head: bool = False
    """Of a table whose cells are not kept: whether its text begins with the names of the columns and a rule."""


class ListItem(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """One line of a list; `indent` is 0 for the outermost level. An item without text before a deeper one is only a placeholder."""

    inlines: tuple[Inline, ...]
    indent: int = 0
    ordered: bool | None = None
    """Whether it has a number or a bullet; None: as its list says."""
    number: int | None = None
    """Its number, where counting on from the item before would give another one."""


class List(_Node, frozen=True, tag="l"):
    """`ordered` tells of all items that do not tell themselves; `start` is the number of the first one at the outermost level."""

    items: tuple[ListItem, ...]
    ordered: bool = False
    start: int = 1


class Quote(_Node, frozen=True, tag="q"):
    """Blocks inside are never quotes themselves: a quote within a quote is the next block, with a greater `depth`, and what the
    outer one says behind it is the block after that (`rich_text_quotes`). `normalize` sees to it."""

    blocks: tuple[Paragraph | Heading | CodeBlock | List, ...]
    is_expandable: bool = False
    """Shown by its first lines until a reader asks for all of it, where the target can."""
    depth: int = 1
    """In how many quotes its blocks stand, this one included."""


Block = Paragraph | Heading | CodeBlock | List | Quote


class RichText(msgspec.Struct, frozen=True, array_like=True):
    blocks: tuple[Block, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.blocks)


EMPTY = RichText()

"""Converts rich text to what a target can show natively, and says what was lost. Pure.

After `degrade` an encoder gets only marks and blocks that its capabilities declare as native. Called by `render`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import is_

from bridge.model.capabilities import Capabilities, Feature
from bridge.model.characters import clean
from bridge.model.outcomes import Loss, LossNote
from bridge.model.pauses import in_steps, pause_point
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    ListItem,
    Mark,
    Mention,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    inline_text,
    is_same_quote,
    list_lines,
    merge_inlines,
    normalize,
    only_texts,
    with_inlines,
)
from bridge.model.rich_text_tables import has_head
from bridge.render.link_labels import claims_other_address

Losses = dict[LossNote, None]
"""What was lost; a set that keeps its order."""

_MANY = 1024
"""So many runs are looked at in one step where the interpreter does it by itself."""
_FEW = 8
"""So many runs are sooner looked at one by one."""
SPOILER_LABEL = "[spoiler] "
_SCHEME = re.compile(r"(?:https?|ftp)://[^/\s]|mailto:.|tel:.|tg://.", re.IGNORECASE)
_PLAIN_URL = re.compile(r"[!#-;=?-\[\]-_a-{}~]+")
"""Printable characters of ASCII without those that would have to be escaped."""
_ESCAPED = {c: f"%{ord(c):02X}" for c in ' <>"|\\`'}
_BOLD, _ITALIC, _UNDERLINE, _SPOILER = (int(m) for m in (Mark.BOLD, Mark.ITALIC, Mark.UNDERLINE, Mark.SPOILER))  # ints are fast
_SIMPLE_MARKS = (
    (_BOLD, Feature.BOLD, Loss.BOLD),
    (_ITALIC, Feature.ITALIC, Loss.ITALIC),
    (int(Mark.STRIKE), Feature.STRIKE, Loss.STRIKETHROUGH),
    (int(Mark.CODE), Feature.CODE, Loss.INLINE_CODE),
)


_FEATURES = ((_UNDERLINE, Feature.UNDERLINE), (_SPOILER, Feature.SPOILER), *((mark, feature) for mark, feature, _ in _SIMPLE_MARKS))


def degrade(rich: RichText, capabilities: Capabilities, losses: Losses) -> RichText:
    """The text with everything that is not native shown by other means; adds to `losses` what that was. In normal form if `rich`
    is."""
    return _Degrader(capabilities, losses).text(rich) if rich.blocks else rich


class _Degrader:
    def __init__(self, capabilities: Capabilities, losses: Losses) -> None:
        self._native = capabilities.natives.__contains__
        self._losses = losses
        self._kept_marks: dict[int, int] = {0: 0}
        """What is left of marks that were met; what was lost of them is told already."""
        self._native_marks = sum(mark for mark, feature in _FEATURES if capabilities.native(feature))

    def text(self, rich: RichText) -> RichText:
        blocks = tuple(map(self._block, in_steps(rich.blocks)))
        if not self._native(Feature.NESTED_QUOTE):
            blocks = _joined(rich.blocks, blocks)
        return rich if _are_same(blocks, rich.blocks) else normalize(RichText(blocks))

    def _lost(self, what: Loss) -> None:
        self._losses[what] = None

    def _block(self, block: Block) -> Block:
        match block:
            case Paragraph():
                inlines = self._inlines(block.inlines)
                return block if inlines is block.inlines else Paragraph(inlines)
            case Heading():
                return self._heading(block)
            case CodeBlock():
                return self._code_block(block)
            case List():
                return self._list(block)
            case Quote():
                return self._quote(block)

    def _heading(self, block: Heading) -> Block:
        if self._native(Feature.HEADING):
            inlines = self._inlines(block.inlines)
            return block if inlines is block.inlines else Heading(block.level, inlines)
        self._lost(Loss.HEADING_AS_BOLD)
        return Paragraph(self._inlines(_marked(block.inlines, _BOLD)))

    def _code_block(self, block: CodeBlock) -> Block:
        if not self._native(Feature.CODE_BLOCK):
            self._lost(Loss.CODE_BLOCK_AS_TEXT)
            return Paragraph((Text(block.text),))
        if block.language and not self._native(Feature.CODE_LANGUAGE):
            self._lost(Loss.CODE_LANGUAGE)
            return CodeBlock(block.text)
        if block.rows and not self._native(Feature.TABLE):
            self._lost(Loss.TABLE_AS_TEXT)
            return CodeBlock(block.text, block.language, has_head=has_head(block.rows))
        return block

    def _list(self, block: List) -> Block:
        if self._native(Feature.LIST):
            kept = tuple(self._item(item) for item in in_steps(block.items))
            return block if _are_same(kept, block.items) else List(kept, block.ordered, block.start)
        self._lost(Loss.LIST_AS_TEXT)
        shown: list[Inline] = []
        for number, (label, item) in enumerate(in_steps(list(list_lines(block, bullet="•")))):
            inlines = self._inlines(item.inlines)
            shown += [Text(("\n" if number else "") + label), *inlines]
        return Paragraph(merge_inlines(shown))

    def _item(self, item: ListItem) -> ListItem:
        inlines = self._inlines(item.inlines)
        return item if inlines is item.inlines else with_inlines(item, inlines)

    def _quote(self, block: Quote) -> Block:
        inner = [*map(self._block, in_steps(block.blocks))]
        if self._native(Feature.QUOTE):
            if block.depth > 1 and not self._native(Feature.NESTED_QUOTE):
                self._lost(Loss.NESTED_QUOTE_AS_SIGNS)
                return Quote((Paragraph(merge_inlines(_quoted(inner, "> " * (block.depth - 1)))),), block.is_expandable)
            if _are_same(inner, block.blocks):
                return block
            return Quote(tuple(b for b in inner if not isinstance(b, Quote)), block.is_expandable, block.depth)
        self._lost(Loss.QUOTE_AS_SIGNS)
        return Paragraph(merge_inlines(_quoted(inner, "> " * block.depth)))

    def _inlines(self, inlines: tuple[Inline, ...]) -> tuple[Inline, ...]:
        if self._are_native(inlines):
            return inlines  # nearly every message
        if len(inlines) == 1 and type(run := inlines[0]) is Text and run.link is None and not run.marks & _SPOILER:
            return (Text(run.text, self._marks(run.marks)),)
        shown: list[Inline] = []
        in_spoiler = False
        for inline in in_steps([*self._honest(in_steps(inlines))]):
            if inline.marks & _SPOILER and not self._native(Feature.SPOILER):
                if not in_spoiler:
                    self._lost(Loss.SPOILER_OPEN)
                    shown.append(Text(SPOILER_LABEL))
                in_spoiler = True
            elif inline_text(inline).strip():
                in_spoiler = False
            shown.append(self._inline(inline))
        return merge_inlines(shown)

    def _are_native(self, inlines: tuple[Inline, ...]) -> bool:
        """Whether they are words whose marks are all native, without links."""
        if len(inlines) > _FEW:
            return all(self._are_many_native(inlines[at : at + _MANY]) for at in range(0, len(inlines), _MANY))
        for run in inlines:
            if type(run) is not Text or run.link is not None or type(run.marks) is not int or run.marks & ~self._native_marks:
                return False
        return True

    def _are_many_native(self, inlines: tuple[Inline, ...]) -> bool:
        pause_point()
        if not only_texts(inlines) or {run.link for run in inlines} != {None}:
            return False
        marks = {run.marks for run in inlines}
        return all(type(one) is int and not one & ~self._native_marks for one in marks)

    def _honest(self, inlines: Iterable[Inline]) -> Iterator[Inline]:
        """Links whose label names another address, as label and address side by side."""
        for link, runs in groupby(inlines, key=lambda inline: inline.link if isinstance(inline, Text) else None):
            label = list(runs)
            if link is None or not claims_other_address("".join(map(inline_text, label)), link):
                yield from label
                continue
            self._lost(Loss.LINK_AS_ADDRESS)
            yield from (Text(run.text, run.marks) for run in label if isinstance(run, Text))
            yield Text(f" ({safe_url(link) or clean(link)})", label[-1].marks & ~int(Mark.CODE))

    def _inline(self, inline: Inline) -> Inline:
        marks = self._marks(inline.marks)
        match inline:
            case Text():
                if inline.link is None:
                    return Text(inline.text, marks)
                url = safe_url(inline.link)
                if url and self._native(Feature.LINK):
                    if marks == inline.marks and url == inline.link:
                        return inline
                    return Text(inline.text, marks, url)
                return self._bare_link(inline.text, url or clean(inline.link), marks)
            case Mention():
                if self._native(Feature.MENTION):
                    return Mention(inline.kind, inline.id, inline.name, marks)
                self._lost(Loss.MENTION_AS_NAME)
                return Text(inline_text(inline), marks)
            case Emoji():
                if self._native(Feature.CUSTOM_EMOJI) and inline.id:
                    return Emoji(inline.name, inline.id, inline.text, marks, inline.animated)
                self._lost(Loss.EMOJI_AS_TEXT)
                return Text(inline_text(inline), marks)
            case Timestamp():
                if self._native(Feature.TIMESTAMP):
                    return Timestamp(inline.unix_s, inline.text, inline.style, marks)
                self._lost(Loss.TIME_AS_TEXT)
                return Text(inline_text(inline), marks)

    def _bare_link(self, label: str, url: str, marks: int) -> Text:
        if label.strip() in (url, url.removeprefix("mailto:").removeprefix("tel:")):
            return Text(label, marks)
        self._lost(Loss.LINK_AS_ADDRESS)
        return Text(f"{label} ({url})", marks)

    def _marks(self, marks: int) -> int:
        kept = self._kept_marks.get(marks)
        if kept is None:
            kept = self._kept_marks[marks] = self._native_of(marks)
        return kept

    def _native_of(self, marks: int) -> int:
        if marks & _UNDERLINE and not self._native(Feature.UNDERLINE):
            marks &= ~_UNDERLINE
            self._lost(Loss.UNDERLINE_AS_ITALIC if self._native(Feature.ITALIC) else Loss.UNDERLINE)
            marks |= _ITALIC if self._native(Feature.ITALIC) else 0
        if not self._native(Feature.SPOILER):
            marks &= ~_SPOILER
        for mark, feature, loss in _SIMPLE_MARKS:
            if marks & mark and not self._native(feature):
                marks &= ~mark
                self._lost(loss)
        return marks


def _are_same(made: Sequence[object], given: Sequence[object]) -> bool:
    return len(made) == len(given) and all(map(is_, made, given))


def safe_url(url: str) -> str:
    """The address with the characters escaped that could end a link in some markup; empty for one that browsers should not be sent
    to (`javascript:` and the like)."""
    if _PLAIN_URL.fullmatch(url):
        return url if _SCHEME.match(url) else ""
    url = "".join(_ESCAPED.get(c, c) for c in clean(url).strip() if c.isprintable() or c == " ")
    return url if _SCHEME.match(url) else ""


def _marked(inlines: Iterable[Inline], mark: int) -> tuple[Inline, ...]:
    return tuple(with_marks(inline, inline.marks | mark) for inline in inlines)


def with_marks(inline: Inline, marks: int) -> Inline:
    """The same run with other marks."""
    match inline:
        case Text():
            return Text(inline.text, int(marks), inline.link)
        case Mention():
            return Mention(inline.kind, inline.id, inline.name, int(marks))
        case Emoji():
            return Emoji(inline.name, inline.id, inline.text, int(marks), inline.animated)
        case Timestamp():
            return Timestamp(inline.unix_s, inline.text, inline.style, int(marks))


_Inner = Paragraph | Heading | CodeBlock | List


def _joined(given: Sequence[Block], made: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks, where the parts of one outer quote are one quote."""
    blocks: list[Block] = []
    parts: list[_Inner] = []
    """What is in the last one, if it is a quote of several parts."""
    above: Block | None = None
    for block, shown in zip(in_steps(given), made, strict=True):
        if isinstance(shown, Quote) and is_same_quote(above, block) and blocks and isinstance(blocks[-1], Quote):
            parts = parts or [*blocks[-1].blocks]
            parts += shown.blocks
        else:
            _close(blocks, parts)
            parts = []
            blocks.append(shown)
        above = block
    _close(blocks, parts)
    return made if len(blocks) == len(made) else tuple(blocks)


def _close(blocks: list[Block], parts: Sequence[_Inner]) -> None:
    if parts and isinstance(last := blocks[-1], Quote):
        blocks[-1] = Quote(tuple(parts), last.is_expandable)


def _quoted(blocks: Iterable[Block], signs: str) -> Iterator[Inline]:
    """The blocks of a quote as runs of text with the signs before each line."""
    for number, block in enumerate(blocks):
        yield Text(f"\n{signs}" if number else signs)
        for inline in _flat(block):
            if isinstance(inline, Text):
                yield Text(inline.text.replace("\n", f"\n{signs}"), inline.marks, inline.link)
            else:
                yield inline


def _flat(block: Block) -> Iterator[Inline]:
    match block:
        case Paragraph() | Heading():
            yield from block.inlines
        case CodeBlock():
            yield Text(block.text)
        case List():
            for number, (label, item) in enumerate(list_lines(block, bullet="•")):
                yield Text(("\n" if number else "") + label)
                yield from item.inlines
        case Quote():
            for inner in block.blocks:
                yield from _flat(inner)

"""Rich text -> Discord's Markdown dialect. Pure. Called by `encode`, and by `measure` for every text that is sent.

Text from elsewhere is escaped so that nothing in it is markup or a mention; addresses stay clickable, since inside them Discord
reads no escapes. Source: Discord's "Markdown Text 101"; `tests/adapters/discord/outbound/test_encode_text.py` has what is escaped
and why."""

from __future__ import annotations

import re
from collections.abc import Iterable

from adapters.discord.outbound.encode_marks import (
    BOLD,
    CODE,
    ITALIC,
    NO_ADDRESS,
    SPOILER,
    STRIKE,
    UNDERLINE,
    UNSETTLED,
    URL_ENDS,
    ZERO_WIDTH,
    Token,
    joined,
    switch,
)
from adapters.discord.outbound.pings import pings_of
from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
    EMPTY,
    Block,
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    format_moment,
    inline_text,
    list_labels,
    merge_inlines,
)

_URL = re.compile(r"https?://(?:[^\W_]|\[)(?:[^\s<>\\`]*[^\s<>\\`.,:;\"'\]])?")
_NO_URL = re.compile(r"(https?)(?=://)")
"""What Discord would treat as an address although we do not."""
_ESCAPED = re.compile(r"[\\*_~`|<\[\]]|@(?=everyone|here)")
_LINE_START = re.compile(r"(^|\n)( *)(#{1,3}(?= |\Z)|>|-|(\d{1,10})\.(?= |\Z))")
"""What begins a block. A run of text may end in it: the space behind may be the next run's."""
_EMOJI_NAME = re.compile(r"[A-Za-z0-9_]{2,32}")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]{1,32}")
_PLAIN_URL = re.compile(r"[!#-'*-;=?-\[\]-~]+")
_URL_SPECIAL = {"*": "%2A", "_": "%5F", "~": "%7E", "|": "%7C"}
_URL_CONFLICTS = {BOLD: "*", ITALIC: "*_", UNDERLINE: "_", STRIKE: "~", SPOILER: "|"}
"""Characters of an address, or of code, that would end the mark it stands in."""
_MAX_UNIX_S = 8_640_000_000_000
_last: tuple[RichText, bool, str] = (EMPTY, False, "")


def encode_text(rich: RichText, *, mass_mentions: bool = False) -> str:
    """The content of a message. `mass_mentions`: mentions of everyone and of roles are left able to ping. What was encoded last is
    known: a text is measured right before it is sent."""
    global _last
    last, was_mass, encoded = _last
    if last is not rich or was_mass is not mass_mentions:
        encoded = "\n".join([_block(block, mass_mentions) for block in in_steps(rich.blocks)])
        _last = (rich, mass_mentions, encoded)
    return encoded


def length_of(rich: RichText) -> int:
    """Of the longest form that a text can take: mentions that a route may allow are longer than those it does not."""
    length = len(encode_text(rich))
    pings = pings_of(rich)
    return max(length, len(encode_text(rich, mass_mentions=True))) if pings.everyone or pings.roles else length


def escape(text: str) -> str:
    """Foreign text, on a line of its own or not, without any meaning."""
    return _escape_plain(text, at_line_start=True)


def _block(block: Block, mass: bool) -> str:
    match block:
        case Paragraph():
            return _inlines(block.inlines, mass)
        case Heading():
            return _heading(block, mass)
        case CodeBlock():
            return _code_block(block)
        case List():
            return "\n".join(
                # an item without words is none to Discord, and the deeper ones behind it would be words
                _item(label, _inlines(tuple(_code_by_lines(item.inlines)), mass) or ZERO_WIDTH)
                for label, item in list_labels(block, bullet="-")
            )
        case Quote():
            inner = "\n".join(_block(b, mass) for b in in_steps(block.blocks))
            return "\n".join("> " + line for line in inner.split("\n"))


def _item(label: str, text: str) -> str:
    """Further lines of an item are indented: one that begins with a space, and is not blank, goes on with the item before it."""
    first, *more = text.split("\n")
    return "\n".join([label + first, *(" " * len(label) + (line if line.strip() else ZERO_WIDTH) for line in more)])


def _code_by_lines(inlines: Iterable[Inline]) -> Iterable[Inline]:
    """Code of several lines as code on each of them: what indents a line would end up in the code."""
    for inline in inlines:
        if not isinstance(inline, Text) or not inline.marks & CODE or "\n" not in inline.text:
            yield inline
            continue
        for line in inline.text.splitlines(keepends=True):
            yield Text(line.rstrip("\n"), inline.marks, inline.link)
            yield Text(line[len(line.rstrip("\n")) :], inline.marks & ~CODE, inline.link)


def _heading(block: Heading, mass: bool) -> str:
    """Discord has three levels; a deeper one is a bold line, as is one of several lines."""
    plain = "".join(map(inline_text, block.inlines))
    if block.level <= 3 and "\n" not in plain and plain.strip():
        words = _inlines(block.inlines, mass).lstrip(" ")
        return "#" * block.level + (" \\" if words.startswith("#") else " ") + words
    return _inlines(tuple(_with_marks(inline, BOLD) for inline in block.inlines), mass)


def _with_marks(inline: Inline, marks: int) -> Inline:
    match inline:
        case Text():
            return Text(inline.text, inline.marks | marks, inline.link)
        case Mention():
            return Mention(inline.kind, inline.id, inline.name, inline.marks | marks)
        case Emoji():
            return Emoji(inline.name, inline.id, inline.text, inline.marks | marks, inline.animated)
        case Timestamp():
            return Timestamp(inline.unix_s, inline.text, inline.style, inline.marks | marks)


def _code_block(block: CodeBlock) -> str:
    language = block.language if _LANGUAGE.fullmatch(block.language) else ""
    text = block.text
    while "```" in text:
        text = text.replace("```", f"``{ZERO_WIDTH}`")
    if not text.strip("\n"):
        text = ZERO_WIDTH
    return f"```{language}\n{text}\n```"


def _inlines(inlines: tuple[Inline, ...], mass: bool) -> str:
    if len(inlines) == 1 and isinstance(inlines[0], Text) and not inlines[0].marks and not inlines[0].link:
        return _plain(inlines[0].text, at_line_start=True, marks=0)[0]
    tokens: list[Token] = []
    open_marks: list[int] = []
    opened = 0
    at_line_start = True
    for inline, marks in in_steps(_with_settled_marks(inlines)):
        is_text = type(inline) is Text and not inline.marks & CODE
        if marks != opened:
            opened = switch(tokens, open_marks, marks, opens=not is_text or not inline_text(inline).isspace())
        if type(inline) is Text and is_text and not inline.link and _means_nothing(inline.text):
            tokens.append((inline.text, 0, False, NO_ADDRESS))
            at_line_start = at_line_start and inline.text == " "
            continue
        text, url_at = _inline(inline, mass, at_line_start=at_line_start, marks=marks)
        tokens.append((text, 0, False, url_at))
        _, broken, tail = text.rpartition("\n")
        at_line_start = (bool(broken) or at_line_start) and not tail.strip(" ")
    switch(tokens, open_marks, 0)
    return joined(tokens)


def _means_nothing(text: str) -> bool:
    """Whether there is surely nothing to be escaped in it, nor an address: nearly every short run."""
    return text == " " or text.isalnum()


def _with_settled_marks(inlines: tuple[Inline, ...]) -> list[tuple[Inline, int]]:
    """Runs with the marks they are written with. White space at the edge of a marked run would keep Discord from reading the mark:
    it takes only the marks that both neighbours have."""
    pieces: list[tuple[Inline, int]] = []
    has_space = False
    for inline in in_steps(merge_inlines(map(_code_alone, in_steps(inlines)))):
        marks = inline.marks
        if not marks or type(inline) is not Text or marks & CODE or inline.link:
            pieces.append((inline, marks & ~CODE))
            continue
        text = inline.text
        core = text.strip()
        if core == text:
            pieces.append((inline, marks))
            continue
        has_space = True
        before = text[: len(text) - len(text.lstrip())] if core else text
        after = text[len(before) + len(core) :]
        pieces.extend((Text(part, marks), marks if part is core else UNSETTLED) for part in (before, core, after) if part)
    return _settled(pieces) if has_space else pieces


def _settled(pieces: list[tuple[Inline, int]]) -> list[tuple[Inline, int]]:
    following: list[int] = []
    right = 0
    for _, marks in reversed(pieces):
        following.append(right)
        right = right if marks == UNSETTLED else marks
    settled: list[tuple[Inline, int]] = []
    left = 0
    for (inline, marks), right in zip(pieces, reversed(following), strict=True):
        left = left & right if marks == UNSETTLED else marks
        settled.append((inline, left))
    return settled


def _code_alone(inline: Inline) -> Inline:
    """Discord ends a mark at its delimiter even inside code: code that holds it goes without that mark. A link is worth more than
    that its label is code."""
    if not inline.marks & CODE or not isinstance(inline, Text):
        return inline
    if inline.link:
        return Text(inline.text, inline.marks & ~CODE, inline.link)
    marks = inline.marks
    for mark, characters in _URL_CONFLICTS.items():
        if any(character in inline.text for character in characters):
            marks &= ~mark
    return Text(inline.text, marks, inline.link)


def _inline(inline: Inline, mass: bool, *, at_line_start: bool, marks: int) -> tuple[str, int]:
    match inline:
        case Text():
            if inline.marks & CODE:
                return _code(inline.text), NO_ADDRESS
            if inline.link:
                return _link(inline.text, inline.link, marks=marks, at_line_start=at_line_start)
            return _plain(inline.text, at_line_start=at_line_start, marks=marks)
        case Mention():
            return _mention(inline, mass), NO_ADDRESS
        case Emoji():
            if inline.id.isdecimal() and _EMOJI_NAME.fullmatch(inline.name):
                return f"<{'a' if inline.animated else ''}:{inline.name}:{inline.id}>", NO_ADDRESS
            return escape(inline_text(inline)), NO_ADDRESS
        case Timestamp():
            if abs(inline.unix_s) > _MAX_UNIX_S:
                return escape(inline.text or format_moment(inline.unix_s)), NO_ADDRESS
            style = f":{inline.style}" if inline.style in tuple("tTdDfFR") else ""
            return f"<t:{inline.unix_s}{style}>", NO_ADDRESS


def _mention(mention: Mention, mass: bool) -> str:
    if mention.kind is MentionKind.EVERYONE:
        name = "here" if mention.name == "here" else "everyone"
        return f"@{name}" if mass else escape(f"@{mention.name}")
    sign = {MentionKind.USER: "@", MentionKind.CHAT: "#", MentionKind.GROUP: "@&"}[mention.kind]
    if mention.id.isdecimal() and (mention.kind is not MentionKind.GROUP or mass):
        return f"<{sign}{mention.id}>"
    return escape(inline_text(mention))


def _code(text: str) -> str:
    """The shortest fence that the code does not hold; a third backtick would begin a code block."""
    runs = {len(run) for run in re.findall("`+", text)}
    fence = "`" if 1 not in runs else "``"
    if len(fence) in runs:
        text = re.sub("`(?=`)", "`" + ZERO_WIDTH, text)
        fence = "``"
    before = " " if text.startswith("`") or (text.startswith(" ") and text.lstrip(" ").startswith("`")) else ""
    after = " " if text.endswith("`") or (text.endswith(" ") and text.rstrip(" ").endswith("`")) else ""
    return f"{fence}{before}{text}{after}{fence}" if text else ""


def _link(label: str, url: str, *, marks: int, at_line_start: bool) -> tuple[str, int]:
    """A bare address, a masked link, or label and address side by side where Discord would refuse to mask."""
    safe = _safe_url(url)
    if safe is None:
        shown = label if label == url else f"{label} ({url})"
        return _escape_plain(shown, at_line_start=at_line_start), NO_ADDRESS
    if label == url or not label.strip():
        if _URL.fullmatch(url):
            return _quiet_url(url, marks), 0
        return f"<{_quiet_url(safe, marks)}>", NO_ADDRESS
    safe = _quiet_url(safe, marks)
    if "[" in label or "]" in label or "\n" in label or "://" in label:
        return f"{_escape_plain(label, at_line_start=at_line_start)} (<{safe}>)", NO_ADDRESS
    return f"[{_escape_plain(label, at_line_start=True)}](<{safe}>)", NO_ADDRESS


def _safe_url(url: str) -> str | None:
    """The address without any character that could end it early; None if it is not one that Discord links."""
    if not re.match(r"https?://[^\s/]", url):
        return None
    encoded = url
    if not _PLAIN_URL.fullmatch(url):
        encoded = "".join(
            c if c not in ' <>()\\"\n\r\t' and c.isprintable() else "".join(f"%{b:02X}" for b in c.encode()) for c in url
        )
    return encoded if len(encoded) <= 1500 else None


def _quiet_url(url: str, marks: int) -> str:
    conflicts = "".join(characters for mark, characters in _URL_CONFLICTS.items() if marks & mark)
    return "".join(_URL_SPECIAL[c] if c in conflicts else c for c in url)


def _plain(text: str, *, at_line_start: bool, marks: int) -> tuple[str, int]:
    """Literal text; addresses in it are left as they are, or put in <> where Discord would read on beyond their end."""
    out: list[str] = []
    at = 0
    for match in _URL.finditer(text):
        before = text[at : match.start()]
        out.append(_escape_plain(before, at_line_start=at_line_start if at == 0 else False))
        url = _quiet_url(match[0], marks)
        is_clean = bool(URL_ENDS.match(text, match.end()))
        is_last = match.end() == len(text)
        if is_last and is_clean:
            said = "".join(out)
            return said + url, len(said)
        out.append(url if is_clean else f"<{url}>")
        at = match.end()
    out.append(_escape_plain(text[at:], at_line_start=at_line_start if at == 0 else False))
    return "".join(out), NO_ADDRESS


def _escape_plain(text: str, *, at_line_start: bool) -> str:
    if text.isalnum():
        return text  # as nearly every short one: nothing in it is a sign
    escaped = _ESCAPED.sub(lambda found: "\\" + found[0], text)
    if "://" in escaped:
        escaped = _NO_URL.sub(r"\1\\", escaped)
    if not at_line_start and "\n" not in escaped:
        return escaped

    def at_start(found: re.Match[str]) -> str:
        if found[1] == "" and not at_line_start:
            return found[0]
        mark = f"{found[4]}\\." if found[4] else "\\" + found[3]
        return found[1] + found[2] + mark

    return _LINE_START.sub(at_start, escaped)

"""Rich text -> Discord's Markdown dialect. Pure. Called by `encode`, and by `measure` for every text that is sent.

Foreign text is escaped so that nothing in it is markup or a mention; addresses stay clickable, since inside them Discord reads no
escapes. Source: Discord's "Markdown Text 101"; `tests/adapters/discord/outbound/test_encode_text.py` has what is escaped and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    Mark,
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

ZERO_WIDTH = "\u200b"
"""Put where two marks would otherwise run into one another, and into fences that a code would close."""

_URL = re.compile(r"https?://(?:[^\W_]|\[)(?:[^\s<>\\`]*[^\s<>\\`.,:;\"'\]])?")
_NO_URL = re.compile(r"(https?)(?=://)")
"""What Discord would take for an address although we do not."""
_URL_ENDS = re.compile(r"[.,:;\"']*(?:\s|$)")
"""What may follow an address that Discord is to end where we do."""
_ESCAPED = re.compile(r"[\\*_~`|<\[\]]|@(?=everyone|here)")
_LINE_START = re.compile(r"(^|\n)( *)(#{1,3}(?= |\Z)|>|-|(\d{1,10})\.(?= |\Z))")
"""What begins a block. A run of text may end in it: the space behind may be the next run's."""
_BOLD, _ITALIC, _UNDERLINE, _STRIKE, _SPOILER, _CODE = (
    int(mark) for mark in (Mark.BOLD, Mark.ITALIC, Mark.UNDERLINE, Mark.STRIKE, Mark.SPOILER, Mark.CODE)
)
"""Bare integers: operations on flags make objects, and every text that is measured goes through here."""
_DELIMITERS = {_BOLD: "**", _UNDERLINE: "__", _STRIKE: "~~", _SPOILER: "||"}
_ORDER = (_SPOILER, _STRIKE, _UNDERLINE, _BOLD, _ITALIC)
_EMOJI_NAME = re.compile(r"[A-Za-z0-9_]{2,32}")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]{1,32}")
_PLAIN_URL = re.compile(r"[!#-'*-;=?-\[\]-~]+")
_URL_SPECIAL = {"*": "%2A", "_": "%5F", "~": "%7E", "|": "%7C"}
_URL_CONFLICTS = {_BOLD: "*", _ITALIC: "*_", _UNDERLINE: "_", _STRIKE: "~", _SPOILER: "|"}
"""Characters of an address, or of code, that would end the mark it stands in."""
_MAX_UNIX_S = 8_640_000_000_000


def encode_text(rich: RichText, *, mass_mentions: bool = False) -> str:
    """The content of a message. `mass_mentions`: mentions of everyone and of roles are left able to ping."""
    return "\n".join(_block(block, mass_mentions) for block in in_steps(rich.blocks))


def escape(text: str) -> str:
    """Foreign text, on a line of its own or not, without any meaning."""
    return _escape_plain(text, at_line_start=True)


# -- blocks -------------------------------------------------------------------------------------------------------------------


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
        if not isinstance(inline, Text) or not inline.marks & _CODE or "\n" not in inline.text:
            yield inline
            continue
        for line in inline.text.splitlines(keepends=True):
            yield Text(line.rstrip("\n"), inline.marks, inline.link)
            yield Text(line[len(line.rstrip("\n")) :], inline.marks & ~_CODE, inline.link)


def _heading(block: Heading, mass: bool) -> str:
    """Discord has three levels; a deeper one is a bold line, as is one of several lines."""
    plain = "".join(map(inline_text, block.inlines))
    if block.level <= 3 and "\n" not in plain and plain.strip():
        return "#" * block.level + " " + _inlines(block.inlines, mass).lstrip(" ")
    return _inlines(tuple(_with_marks(inline, _BOLD) for inline in block.inlines), mass)


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


# -- inlines ------------------------------------------------------------------------------------------------------------------


_NO_URL_AT = _UNSETTLED = -1


_Token = tuple[str, int, bool, int]
"""A piece of output: text, or the mark that opens or closes, whether it opens, and where the address begins that the text ends in:
it must not run into what follows. Bare tuples, since there are some for each run of each text that is measured."""
_NOTHING: _Token = ("", 0, False, _NO_URL_AT)


def _inlines(inlines: tuple[Inline, ...], mass: bool) -> str:
    if len(inlines) == 1 and isinstance(inlines[0], Text) and not inlines[0].marks and not inlines[0].link:
        return _plain(inlines[0].text, at_line_start=True, marks=0)[0]
    tokens: list[_Token] = []
    open_marks: list[int] = []
    opened = 0
    at_line_start = True
    for inline, marks in in_steps(_with_settled_marks(inlines)):
        is_text = type(inline) is Text and not inline.marks & _CODE
        if marks != opened:
            opened = _switch(tokens, open_marks, marks, opens=not is_text or not inline_text(inline).isspace())
        if type(inline) is Text and is_text and not inline.link and _means_nothing(inline.text):
            tokens.append((inline.text, 0, False, _NO_URL_AT))
            at_line_start = at_line_start and inline.text == " "
            continue
        text, url_at = _inline(inline, mass, at_line_start=at_line_start, marks=marks)
        tokens.append((text, 0, False, url_at))
        _, broken, tail = text.rpartition("\n")
        at_line_start = (bool(broken) or at_line_start) and not tail.strip(" ")
    _switch(tokens, open_marks, 0)
    return _joined(tokens)


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
        if not marks or type(inline) is not Text or marks & _CODE or inline.link:
            pieces.append((inline, marks & ~_CODE))
            continue
        text = inline.text
        core = text.strip()
        if core == text:
            pieces.append((inline, marks))
            continue
        has_space = True
        before = text[: len(text) - len(text.lstrip())] if core else text
        after = text[len(before) + len(core) :]
        pieces.extend((Text(part, marks), marks if part is core else _UNSETTLED) for part in (before, core, after) if part)
    return _settled(pieces) if has_space else pieces


def _settled(pieces: list[tuple[Inline, int]]) -> list[tuple[Inline, int]]:
    following: list[int] = []
    right = 0
    for _, marks in reversed(pieces):
        following.append(right)
        right = right if marks == _UNSETTLED else marks
    settled: list[tuple[Inline, int]] = []
    left = 0
    for (inline, marks), right in zip(pieces, reversed(following), strict=True):
        left = left & right if marks == _UNSETTLED else marks
        settled.append((inline, left))
    return settled


def _code_alone(inline: Inline) -> Inline:
    """Discord ends a mark at its delimiter even inside code: code that holds it goes without that mark. A link is worth more than
    that its label is code."""
    if not inline.marks & _CODE or not isinstance(inline, Text):
        return inline
    if inline.link:
        return Text(inline.text, inline.marks & ~_CODE, inline.link)
    marks = inline.marks
    for mark, characters in _URL_CONFLICTS.items():
        if any(character in inline.text for character in characters):
            marks &= ~mark
    return Text(inline.text, marks, inline.link)


def _switch(tokens: list[_Token], open_marks: list[int], wanted: int, *, opens: bool = True) -> int:
    """Close what is no longer wanted (and what was opened inside it), then open what is missing: but never before white space.
    Returns what is open then."""
    keep = 0
    while keep < len(open_marks) and open_marks[keep] & wanted:
        keep += 1
    for mark in reversed(open_marks[keep:]):
        tokens.append(("", mark, False, _NO_URL_AT))
    del open_marks[keep:]
    for mark in _ORDER if opens and wanted else ():
        if wanted & mark and mark not in open_marks:
            tokens.append(("", mark, True, _NO_URL_AT))
            open_marks.append(mark)
    return sum(open_marks)


def _joined(tokens: list[_Token]) -> str:
    """Writes the delimiters. Italic is `_` or `*`, whichever cannot be misread here."""
    italic = _italic_delimiters(tokens)
    out: list[str] = []
    last = ""
    after_mark = 0
    for number, (piece, mark, _, url_at) in enumerate(in_steps(tokens)):
        if mark:
            piece = italic[number] if mark == _ITALIC else _DELIMITERS[mark]
            if after_mark and last and last[-1] == piece[0]:
                out.append(ZERO_WIDTH)
        elif url_at != _NO_URL_AT and not _ends_cleanly(tokens, number):
            piece = f"{piece[:url_at]}<{piece[url_at:]}>"
        if piece:
            out.append(piece)
            last = piece
        after_mark = mark
    return "".join(out)


def _italic_delimiters(tokens: list[_Token]) -> dict[int, str]:
    chosen: dict[int, str] = {}
    opened, count = -1, len(tokens)
    for number, (_, mark, opens, _) in enumerate(in_steps(tokens)):
        if mark != _ITALIC:
            continue
        if opens:
            opened = number
            continue
        behind = tokens[number + 1] if number + 1 < count else _NOTHING
        at = number + 1
        while at < count and not tokens[at][0] and not tokens[at][1]:
            at += 1
        following = tokens[at][0][:1] if at < count else ""
        touches_word = not behind[1] and (following.isalnum() or following == "_")
        underlined = behind[1] == _UNDERLINE or (opened > 0 and tokens[opened - 1][1] == _UNDERLINE)
        chosen[opened] = chosen[number] = "*" if touches_word or underlined else "_"
    return chosen


def _ends_cleanly(tokens: list[_Token], number: int) -> bool:
    """Whether an address at the end of this token ends there for Discord too: white space or a matching end of marks follows."""
    for at in range(number + 1, len(tokens)):
        text, mark, opens, _ = tokens[at]
        if mark and not opens:
            continue
        return not mark and bool(_URL_ENDS.match(text))
    return True


def _inline(inline: Inline, mass: bool, *, at_line_start: bool, marks: int) -> tuple[str, int]:
    match inline:
        case Text():
            if inline.marks & _CODE:
                return _code(inline.text), _NO_URL_AT
            if inline.link:
                return _link(inline.text, inline.link, marks=marks, at_line_start=at_line_start)
            return _plain(inline.text, at_line_start=at_line_start, marks=marks)
        case Mention():
            return _mention(inline, mass), _NO_URL_AT
        case Emoji():
            if inline.id.isdecimal() and _EMOJI_NAME.fullmatch(inline.name):
                return f"<{'a' if inline.animated else ''}:{inline.name}:{inline.id}>", _NO_URL_AT
            return escape(inline_text(inline)), _NO_URL_AT
        case Timestamp():
            if abs(inline.unix_s) > _MAX_UNIX_S:
                return escape(inline.text or format_moment(inline.unix_s)), _NO_URL_AT
            style = f":{inline.style}" if inline.style in tuple("tTdDfFR") else ""
            return f"<t:{inline.unix_s}{style}>", _NO_URL_AT


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
        return _escape_plain(shown, at_line_start=at_line_start), _NO_URL_AT
    if label == url or not label.strip():
        if _URL.fullmatch(url):
            return _quiet_url(url, marks), 0
        return f"<{safe}>", _NO_URL_AT
    if "[" in label or "]" in label or "\n" in label or "://" in label:
        return f"{_escape_plain(label, at_line_start=at_line_start)} (<{safe}>)", _NO_URL_AT
    return f"[{_escape_plain(label, at_line_start=False)}](<{safe}>)", _NO_URL_AT


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
        is_clean = bool(_URL_ENDS.match(text, match.end()))
        is_last = match.end() == len(text)
        if is_last and is_clean:
            said = "".join(out)
            return said + url, len(said)
        out.append(url if is_clean else f"<{url}>")
        at = match.end()
    out.append(_escape_plain(text[at:], at_line_start=at_line_start if at == 0 else False))
    return "".join(out), _NO_URL_AT


def _escape_plain(text: str, *, at_line_start: bool) -> str:
    escaped = _NO_URL.sub(r"\1\\", _ESCAPED.sub(lambda found: "\\" + found[0], text))
    if not at_line_start and "\n" not in escaped:
        return escaped

    def at_start(found: re.Match[str]) -> str:
        if found[1] == "" and not at_line_start:
            return found[0]
        mark = f"{found[4]}\\." if found[4] else "\\" + found[3]
        return found[1] + found[2] + mark

    return _LINE_START.sub(at_start, escaped)

"""Slack's mrkdwn, the markup of `text` where no rich_text block comes with it, to the bridge's rich text. Pure.

Only `&amp; &lt; &gt;` are escapes, undone once and after the `<...>` tokens are found. Source: docs.slack.dev.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from adapters.slack import emoji_names
from adapters.slack.names import Names
from bridge.model.pauses import in_steps, pause_point
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
    Inline,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    format_moment,
    merge_inlines,
    normalize,
)

_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_TOKEN = re.compile(r"<([^<>\n]+)>")
_EMOJI = re.compile(r":([\w+'-]+(?:::skin-tone-[2-6])?):(?::(skin-tone-[2-6]):)?")
_DATE = re.compile(r"!date\^(\d{1,11})\^([^^|]*)(?:\^([^|]*))?")
_QUOTE_SIGNS = re.compile(r"^>{1,3}")
_MARKS = {"*": Mark.BOLD, "_": Mark.ITALIC, "~": Mark.STRIKE, "`": Mark.CODE}
_SPECIAL = re.compile(r"[<:*_~`]")
_MAX_DEPTH = 8
_MAX_CANDIDATES = 32
"""How many possible ends of a mark are looked at: hostile text must not cost quadratic time."""


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def decode_mrkdwn(text: str, names: Names, *, marked: bool = True) -> RichText:
    """Rich text of a mrkdwn string; whatever is no markup is literal text. With `marked` false (a message with `mrkdwn: false`)
    marks, quotes and fences are literal too; links, mentions and emoji are not."""
    if not marked:
        return normalize(RichText((Paragraph(_inline(text, names, 0, _MAX_DEPTH)),)))
    blocks: list[Block] = []
    at = 0
    for fence in _FENCE.finditer(text):
        blocks += _lines(text[at : fence.start()], names, after=at > 0, before=True)
        blocks.append(CodeBlock(_plain_tokens(fence[1], names)))
        at = fence.end()
    blocks += _lines(text[at:], names, after=at > 0, before=False)
    return normalize(RichText(tuple(blocks)))


def _lines(text: str, names: Names, *, after: bool, before: bool) -> list[Block]:
    """Paragraphs and quotes. `after` and `before` tell on which side a code block stands: its line break is not ours."""
    if after:
        text = text.removeprefix("\n")
    if before:
        text = text.removesuffix("\n")
    if not text:
        return []
    blocks: list[Block] = []
    held: list[str] = []
    quoting = False

    def flush() -> None:
        if held:
            inlines = _inline("\n".join(held), names, 0, 0)
            blocks.append(Quote((Paragraph(inlines),)) if quoting else Paragraph(inlines))
            held.clear()

    # apps write the sign of a quote as it is; what people write comes escaped
    lines = [_QUOTE_SIGNS.sub(lambda signs: "&gt;" * len(signs[0]), line) for line in in_steps(text.split("\n"))]
    for number, line in enumerate(in_steps(lines)):
        if line.startswith("&gt;&gt;&gt;"):
            flush()
            quoting = True
            held += [line.removeprefix("&gt;&gt;&gt;").removeprefix(" "), *lines[number + 1 :]]
            break
        is_quote = line.startswith("&gt;")
        if is_quote is not quoting:
            flush()
            quoting = is_quote
        held.append(line.removeprefix("&gt;").removeprefix(" ") if is_quote else line)
    flush()
    return blocks


def _inline(text: str, names: Names, marks: int, depth: int) -> tuple[Inline, ...]:
    inlines: list[Inline] = []
    at = start = 0
    while (special := _SPECIAL.search(text, at)) is not None:
        pause_point()
        at = special.start()
        piece: tuple[Inline, ...] = ()
        end = 0
        if (token := _TOKEN.match(text, at)) is not None:
            piece, end = (_token(token[1], names, marks),), token.end()
        elif (named := _EMOJI.match(text, at)) is not None:
            piece, end = _emoji(named, marks)
        elif depth < _MAX_DEPTH and (close := _closing(text, at)):
            inner = marks | _MARKS[text[at]]
            content = text[at + 1 : close]
            piece = (Text(_plain_tokens(content, names), inner),) if text[at] == "`" else _inline(content, names, inner, depth + 1)
            end = close + 1
        if not end:
            at += 1
            continue
        inlines += [Text(unescape(text[start:at]), marks), *piece]
        at = start = end
    inlines.append(Text(unescape(text[start:]), marks))
    return merge_inlines(inlines)


def tokens_of(text: str, names: Names, marks: int) -> tuple[Inline, ...]:
    """The `<...>` tokens and emoji of a text whose other markup is read already, or is none; nothing in it is escaped."""
    return _inline(text.replace("&", "&amp;"), names, marks, _MAX_DEPTH)


def plain_runs(text: str, marks: int = 0, *, unescaped: bool = False) -> list[Text]:
    """A plain_text: only emoji names stand for something else in it."""
    shown = _EMOJI.sub(lambda found: _character(found) or found[0], text if unescaped else unescape(text))
    return [Text(shown, marks)] if shown else []


def _closing(text: str, at: int) -> int:
    """Where the mark that opens at `at` closes on the same line; 0 if it is no mark. Marks stand at word bounds."""
    mark = text[at]
    if mark not in _MARKS or (at and (text[at - 1].isalnum() or text[at - 1] == mark)):
        return 0
    if at + 1 >= len(text) or text[at + 1].isspace() or text[at + 1] == mark:
        return 0
    line_end = text.find("\n", at)
    limit = len(text) if line_end < 0 else line_end
    close = at + 1
    for _ in range(_MAX_CANDIDATES):
        close = text.find(mark, close + 1, limit)
        if close < 0:
            return 0
        if not text[close - 1].isspace() and not (close + 1 < len(text) and text[close + 1].isalnum()):
            return close
    return 0


def _token(body: str, names: Names, marks: int) -> Inline:
    target, _, label = body.partition("|")
    label = unescape(label)
    if target.startswith("@"):
        name = names.user(target[1:])
        return Mention(MentionKind.USER, target[1:], label.lstrip("@") if name == target[1:] and label else name, marks)
    if target.startswith("#"):
        return Mention(MentionKind.CHAT, target[1:], label or names.channel(target[1:]), marks)
    if target.startswith("!"):
        return _special(target, label, names, marks)
    url = unescape(target)
    if not _scheme(url):
        return Text(unescape(f"<{body}>"), marks)
    return link(url, label, marks)


def link(url: str, label: str, marks: int = 0) -> Text:
    """A link as it is shown. An address of mail or telephone that is its own label is told once."""
    address = url
    for scheme in ("mailto:", "tel:"):
        address = address.removeprefix(scheme)
    shown = label or address
    return Text(shown, marks, None if address != url and shown == address else url)


def moment(unix_s: int, words: str, url: str, marks: int) -> Inline:
    """A moment in each reader's own time. One that is a link is a link with the words that stand for it."""
    if _scheme(url) in ("http", "https"):
        return Text(words or format_moment(unix_s), marks, url)
    return Timestamp(unix_s, words, "", marks)


def _scheme(url: str) -> str:
    """The scheme of a URL; empty if it is none."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _special(target: str, label: str, names: Names, marks: int) -> Inline:
    if (date := _DATE.fullmatch(target)) is not None:
        return moment(int(date[1]), label, unescape(date[3] or ""), marks)
    if target.startswith("!subteam^"):
        group_id = target.removeprefix("!subteam^")
        return Mention(MentionKind.GROUP, group_id, label.lstrip("@") or names.group(group_id), marks)
    word = target[1:].partition("^")[0]
    if word in ("here", "channel", "everyone"):
        return Mention(MentionKind.EVERYONE, word, word, marks)
    return Text(label or target[1:], marks)


def _emoji(found: re.Match[str], marks: int) -> tuple[tuple[Inline, ...], int]:
    character = _character(found)
    if character is not None:
        return (Text(character, marks),), found.end()
    # `10:30:45` and the like are no emoji; a custom one cannot be told from text without the workspace's list
    return (), 0


def _character(found: re.Match[str]) -> str | None:
    return emoji_names.to_unicode(found[1] + (f"::{found[2]}" if found[2] else ""))


def _plain_tokens(text: str, names: Names) -> str:
    """The text of a code span or block: tokens shown as what they stand for, no marks."""

    def shown(token: re.Match[str]) -> str:
        inline = _token(token[1], names, 0)
        match inline:
            case Mention():
                return ("#" if inline.kind is MentionKind.CHAT else "@") + inline.name
            case Text() | Timestamp():
                return inline.text
            case Emoji():
                return f":{inline.name}:"

    pieces: list[str] = []
    at = 0
    for token in _TOKEN.finditer(text):
        pieces += [unescape(text[at : token.start()]), shown(token)]
        at = token.end()
    return "".join([*pieces, unescape(text[at:])])

"""`parse_mode`: HTML, MarkdownV2 and the legacy Markdown, as the Bot API reference describes them. Pure.

The bridge itself sends entities; other Bot API clients use these. The tests compare them with TDLib's own parser (tdjson).
"""

from __future__ import annotations

import re
from typing import Any

from adapters.telegram.emulator.errors import bad_request
from adapters.telegram.emulator.formatting import utf16_length

Json = dict[str, Any]
Parsed = tuple[str, list[Json]]

_RESERVED = "_*[]()~`>#+-=|{}.!"
_V2_MARKS = {"*": "bold", "_": "italic", "__": "underline", "~": "strikethrough", "||": "spoiler"}
_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "blockquote": "blockquote",
}
_TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)((?:\s+[\w-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?)*)\s*>")
_ATTRIBUTE = re.compile(r"([\w-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+)))?")
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


def parse(text: str, mode: str) -> Parsed:
    """Text and entities; raises ApiError 400 "can't parse entities" as the server does."""
    match mode.lower():
        case "html":
            found = _Html(text).parse()
        case "markdownv2":
            found = _MarkdownV2(text).parse()
        case "markdown":
            found = _legacy(text)
        case _:
            raise bad_request("unsupported parse_mode")
    return found[0], sorted(found[1], key=lambda entity: (entity["offset"], -entity["length"]))


class _Output:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.length = 0
        self.entities: list[Json] = []

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self.length += utf16_length(text)

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def close(self, kind: str, start: int, parameters: Json) -> None:
        if self.length > start:
            self.entities.append({"type": kind, "offset": start, "length": self.length - start, **parameters})


def _failure(why: str, text: str, at: int) -> Exception:
    return bad_request(f"can't parse entities: {why} at byte offset {len(text[:at].encode())}")


def _link(url: str) -> tuple[str, Json]:
    mention = re.fullmatch(r"tg://user\?id=(\d+)", url)
    return ("text_mention", {"user": {"id": int(mention[1])}}) if mention else ("text_link", {"url": url})


# -- HTML -------------------------------------------------------------------------------------------------------------------


class _Html:
    def __init__(self, text: str) -> None:
        self._in = text
        self._out = _Output()
        self._open: list[tuple[str, str, int, Json]] = []

    def parse(self) -> Parsed:
        at = 0
        while at < len(self._in):
            sign = self._in[at]
            if sign == "<":
                at = self._tag(at)
            elif sign == "&" and (reference := _REFERENCE.match(self._in, at)) is not None:
                decimal, hexadecimal, named = reference.groups()
                self._out.add(_NAMED[named] if named else chr(int(decimal) if decimal else int(hexadecimal, 16)))
                at = reference.end()
            else:
                self._out.add(sign)
                at += 1
        if self._open:
            raise bad_request(f"can't parse entities: Can't find end tag corresponding to start tag \"{self._open[-1][0]}\"")
        return self._out.text, self._out.entities

    def _tag(self, at: int) -> int:
        tag = _TAG.match(self._in, at)
        if tag is None:
            raise _failure('Unsupported start tag ""', self._in, at)
        closing, name, rest = tag[1], tag[2].lower(), tag[3]
        if closing:
            if not self._open:
                raise _failure(f'Unexpected end tag "</{name}>"', self._in, at)
            if self._open[-1][0] != name:
                expected = f'expected "</{self._open[-1][0]}>", found "</{name}>"'
                raise bad_request(
                    f"can't parse entities: Unmatched end tag at byte offset {len(self._in[:at].encode())}, {expected}"
                )
            self._finish(*self._open.pop())
        else:
            if name not in _TAGS:
                raise _failure(f'Unsupported start tag "{name}"', self._in, at)
            attributes = {key.lower(): a or b or c for key, a, b, c in _ATTRIBUTE.findall(rest)}
            if name == "span" and attributes.get("class") != "tg-spoiler":
                raise bad_request('can\'t parse entities: Tag "span" must have class "tg-spoiler"')
            self._open.append((name, _TAGS[name], self._out.length, attributes))
        return tag.end()

    def _finish(self, name: str, kind: str, start: int, attributes: Json) -> None:
        if name == "a":
            url = attributes.get("href") or self._out.text[-(self._out.length - start) :]
            self._out.close(_link(url)[0], start, _link(url)[1])
        elif name == "tg-emoji":
            self._out.close(kind, start, {"custom_emoji_id": attributes.get("emoji-id", "")})
        elif name == "blockquote" and "expandable" in attributes:
            self._out.close("expandable_blockquote", start, {})
        elif name == "code" and self._open and self._open[-1][0] == "pre":
            language = str(attributes.get("class", ""))
            self._open[-1][3]["language"] = language.removeprefix("language-") if language.startswith("language-") else ""
        elif name == "pre":
            self._out.close(kind, start, {"language": attributes["language"]} if attributes.get("language") else {})
        else:
            self._out.close(kind, start, {})


# -- MarkdownV2 -------------------------------------------------------------------------------------------------------------


class _MarkdownV2:
    def __init__(self, text: str) -> None:
        self._in = text
        self._out = _Output()
        self._open: list[tuple[str, int, int]] = []
        """Mark, start in the output, position in the input."""
        self._quote: int | None = None

    def parse(self) -> Parsed:
        at = 0
        while at < len(self._in):
            at = self._step(at)
        if self._open:
            raise self._unclosed()
        if self._quote is not None:
            self._end_quote()
        return self._out.text, self._out.entities

    def _unclosed(self) -> Exception:
        mark, _, position = self._open[-1]
        names = {"[": "TextUrl", "![": "CustomEmoji"} | {m: k.capitalize() for m, k in _V2_MARKS.items()}
        return _failure(f"Can't find end of {names[mark]} entity", self._in, position)

    def _step(self, at: int) -> int:
        text = self._in
        sign = text[at]
        if self._quote is not None and at and text[at - 1] == "\n" and sign != ">":
            self._end_quote()
        if sign == "\\" and at + 1 < len(text) and 0 < ord(text[at + 1]) < 127:
            self._out.add(text[at + 1])
            return at + 2
        if sign == ">" and (at == 0 or text[at - 1] == "\n"):
            self._quote = self._out.length if self._quote is None else self._quote
            return at + 1
        if text.startswith("**>", at) and (at == 0 or text[at - 1] == "\n"):
            if self._quote is not None:
                self._end_quote()
            self._quote = self._out.length
            return at + 3
        if sign == "`":
            return self._code(at)
        if sign == "]" and self._open and self._open[-1][0] in ("[", "!["):
            return self._link(at)
        if sign not in _RESERVED:
            self._out.add(sign)
            return at + 1
        return self._mark(at)

    def _mark(self, at: int) -> int:
        text = self._in
        if text.startswith("||", at) and self._quote is not None and self._ends_quote(at + 2) and not self._is_open("||"):
            self._end_quote(expandable=True)
            return at + 2
        mark = next((m for m in ("__", "||", "![") if text.startswith(m, at)), text[at])
        if mark == "__" and self._open and self._open[-1][0] == "_" and not text.startswith("___", at):
            mark = "_"
        if self._open and self._open[-1][0] == mark:
            _, start, _ = self._open.pop()
            self._out.close(_V2_MARKS[mark], start, {})
            return at + len(mark)
        if mark not in _V2_MARKS and mark not in ("[", "!["):
            raise bad_request(
                f"can't parse entities: Character '{text[at]}' is reserved and must be escaped with the preceding '\\'"
            )
        self._open.append((mark, self._out.length, at))
        return at + len(mark)

    def _is_open(self, mark: str) -> bool:
        return any(opened == mark for opened, _, _ in self._open)

    def _ends_quote(self, at: int) -> bool:
        return at == len(self._in) or self._in[at] == "\n"

    def _end_quote(self, *, expandable: bool = False) -> None:
        assert self._quote is not None
        start, self._quote = self._quote, None
        self._out.close("expandable_blockquote" if expandable else "blockquote", start, {})

    def _code(self, at: int) -> int:
        fence = "```" if self._in.startswith("```", at) else "`"
        end = at + len(fence)
        parameters: Json = {}
        if fence == "```":
            first = re.compile(r"([^\s`\\]*)\n").match(self._in, end)
            if first is not None:
                parameters = {"language": first[1]} if first[1] else {}
                end = first.end()
        start = self._out.length
        while not self._in.startswith(fence, end):
            if end >= len(self._in):
                kind = "PreCode" if parameters else "Pre" if fence == "```" else "Code"
                raise _failure(f"Can't find end of {kind} entity", self._in, at)
            if self._in[end] == "\\" and end + 1 < len(self._in) and 0 < ord(self._in[end + 1]) < 127:
                end += 1
            self._out.add(self._in[end])
            end += 1
        self._out.close("pre" if fence == "```" else "code", start, parameters)
        return end + len(fence)

    def _link(self, at: int) -> int:
        mark, start, _ = self._open.pop()
        address = re.compile(r"\(((?:\\.|[^)\\])*)\)").match(self._in, at + 1)
        url = re.sub(r"\\(.)", r"\1", address[1]) if address else ""
        if mark == "![":
            emoji = re.fullmatch(r"tg://emoji\?id=(\d+)", url)
            if emoji is None:
                raise bad_request("can't parse entities: Custom emoji URL must have scheme tg")
            self._out.close("custom_emoji", start, {"custom_emoji_id": emoji[1]})
        elif url:
            kind, parameters = _link(url)
            self._out.close(kind, start, parameters)
        return address.end() if address else at + 1


# -- legacy Markdown --------------------------------------------------------------------------------------------------------

_LEGACY = re.compile(
    r"\\(?P<escaped>[_*`\[])"
    r"|```(?:(?P<language>[^\s`]*)\n)?(?P<pre>.*?)```"
    r"|`(?P<code>[^`]*)`"
    r"|\*(?P<bold>[^*]*)\*"
    r"|_(?P<italic>[^_]*)_"
    r"|\[(?P<label>[^\]]*)\](?:\((?P<url>[^)]*)\))?"
    r"|(?P<unclosed>[_*`\[])",
    re.DOTALL,
)


def _legacy(text: str) -> Parsed:
    out = _Output()
    at = 0
    for match in _LEGACY.finditer(text):
        out.add(text[at : match.start()])
        at = match.end()
        start = out.length
        if match["unclosed"]:
            raise _failure("Can't find end of the entity starting", text, match.start())
        if match["escaped"]:
            out.add(match["escaped"])
        elif match["label"] is not None:
            out.add(match["label"])
            if match["url"]:
                kind, parameters = _link(match["url"])
                out.close(kind, start, parameters)
        else:
            kind = next(name for name in ("pre", "code", "bold", "italic") if match[name] is not None)
            out.add(match[kind])
            out.close(kind, start, {"language": match["language"]} if match["language"] else {})
    out.add(text[at:])
    return out.text, out.entities

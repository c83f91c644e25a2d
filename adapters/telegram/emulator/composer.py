"""What people type into a Telegram client: **bold** __italic__ ~~strike~~ ||spoiler|| `code` ```fences``` [label](url) > quote.

Pure. Telegram's apps turn this into entities before they send it; the Bot API has nothing to do with it (see `parse_modes`).
"""

from __future__ import annotations

import re
from typing import Any

from adapters.telegram.emulator.formatting import checked_link, utf16_length

Json = dict[str, Any]

_PAIRS = {"**": "bold", "__": "italic", "~~": "strikethrough", "||": "spoiler"}
_FENCE = re.compile(r"```([A-Za-z0-9_+#-]*)\n(.*?)\n?```", re.DOTALL)
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<url>[^)\s]+)\)"
    r"|(?P<mark>\*\*|__|~~|\|\|)(?=\S)(?P<inner>.+?)(?<=\S)(?P=mark)"
)


def compose(markup: str) -> tuple[str, list[Json]]:
    """The text and entities of what was typed. Markup that is not closed stays literal."""
    writer = _Writer()
    at = 0
    for fence in _FENCE.finditer(markup):
        writer.lines(markup[at : fence.start()])
        language = {"language": fence.group(1)} if fence.group(1) else {}
        writer.marked("pre", fence.group(2), **language)
        at = fence.end()
    writer.lines(markup[at:])
    return writer.text, sorted(writer.entities, key=lambda entity: (entity["offset"], -entity["length"]))


class _Writer:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self.entities: list[Json] = []

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def plain(self, text: str) -> None:
        self._pieces.append(text)
        self._length += utf16_length(text)

    def marked(self, kind: str, text: str, **parameters: str) -> None:
        start = self._length
        self.plain(text)
        self._entity(kind, start, **parameters)

    def _entity(self, kind: str, start: int, **parameters: str) -> None:
        if self._length > start:
            self.entities.append({"type": kind, "offset": start, "length": self._length - start, **parameters})

    def lines(self, markup: str) -> None:
        """Running text, in which lines beginning with `> ` are quotes."""
        quoting: int | None = None
        for number, line in enumerate(markup.split("\n")):
            is_quote = line.startswith("> ")
            if quoting is not None and not is_quote:
                self._entity("blockquote", quoting)
                quoting = None
            if number:
                self.plain("\n")
            if is_quote and quoting is None:
                quoting = self._length
            self.inline(line[2:] if is_quote else line)
        if quoting is not None:
            self._entity("blockquote", quoting)

    def inline(self, markup: str) -> None:
        at = 0
        for match in _INLINE.finditer(markup):
            self.plain(markup[at : match.start()])
            at = match.end()
            if match["code"] is not None:
                self.marked("code", match["code"])
            elif match["label"] is not None:
                url = checked_link(match["url"])
                if url is None:
                    self.plain(match.group())
                else:
                    self.marked("text_link", match["label"], url=url)
            else:
                start = self._length
                self.inline(match["inner"])
                self._entity(_PAIRS[match["mark"]], start)
        self.plain(markup[at:])

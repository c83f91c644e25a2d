"""The markdown parser: CommonMark by markdown-it-py, with what the messengers add to it. Used by `decode_markdown`.

Added: ~~strike~~; bare addresses, which are literal whatever stands in them (GitHub Flavored Markdown, "Autolinks (extension)",
which Mattermost follows); pictures with a size (`![a](u =100x200)`); where `NAMES` is set in the environment, short names of emoji.
Links to a path (`/team/pl/...`) are links to the server, if it is known.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, text

from adapters.teamspirit.emoji_names import emoji_of
from adapters.teamspirit.web_links import SAFE_LINK, absolute, bare_address
from bridge.model.pauses import pause_point

ADDRESS = "address"
"""Type of the token for a bare address; its content is the address."""
NAMES = "emoji names"

_BEGINS = re.compile(r"(?i)(?<![^\W_])(?:(?:https?|ftp)://|www\.)(?=\w)|(?<![^\W_]):(?=[a-z0-9+_-]+:)")
_SHORT_NAME = re.compile(r":([a-z0-9_+\-]{1,80}):(?![^\W_])")
_SIZED = re.compile(
    r"!\[((?:[^\[\]\\]|\\.){0,500})\]\(\s*<?([^\s<>]{1,2000})>?\s+=\d{0,5}(?:x\d{0,5})?(?:\s+(?:\"[^\"]{0,500}\"|'[^']{0,500}'))?\s*\)"
)


class _Parser(MarkdownIt):
    """Keeps URLs as they were written, but for paths of the server, and lets only safe ones be links."""

    server = ""

    def normalizeLink(self, url: str) -> str:
        return absolute(url, self.server)

    def normalizeLinkText(self, link: str) -> str:
        return link

    def validateLink(self, url: str) -> bool:
        return SAFE_LINK.match(url) is not None


def _address(state: StateInline, silent: bool) -> bool:
    # in a link's label an address is words, as it is while the end of a label is looked for
    if silent or state.linkLevel > 0 or state.src[state.pos] not in "hHfFwW":
        return False
    address = bare_address(state.src, state.pos)
    if not address:
        return False
    token = state.push(ADDRESS, "", 0)
    token.content = address
    state.pos += len(address)
    return True


def _text(state: StateInline, silent: bool) -> bool:
    """Up to the next markup, address or short name."""
    pause_point()
    start = state.pos
    if not text(state, True):
        return False
    found = _BEGINS.search(state.src, start + 1, min(state.pos + 8, state.posMax))
    if found is not None and found.start() < state.pos:
        state.pos = found.start()
    if not silent:
        state.pending += state.src[start : state.pos]
    return True


def _short_name(state: StateInline, silent: bool) -> bool:
    at = state.pos
    if state.src[at] != ":" or NAMES not in state.env or (at and state.src[at - 1].isalnum()):
        return False
    found = _SHORT_NAME.match(state.src, at)
    character = emoji_of(found[1]) if found is not None else ""
    if found is None or not character:
        return False
    if not silent:
        state.pending += character
    state.pos = found.end()
    return True


def _sized_image(state: StateInline, silent: bool) -> bool:
    found = _SIZED.match(state.src, state.pos) if state.src.startswith("![", state.pos) else None
    if found is None:
        return False
    if not silent:
        token = state.push("image", "img", 0)
        token.attrs = {"src": state.md.normalizeLink(found[2]), "alt": ""}
        token.content = found[1]
    state.pos = found.end()
    return True


@lru_cache(maxsize=16)
def _parser(server: str) -> MarkdownIt:
    parser = _Parser("commonmark", {"html": False})
    parser.server = server
    parser.enable("strikethrough").disable("reference")
    ruler = parser.inline.ruler
    ruler.at("text", _text)
    ruler.before("text", ADDRESS, _address)
    ruler.before("text", "short_name", _short_name)
    ruler.before("image", "sized_image", _sized_image)
    return parser


def parse(source: str, *, emoji_names: bool, server: str = "", inline: bool = False) -> Any:
    """The tokens of a text. `server`: where links to a path lead; `inline`: whether it can hold no blocks. Never raises."""
    env: MutableMapping[str, Any] = {NAMES: True} if emoji_names else {}
    parser = _parser(server)
    return parser.parseInline(source, env) if inline else parser.parse(source, env)

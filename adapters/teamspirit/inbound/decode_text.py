"""Text of a message in the dialect's flavour, as rich text: `decode_markdown`, `decode_html`, or plain text. Pure.

Called by `decode` and `decode_cards`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from adapters.teamspirit.inbound.decode_html import decode_html
from adapters.teamspirit.inbound.decode_markdown import decode_markdown
from adapters.teamspirit.mention_guards import clean
from bridge.model.rich_text import RichText, plain

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import TextDialect


def decode_text(source: str, dialect: TextDialect, *, as_plain: bool = False, server: str = "") -> RichText:
    """What a message's text says. `as_plain`: the server says that this one has no markup. `server`: where links to a path lead."""
    return (_decode_long if is_long_source(source) else _decode)(source, dialect, as_plain, server)


def is_long_source(source: str) -> bool:
    """Whether decoding the text takes so long that it is done beforehand, beside the loop; what comes of it is kept a while."""
    return len(source) > _LONG


def _decode(source: str, dialect: TextDialect, as_plain: bool, server: str) -> RichText:
    source = clean(source)
    if as_plain or dialect.flavour == "plain":
        return plain(source.strip("\n"))
    if dialect.flavour == "html":
        return decode_html(source, dialect)
    return decode_markdown(source, dialect, server=server)


_LONG = 1000
_decode_long = lru_cache(maxsize=16)(_decode)
"""Long texts come several times each: by a call, in the history, and when they are looked at again."""

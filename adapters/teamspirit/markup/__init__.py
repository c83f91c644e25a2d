"""Rich text to and from a dialect's text flavour: `markdown_decode` and `markdown_encode`, `html`, and plain text. Pure.

Called by the adapter's `decode` and `encode`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from adapters.teamspirit.markup.guards import clean
from adapters.teamspirit.markup.html import decode_html, encode_html
from adapters.teamspirit.markup.markdown_decode import decode_markdown
from adapters.teamspirit.markup.markdown_encode import encode_markdown
from bridge.model.rich_text import RichText, plain, to_plain

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import TextDialect

__all__ = ["decode_text", "encode_text", "is_long_source"]


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


def encode_text(rich: RichText, dialect: TextDialect, *, mass_mentions: bool = False) -> str:
    """The text for the server. Literal text in `rich` can never become markup or a mention. `mass_mentions`: whether an EVERYONE
    mention may ping."""
    if dialect.flavour == "plain":
        return clean(to_plain(rich))
    if dialect.flavour == "html":
        return encode_html(rich, dialect, mass_mentions=mass_mentions)
    return encode_markdown(rich, dialect, mass_mentions=mass_mentions)

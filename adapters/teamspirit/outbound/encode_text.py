"""Rich text in the dialect's flavour: `encode_markdown`, `encode_html`, or plain text. Pure.

Called by `encode`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.teamspirit.mention_guards import clean
from adapters.teamspirit.outbound.encode_html import encode_html
from adapters.teamspirit.outbound.encode_markdown import encode_markdown
from bridge.model.rich_text import RichText, to_plain

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import TextDialect


def encode_text(rich: RichText, dialect: TextDialect, *, mass_mentions: bool = False) -> str:
    """The text for the server. Literal text in `rich` can never become markup or a mention. `mass_mentions`: whether an EVERYONE
    mention may ping."""
    if dialect.flavour == "plain":
        return clean(to_plain(rich))
    if dialect.flavour == "html":
        return encode_html(rich, dialect, mass_mentions=mass_mentions)
    return encode_markdown(rich, dialect, mass_mentions=mass_mentions)

"""Posts to an incoming webhook of Mattermost's form, as whoever takes such posts elsewhere would show them. Pure, and lenient.

Sources: developers.mattermost.com/integrate/webhooks/incoming (parameters `text`, `username`, `icon_url`, `attachments`, `props`,
`priority`; attachments may stand under `props` too) and .../reference/message-attachments; what stands in the server alone:
mattermost-server model/incoming_webhook.go and model/slack_attachment.go, which read Slack's links and announcements in texts.
Called through `bridge.model.platform.Platform.decode_post`. Under which name a post is shown is its receiver's to say.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from adapters.common.queries import find
from adapters.teamspirit.inbound.decode_cards import cards_text
from adapters.teamspirit.inbound.decode_content import label_of
from adapters.teamspirit.inbound.decode_parts import list_of, words_of
from adapters.teamspirit.inbound.decode_text import decode_text
from bridge.model.events import Content
from bridge.model.rich_text import RichText, concat, text_of

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.events import CardFields
    from adapters.teamspirit.dialect.model import TextDialect


class _Written(NamedTuple):
    """What a dialect says of texts. Hashable, as that is: what comes of long texts is kept."""

    flavour: str = "markdown"
    mention: str = "@"
    chat_mention: str = "~"
    emoji_names: bool = True
    tables: bool = True
    mass_mentions: tuple[str, ...] = ("all", "channel", "here")


_MATTERMOST = cast("TextDialect", _Written())
_CARD = cast(
    "CardFields",
    SimpleNamespace(
        fallback="fallback",
        pretext="pretext",
        author="author_name",
        author_link="author_link",
        title="title",
        title_link="title_link",
        text="text",
        fields="fields",
        field=SimpleNamespace(title="title", value="value"),
        images="[image_url, thumb_url]",
        footer="footer",
        actions="actions[].name",
        inner=None,
    ),
)
_ATTACHMENTS = "[attachments, props.attachments][]"
_SHOWN = ("text", "attachments")
_LONGEST_MARKUP = 20_000
_DEEPEST = 20
_SLACK_LINK = re.compile(r"<([^<|>\s]+)\|([^<>]+)>")
_ANNOUNCEMENT = re.compile(r"<!(channel|here|all|everyone)>")


def decode_post(payload: Any) -> Content | None:
    """What the post would show; None if it is none: there is neither text nor attachments. It may show nothing, which the server
    refuses as well."""
    if not isinstance(payload, dict) or not _is_post(payload):
        return None
    shown = concat(
        _priority(find("priority.priority || props.priority.priority", payload)),
        _markup(find("text", payload)),
        cards_text([_as_markdown(card) for card in list_of(find(_ATTACHMENTS, payload))], _CARD, _MATTERMOST),
    )
    aside = _markup(find("props.card", payload))  # what a click on the post's (i) shows beside the chat
    return Content(text=shown if text_of(aside) in text_of(shown) else concat(shown, aside))


def _is_post(payload: dict[str, Any]) -> bool:
    props = payload.get("props")
    return any(payload.get(name) is not None for name in _SHOWN) or (isinstance(props, dict) and bool(props.get("attachments")))


def _markup(value: Any) -> RichText:
    words = _slack_as_markdown(words_of(value))
    return decode_text(words, _MATTERMOST, as_plain=not isinstance(value, str) or len(words) > _LONGEST_MARKUP)


def _slack_as_markdown(text: str) -> str:
    """`<https://example.com|label>` and `<!here>` are read in posts as Slack reads them."""
    return _SLACK_LINK.sub(r"[\2](\1)", _ANNOUNCEMENT.sub(r"@\1", text)) if "<" in text else text


def _as_markdown(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return _slack_as_markdown(value)
    if depth >= _DEEPEST:
        return value
    if isinstance(value, list):
        return [_as_markdown(item, depth + 1) for item in value]
    return {key: _as_markdown(item, depth + 1) for key, item in value.items()} if isinstance(value, dict) else value


def _priority(value: Any) -> RichText:
    """`important` and `urgent` are a label above the post."""
    words = words_of(value)
    return RichText() if words == "standard" else label_of(words)

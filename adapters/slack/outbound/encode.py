"""Encodes outbound messages as the arguments of Web API methods. Pure. Called by `sender`.

`link_names` and `parse="full"` are never used: they turn plain words into pings. Source: docs.slack.dev, chat methods.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from adapters.slack.identity import BLOCK_ID_PREFIX, METADATA_TYPE
from adapters.slack.outbound.encode_table import around_table, has_table
from adapters.slack.outbound.encode_text import MAX_PLAIN, MAX_PLAIN_EDIT, fallback_text, plain_text, rich_text_elements
from adapters.slack.timestamps import is_ts
from bridge.model.adapter import Outbound, OutboundEdit, Reply, Sender
from bridge.model.rich_text import Mark, Mention, MentionKind, Paragraph, Quote, RichText, Text, concat, map_inlines

Arguments = dict[str, Any]

_EXCERPT_LENGTH = 120


def thread_ts(outbound: Outbound, *, replies_in_thread: bool) -> str | None:
    """The thread to post in: the wanted one, else that of the answered message, else a new one under it. Never a reply's own `ts`
    where its thread is known: Slack wants the parent's."""
    if outbound.thread_id:
        return outbound.thread_id
    reply = outbound.reply
    if reply is None or not replies_in_thread:
        return None
    wanted = reply.thread_id or reply.message_id
    return wanted if is_ts(wanted) else None


def body(outbound: Outbound | OutboundEdit, *, quote_reply: bool, show_sender: bool) -> RichText:
    """The text as it is posted: with a quoted line where the reply is no thread (`quote_reply`), and with the sender's name where
    Slack does not let us post under it (`show_sender`)."""
    parts: list[RichText] = []
    if outbound.reply is not None and quote_reply:
        parts.append(_quoted_line(outbound.reply))
    if show_sender and outbound.sender is not None:
        parts.append(RichText((Paragraph((Text(f"{outbound.sender.name}:", Mark.BOLD),)),)))
    text = outbound.text if outbound.mass_mentions else map_inlines(outbound.text, _harmless)
    return concat(*parts, text)


def _harmless(inline: Any) -> Any:
    """The core passes no mass mention unless it may ping; this enforces it here too."""
    if isinstance(inline, Mention) and inline.kind is MentionKind.EVERYONE:
        return Text(f"@{inline.name}", inline.marks)
    return inline


def _quoted_line(reply: Reply) -> RichText:
    excerpt = " ".join(reply.excerpt.split())
    if len(excerpt) > _EXCERPT_LENGTH:
        excerpt = excerpt[: _EXCERPT_LENGTH - 1] + "…"
    name = (Text(f"{reply.author_name}: ", Mark.BOLD),) if reply.author_name else ()
    shown = (*name, Text(excerpt or "…"))
    return RichText((Quote((Paragraph(shown),)),))


def message_blocks(rich: RichText, block_id: str, *, with_table: bool = False) -> list[Arguments]:
    """The message's block, or with `with_table` its blocks where a table is among its words. Empty for no text, since Slack takes
    no block without content. The first block has the id."""
    around = around_table(rich) if with_table else None
    if around is None:
        return _rich_text_block(rich, block_id)
    above, table, below = around
    first = _rich_text_block(above, block_id)
    return [*first, table if first else {**table, "block_id": block_id}, *_rich_text_block(below, "")]


def _rich_text_block(rich: RichText, block_id: str) -> list[Arguments]:
    elements = rich_text_elements(rich)
    named = {"block_id": block_id} if block_id else {}
    return [{"type": "rich_text", **named, "elements": elements}] if elements else []


def block_id(token: str, version: str = "") -> str:
    """Carries our token where metadata cannot go (file shares). Slack asks for a new one with each edit: `version`."""
    return f"{BLOCK_ID_PREFIX}{token}" + (f".{version}" if version else "")


def persona(sender: Sender | None) -> Arguments:
    """The author's name and picture, for methods that take them."""
    if sender is None:
        return {}
    arguments: Arguments = {"username": sender.name}
    if sender.avatar_url.startswith(("https://", "http://")):
        arguments["icon_url"] = sender.avatar_url
    return arguments


def is_shortened(rich: RichText) -> bool:
    """Whether an edit without blocks cannot hold these words."""
    return plain_text(rich, MAX_PLAIN_EDIT) != plain_text(rich, MAX_PLAIN)


class Form(Enum):
    """How words are written: each is simpler than the one before it."""

    TABLE = "table"
    """A table among them as Slack's own."""
    RICH = "rich"
    PLAIN = "plain"
    """Without blocks."""

    def lesser(self, rich: RichText) -> Form | None:
        """The form to try where Slack refuses this one for these words; None if there is none."""
        if self is Form.TABLE and has_table(rich):
            return Form.RICH
        return None if self is Form.PLAIN else Form.PLAIN


def _words(rich: RichText, own_block_id: str, form: Form, *, plain_limit: int) -> Arguments:
    """The text as blocks with their fallback, or the words alone."""
    if form is Form.PLAIN:
        return {"text": plain_text(rich, plain_limit) or " "}
    return {"text": fallback_text(rich) or " ", "blocks": message_blocks(rich, own_block_id, with_table=form is Form.TABLE)}


def post_message(
    outbound: Outbound, rich: RichText, thread: str | None, *, broadcast: bool, with_persona: bool, form: Form = Form.TABLE
) -> Arguments:
    """Arguments of chat.postMessage."""
    arguments: Arguments = {
        "channel": outbound.chat_id,
        **_words(rich, block_id(outbound.token), form, plain_limit=MAX_PLAIN),
        "metadata": {"event_type": METADATA_TYPE, "event_payload": {"id": outbound.token}},
        "mrkdwn": False,
        "parse": "none",
        "unfurl_links": outbound.previews,
        "unfurl_media": outbound.previews,
        **(persona(outbound.sender) if with_persona else {}),
    }
    if thread:
        arguments |= {"thread_ts": thread} | ({"reply_broadcast": True} if broadcast else {})
    return arguments


def update(edit: OutboundEdit, rich: RichText, version: str, form: Form = Form.TABLE) -> Arguments:
    """Arguments of chat.update. The name a message was posted under cannot be changed, and stays."""
    return {
        "channel": edit.copy.chat_id,
        "ts": edit.copy.message_ids[0],
        **_words(rich, block_id(edit.token, version), form, plain_limit=MAX_PLAIN_EDIT),
        "metadata": {"event_type": METADATA_TYPE, "event_payload": {"id": edit.token}},
        "parse": "none",
    }


def complete_upload(
    outbound: Outbound,
    rich: RichText,
    files: list[tuple[str, str]],
    thread: str | None,
    *,
    with_persona: bool,
    form: Form = Form.RICH,
) -> Arguments:
    """Arguments of files.completeUploadExternal for uploaded files (id, title): one message with all of them. A table is columns of
    text: it is not documented that this method takes one, and of `markdown` blocks it is known that it does not."""
    arguments: Arguments = {
        "channel_id": outbound.chat_id,
        "files": [{"id": file_id, "title": title} for file_id, title in files],
        **(persona(outbound.sender) if with_persona else {}),
    }
    blocks = message_blocks(rich, block_id(outbound.token))
    if blocks and form is Form.PLAIN:
        arguments["initial_comment"] = plain_text(rich, MAX_PLAIN)
    elif blocks:
        arguments["blocks"] = blocks
    if thread:
        arguments["thread_ts"] = thread
    return arguments

"""Decodes a request: by the end's template, or by its own form. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from adapters.common.lenient import words
from adapters.webhook import recipe, recipe_files
from adapters.webhook.inbound.body import Body, Kind
from adapters.webhook.inbound.common_json import decode_common
from adapters.webhook.inbound.decode_content import decode_content, web_address
from adapters.webhook.inbound.decode_text import DecodePost, decode_text
from adapters.webhook.inbound.form import decode_form
from adapters.webhook.inbound.ntfy import decode_words, told_beside
from adapters.webhook.inbound.page import decode_page
from adapters.webhook.inbound.received import Answer, Nothing, Received, Said
from adapters.webhook.inbound.refusal import NOTHING, Refusal
from bridge.model.events import Attachment
from bridge.model.templates import TemplateFailed

if TYPE_CHECKING:
    from adapters.webhook.config import EndOptions

_SLACK_ALONE = ("blocks", "attachments", "icon_emoji", "link_names", "unfurl_links", "unfurl_media", "mrkdwn", "response_type")
_MATTERMOST_ALONE = ("props", "priority", "card")
_POSTS = {"text", "channel", "username", "icon_url", "icon_emoji", "type", *_SLACK_ALONE, *_MATTERMOST_ALONE}
_DISCORD = {"content", "username", "avatar_url", "tts", "allowed_mentions", "flags", "poll", "components"}
_ANSWERS = {"slack": Answer.SLACK, "mattermost": Answer.MATTERMOST, "discord": Answer.DISCORD}
_PLATFORMS = {"slack": "slack", "mattermost": "teamspirit", "discord": "discord"}
_UNKNOWN = (
    "nothing in this JSON says what to show: give text (and title, url, author, id), or let the receiver's admin set a template "
    "for it"
)


class Undecodable(Refusal):
    """The request cannot be decoded; it is kept for the admin of the end. The text is shown to the sender."""


def decode(received: Received, end: str, options: EndOptions, decode_post: DecodePost) -> Said | Nothing:
    """The message in the request, or Nothing. Raises Refusal or Undecodable."""
    loaded = options.incoming
    body = received.body
    if loaded.post:
        return _post(loaded.post, body, decode_post)
    recipes = loaded.recipes or (recipe_files.shipped() if body.kind is Kind.JSON else ())
    found = _by_recipe(recipes, received, end, decode_post)
    if found is not None:
        return found
    if loaded.recipes:
        raise Undecodable(422, "the template of this receiver is for other payloads: none of its conditions holds")
    return _by_kind(received, end, options, decode_post)


def _by_kind(received: Received, end: str, options: EndOptions, decode_post: DecodePost) -> Said | Nothing:
    body, found = received.body, None
    match body.kind:
        case Kind.JSON:
            return _json(body, received, decode_post)
        case Kind.FORM:
            found = decode_form(body, options.form)
        case Kind.TEXT:
            is_markdown = received.headers.get("content-type", "").startswith("text/markdown")
            found = decode_words(body.text, body.files, received.headers, received.query, decode_post, is_markdown=is_markdown)
        case Kind.NOTHING if received.method == "GET":
            return decode_page(end, received.headers, received.query, decode_post)
        case Kind.NOTHING:
            found = decode_words("", body.files, received.headers, received.query, decode_post)
    if found is None:
        raise Refusal(400, NOTHING)
    return found


# -- JSON -----------------------------------------------------------------------------------------------------------------------


def _json(body: Body, received: Received, decode_post: DecodePost) -> Said:
    data = body.data
    if isinstance(data, str) and data.strip():
        return Said(content=decode_content(text=decode_text(data), files=body.files))
    if not isinstance(data, dict):
        raise Undecodable(422, 'the JSON is no object: give {"text": "..."}')
    if style := _style(data, received.place):
        return _post(style, body, decode_post)
    if not received.place:
        data = {**told_beside(received.headers), **data}
    said = decode_common(data, body.files, decode_post)
    if said is None:
        raise Undecodable(422, _UNKNOWN)
    return said


def _style(data: dict[str, Any], place: str) -> str:
    """The platform whose incoming webhook the payload is written for; empty if none. A payload that fits both Slack and Mattermost
    is Mattermost's at Mattermost's path."""
    names = {name for name, value in data.items() if value is not None}
    if "embeds" in names or (names and names <= _DISCORD):
        return "discord" if names & {"content", "embeds", "poll", "components"} else ""
    if names & {"text", "attachments", "blocks", "props"} and names <= _POSTS:
        is_mattermost = (place == "hooks" or bool(names & set(_MATTERMOST_ALONE))) and "blocks" not in names
        return "mattermost" if is_mattermost else "slack"
    return "slack" if "blocks" in names or ("attachments" in names and "fallback" in str(data.get("attachments"))[:10_000]) else ""


def _post(style: str, body: Body, decode_post: DecodePost) -> Said:
    content = decode_post(_PLATFORMS[style], body.data) if body.kind is Kind.JSON else None
    if content is None and not (body.files and isinstance(body.data, dict)):
        raise Undecodable(
            422, f"this is no payload of {style.capitalize()}'s incoming webhooks: it has neither text nor attachments"
        )
    data: dict[str, Any] = body.data
    kept = content or decode_content()
    said = decode_content(text=kept.text, files=body.files)
    if not said.text and not said.attachments and kept.poll is None:
        raise Refusal(400, "no_text" if style == "slack" else NOTHING)
    return Said(
        content=replace(kept, text=said.text, attachments=body.files),
        answer=_ANSWERS[style],
        author=words(data.get("username")).strip(),
        avatar_url=web_address(words(data.get("icon_url")) or words(data.get("avatar_url"))),
    )


# -- templates ------------------------------------------------------------------------------------------------------------------


def _by_recipe(recipes: tuple[recipe.Recipe, ...], received: Received, end: str, decode_post: DecodePost) -> Said | Nothing | None:
    """The message by the first recipe whose condition holds; None if none does. Raises Undecodable."""
    if not recipes:
        return None
    values = {
        "payload": payload_of(received),
        "headers": received.headers,
        "query": received.query,
        "method": received.method,
        "end": end,
    }
    try:
        chosen = next((each for each in recipes if recipe.is_for(each, values)), None)
        filled = recipe.fill(chosen, values) if chosen is not None else None
    except TemplateFailed as error:
        raise Undecodable(422, "the template of this receiver cannot show this payload") from error
    if filled is None:
        return None
    if filled.ignored:
        return Nothing(reason="a template ignores it")
    return _said(filled, received.body.files, decode_post)


def _said(filled: recipe.Filled, files: tuple[Attachment, ...], decode_post: DecodePost) -> Said:
    content = decode_content(
        title=filled.title,
        url=filled.url,
        text=decode_text(filled.text, filled.format, decode_post),
        fields=filled.fields,
        files=files,
    )
    if not content.text and not content.attachments:
        raise Undecodable(422, "the template of this receiver shows nothing of this payload")
    return Said(
        content=content,
        id=filled.id,
        over=filled.over,
        author=filled.author,
        avatar_url=web_address(filled.avatar),
        failed=filled.failed,
    )


def payload_of(received: Received) -> Any:
    """The value of `payload` in templates: the JSON, a form's fields by name, plain text as `text`, or the query of a GET."""
    match received.body.kind:
        case Kind.JSON:
            return received.body.data
        case Kind.FORM:
            values: dict[str, str] = {}
            for name, value in received.body.fields:
                values[name] = f"{values[name]}, {value}" if name in values else value
            return values
        case Kind.TEXT:
            return {"text": received.body.text}
        case _:
            return dict(received.query)

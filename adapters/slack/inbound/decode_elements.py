"""The small parts of Slack's app messages: text objects, pictures, buttons, menus. Pure. Called by `decode_blocks` and
`decode_attachments`.

Whoever reads a copy cannot press a button; that there is one, and where it leads, is shown. Source: docs.slack.dev, Block Kit
reference, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.slack.inbound.decode_mrkdwn import decode_mrkdwn, link, plain_runs, unescape
from adapters.slack.inbound.decode_rich_text import decode_rich_text
from adapters.slack.lenient import number, objects, words
from adapters.slack.names import Names
from bridge.model.rich_text import EMPTY, Inline, Mark, Paragraph, RichText, Text, Timestamp, concat, map_inlines

Json = Mapping[str, Any]

_MOST_CHOSEN = 20
_SCHEMES = ("http://", "https://", "mailto:", "tel:", "slack://")


def line(*inlines: Inline) -> RichText:
    return RichText((Paragraph(inlines),))


def lines(parts: Iterable[RichText]) -> RichText:
    return concat(*parts)


def is_url(text: str) -> bool:
    return text.startswith(_SCHEMES)


def text_object(value: Any, names: Names, marks: int = 0) -> RichText:
    """A text object (mrkdwn, plain_text, raw_text), or what stands in its place: text alone, or a rich_text block."""
    if isinstance(value, Mapping):
        kind = value.get("type")
        if kind == "rich_text":
            return decode_rich_text(value, names)
        if kind == "mrkdwn":
            return decode_mrkdwn(words(value), names)
        if value.get("emoji") is False:
            return line(Text(unescape(words(value)), marks)) if words(value) else EMPTY
    shown = words(value)
    return line(*plain_runs(shown, marks)) if shown else EMPTY


def picture(url: str, label: str, *, of: str = "image") -> RichText:
    """A picture on another server: what it shows, leading to it. It is never fetched."""
    shown = " ".join(label.split()) or of
    return line(link(url, shown)) if is_url(url) else line(Text(f"[{of}: {shown}]" if shown != of else f"[{of}]"))


def image_of(element: Json) -> RichText:
    """An image block or element. `slack_file` names a file of the workspace."""
    slack_file = element.get("slack_file")
    url = words(element.get("image_url"))
    if not url and isinstance(slack_file, Mapping):
        url = words(slack_file.get("permalink")) or words(slack_file.get("url"))
    return picture(unescape(url), unescape(words(element.get("title")) or words(element.get("alt_text"))))


def elements(value: Any, names: Names) -> RichText:
    """Buttons, menus, pictures and texts, each on a line."""
    return lines(element(entry, names) for entry in objects(value))


def element(entry: Json, names: Names) -> RichText:
    kind = words(entry.get("type"))
    match kind:
        case "image":
            return image_of(entry)
        case "mrkdwn" | "plain_text" | "raw_text" | "raw_number" | "rich_text":
            return cell(entry, names)
        case "button" | "workflow_button" | "icon_button" | "url":
            return _button(entry)
        case "feedback_buttons":
            return lines(
                _button(entry[key]) for key in ("positive_button", "negative_button") if isinstance(entry.get(key), Mapping)
            )
        case "overflow":
            return lines(_button(option) for option in objects(entry.get("options")))
        case "checkboxes" | "radio_buttons":
            return _choices(entry, names)
        case _:
            return _menu(entry, kind, names)


def cell(entry: Json, names: Names) -> RichText:
    """A cell of a table."""
    if entry.get("type") == "raw_number":
        return line(Text(words(entry) or words(entry.get("value"))))
    return text_object(entry, names)


def _button(entry: Json) -> RichText:
    """A legacy attachment's action has its text as a text; a block's button has a text object."""
    label = unescape(" ".join((words(entry.get("text")) or words(entry.get("name")) or words(entry.get("value"))).split()))
    url = unescape(words(entry.get("url")))
    runs = plain_runs(label, unescaped=True)
    if is_url(url):
        return line(Text("".join(run.text for run in runs) or url, 0, url))
    return line(Text("["), *runs, Text("]")) if label else line(Text("[button]"))


def _choices(entry: Json, names: Names) -> RichText:
    chosen = {words(option.get("value")) for option in objects(entry.get("initial_options")) + objects(entry.get("initial_option"))}
    parts: list[RichText] = []
    for option in objects(entry.get("options")):
        sign = "☑ " if words(option.get("value")) in chosen else "☐ "
        shown = text_object(option.get("text"), names)
        first = shown.blocks[0] if shown.blocks else None
        if isinstance(first, Paragraph):
            shown = RichText((Paragraph((Text(sign), *first.inlines)), *shown.blocks[1:]))
        parts += [shown, text_object(option.get("description"), names)]
    return lines(parts)


def _menu(entry: Json, kind: str, names: Names) -> RichText:
    """A select, a date picker, an input: what it shows before anybody uses it."""
    if chosen := _chosen(entry, names):
        return line(Text(f"[{', '.join(chosen)}]"))
    for key in ("initial_option", "initial_value", "initial_date", "initial_time", "placeholder", "text", "title", "name"):
        if shown := unescape(words(entry.get(key))):
            return line(Text("["), *plain_runs(shown, unescaped=True), Text("]"))
    if (unix_s := number(entry.get("initial_date_time"), most=10**11)) > 0:
        return line(Text("["), Timestamp(unix_s), Text("]"))
    chosen = [words(option.get("text")) for option in objects(entry.get("initial_options"))]
    label = ", ".join(filter(None, chosen)) or kind.replace("_", " ")
    return line(Text(f"[{unescape(label)}]")) if label else EMPTY


def _chosen(entry: Json, names: Names) -> list[str]:
    """Names of the people and channels that a menu begins with, as far as they are known."""
    found: list[str] = []
    for kind in ("user", "channel", "conversation"):
        several = entry.get(f"initial_{kind}s")
        for stated in [entry.get(f"initial_{kind}"), *(several[:_MOST_CHOSEN] if isinstance(several, list) else ())]:
            if isinstance(stated, str) and stated:
                is_person = stated[0] in "UW"
                shown = names.user(stated) if is_person else names.channel(stated)
                found += [f"{'@' if is_person else '#'}{shown}"] if shown != stated else []
    return found


def bold(rich: RichText) -> RichText:
    """One or more lines, bold."""

    def stronger(run: Inline) -> Inline:
        return Text(run.text, run.marks | Mark.BOLD, run.link) if isinstance(run, Text) else run

    return map_inlines(rich, stronger)

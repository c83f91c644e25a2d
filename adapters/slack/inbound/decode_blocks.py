"""The blocks of Slack's app messages (all but rich_text) to the bridge's rich text. Pure. Called by `decode_text`.

A message shows its blocks; every kind of them leaves at least a line, also one that did not exist when this was written. Source:
docs.slack.dev, Block Kit reference, and slack_sdk's models; read 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.slack.inbound.decode_elements import bold, element, elements, image_of, is_url, line, lines, picture, text_object
from adapters.slack.inbound.decode_elements import cell as table_cell
from adapters.slack.inbound.decode_mrkdwn import plain_runs, unescape
from adapters.slack.inbound.decode_rich_text import decode_rich_text
from adapters.slack.inbound.decode_tables import Cell, one_line, table_of
from adapters.slack.lenient import objects, words
from adapters.slack.names import Names
from bridge.model.rich_text import EMPTY, Heading, Inline, Paragraph, RichText, Text, concat, inline_text

Json = Mapping[str, Any]

_DEEPEST = 6
_MOST_BLOCKS = 200
"""Slack allows 50 in a message and fewer in what a block may contain."""
_MOST_CELLS = 2000
"""Of a row, and rows of a table: Slack allows 20 and 100."""
_SILENT = ("actions", "context_actions", "divider", "input")
"""Kinds that say nothing by themselves: where there are no others, a message's text is shown as well."""


def decode_blocks(blocks: Sequence[Json], names: Names, depth: int = 0) -> RichText:
    """What the blocks show, one below the other."""
    return concat(*(decode_block(block, names, depth) for block in blocks[:_MOST_BLOCKS]))


def has_words(blocks: Sequence[Json], names: Names, shown: RichText) -> bool:
    """Whether any block says something itself, so that it stands for the message; `shown` is what all of them show."""
    kinds = [words(block.get("type")) for block in blocks[:_MOST_BLOCKS]]
    telling = [kind in _READERS and kind not in _SILENT for kind in kinds]
    if all(telling):
        return bool(shown)  # nearly every message: nothing is decoded twice
    return any(tells and decode_block(block, names, 0) for tells, block in zip(telling, blocks, strict=False))


def decode_block(block: Json, names: Names, depth: int) -> RichText:
    kind = words(block.get("type"))
    reader = _READERS.get(kind)
    if depth > _DEEPEST:
        return line(Text("[…]"))
    return reader(block, names, depth) if reader is not None else _unknown(block, kind)


def _rich(block: Json, names: Names, depth: int) -> RichText:
    return decode_rich_text(block, names)


def _header(block: Json, names: Names, depth: int) -> RichText:
    shown = text_object(block.get("text"), names)
    runs = tuple(run for paragraph in shown.blocks if isinstance(paragraph, Paragraph) for run in paragraph.inlines)
    return RichText((Heading(2, runs),)) if runs else EMPTY


def _section(block: Json, names: Names, depth: int) -> RichText:
    fields = block.get("fields")
    parts = [text_object(block.get("text"), names)]
    parts += [text_object(entry, names) for entry in (fields if isinstance(fields, list) else [])]
    accessory = block.get("accessory")
    if isinstance(accessory, Mapping):
        parts.append(element(accessory, names))
    return lines(parts)


def _context(block: Json, names: Names, depth: int) -> RichText:
    """Small texts and pictures, side by side where each is a line."""
    parts = [element(entry, names) for entry in objects(block.get("elements"))]
    row: list[Inline] = []
    for part in parts:
        only = part.blocks[0] if len(part.blocks) == 1 else None
        if not part:
            continue
        if not isinstance(only, Paragraph) or any("\n" in inline_text(run) for run in only.inlines):
            return lines(parts)
        row += [*((Text(" "),) if row else ()), *only.inlines]
    return line(*row) if row else EMPTY


def _actions(block: Json, names: Names, depth: int) -> RichText:
    return elements(block.get("elements"), names)


def _image(block: Json, names: Names, depth: int) -> RichText:
    return image_of(block)


def _video(block: Json, names: Names, depth: int) -> RichText:
    url = words(block.get("title_url")) or words(block.get("video_url"))
    title = words(block.get("title")) or words(block.get("alt_text"))
    by = " - ".join(filter(None, (words(block.get("provider_name")), words(block.get("author_name")))))
    parts = [picture(unescape(url), unescape(title), of="video"), text_object(block.get("description"), names)]
    return lines([*parts, line(*plain_runs(by)) if by else EMPTY])


def _markdown(block: Json, names: Names, depth: int) -> RichText:
    from adapters.slack.inbound.decode_markdown import decode_markdown  # its parser is loaded by those who get such blocks

    return decode_markdown(words(block.get("text")), names)


def _table(block: Json, names: Names, depth: int) -> RichText:
    rows = block.get("rows")
    caption = words(block.get("caption"))
    cells = [
        [_cell(entry, names) for entry in (row if isinstance(row, list) else [])[:_MOST_CELLS]]
        for row in (rows if isinstance(rows, list) else [])[:_MOST_CELLS]
    ]
    return concat(line(*plain_runs(caption)) if caption else EMPTY, table_of(cells))


def _cell(entry: Any, names: Names) -> Cell:
    return one_line(table_cell(entry, names) if isinstance(entry, Mapping) else text_object(entry, names))


def _call(block: Json, names: Names, depth: int) -> RichText:
    call = block.get("call")
    about = call.get("v1") if isinstance(call, Mapping) else None
    about = about if isinstance(about, Mapping) else call if isinstance(call, Mapping) else block
    name = unescape(words(about.get("name")) or words(about.get("title")))
    url = unescape(words(about.get("join_url")) or words(about.get("desktop_app_join_url")))
    label = f"call: {name}" if name else "call"
    return line(Text(label, 0, url)) if is_url(url) else line(Text(f"[{label}]"))


def _file(block: Json, names: Names, depth: int) -> RichText:
    file = block.get("file")
    about = file if isinstance(file, Mapping) else block
    name = words(about.get("title")) or words(about.get("name")) or words(block.get("external_id"))
    return picture(unescape(words(about.get("permalink")) or words(about.get("external_url"))), unescape(name), of="file")


def _input(block: Json, names: Names, depth: int) -> RichText:
    parts = [text_object(block.get("label"), names), text_object(block.get("hint"), names)]
    return lines([*parts, *(element(entry, names) for entry in objects(block.get("element")))])


def _card(block: Json, names: Names, depth: int) -> RichText:
    image = block.get("hero_image")
    texts = [bold(text_object(block.get("title"), names)), text_object(block.get("subtitle"), names)]
    texts.append(text_object(block.get("body"), names))
    return lines([*texts, image_of(image) if isinstance(image, Mapping) else EMPTY, elements(block.get("actions"), names)])


def _container(block: Json, names: Names, depth: int) -> RichText:
    title = text_object(block.get("rich_text_title") or block.get("title"), names)
    inner = decode_blocks(objects(block.get("child_blocks")), names, depth + 1)
    return lines([bold(title), text_object(block.get("subtitle"), names), inner])


def _carousel(block: Json, names: Names, depth: int) -> RichText:
    return decode_blocks(objects(block.get("elements")), names, depth + 1)


def _alert(block: Json, names: Names, depth: int) -> RichText:
    return text_object(block.get("text"), names)


def _plan(block: Json, names: Names, depth: int) -> RichText:
    tasks = [{"type": "task_card", **task} for task in objects(block.get("tasks"))]
    return lines([bold(text_object(block.get("title"), names)), decode_blocks(tasks, names, depth + 1)])


_TASK_SIGNS = {"complete": "☑ ", "error": "☒ "}


def _task(block: Json, names: Names, depth: int) -> RichText:
    sign = _TASK_SIGNS.get(words(block.get("status")), "☐ ")
    title = line(Text(sign), *plain_runs(words(block.get("title"))))
    return lines(
        [title, *(text_object(block.get(key), names) for key in ("details", "output")), elements(block.get("sources"), names)]
    )


_MOST_POINTS = 100
"""Slack's charts have at most 6 series or segments, of at most 20 points."""


def _chart(block: Json, names: Names, depth: int) -> RichText:
    """A chart's numbers: a line for each segment of a pie, else for each place on the axis with what each series has there. Source:
    Block Kit reference, data visualization block."""
    title = words(block.get("title"))
    chart = block.get("chart")
    about = chart if isinstance(chart, Mapping) else {}
    points: dict[str, list[str]] = {}
    for one in objects(about.get("segments"))[:_MOST_POINTS]:
        points.setdefault(words(one.get("label")), []).append(words(one.get("value")))
    series = objects(about.get("series"))[:_MOST_POINTS]
    for each in series:
        named = f" ({words(each.get('name'))})" if len(series) > 1 else ""
        for point in objects(each.get("data"))[:_MOST_POINTS]:
            points.setdefault(words(point.get("label")), []).append(f"{words(point.get('value'))}{named}")
    shown = [line(*plain_runs(f"{label}: {', '.join(values)}")) for label, values in points.items()]
    kind = words(about.get("type")).replace("_", " ")
    head = f"{title} ({words(series[0].get('name'))})" if len(series) == 1 and words(series[0].get("name")) else title
    return lines([bold(line(*plain_runs(head))), *(shown or [line(Text(f"[{kind} chart]".replace("[ ", "[")))])])


def _provider(block: Json, names: Names, depth: int) -> RichText:
    """An offer to connect an account elsewhere, which is one person's matter: what it is, and no link."""
    about = [words(block.get("name")), words(block.get("description"))]
    shown = ": ".join(filter(None, about)) or words(block.get("fallback"))
    return line(Text("[connect "), *plain_runs(unescape(shown), unescaped=True), Text("]")) if shown else line(Text("[connect]"))


def _nothing(block: Json, names: Names, depth: int) -> RichText:
    return EMPTY


_READERS: dict[str, Callable[[Json, Names, int], RichText]] = {
    "actions": _actions,
    "alert": _alert,
    "auth_provider": _provider,
    "call": _call,
    "card": _card,
    "carousel": _carousel,
    "container": _container,
    "context": _context,
    "context_actions": _actions,
    "data_table": _table,
    "data_visualization": _chart,
    "divider": _nothing,
    "file": _file,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "plan": _plan,
    "rich_text": _rich,
    "section": _section,
    "table": _table,
    "task_card": _task,
    "video": _video,
}


def _unknown(block: Json, kind: str) -> RichText:
    """That something of that kind is there, with the words it surely says."""
    found = [
        unescape(words(block.get(key))) for key in ("title", "text", "label", "caption", "description", "alt_text", "fallback")
    ]
    shown = ": ".join(filter(None, (f"[{kind.replace('_', ' ') or 'unknown block'}]", *found)))
    url = next((unescape(words(block.get(key))) for key in ("url", "title_url", "permalink") if is_url(words(block.get(key)))), "")
    return line(Text(shown, 0, url or None))

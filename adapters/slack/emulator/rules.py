"""What Slack refuses: lengths, block shapes, rates. Source: docs.slack.dev reference, but for what is marked inferred."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from adapters.slack.emulator.errors import ApiError
from adapters.slack.emulator.records import Json

MAX_TEXT = 40_000
MAX_UPDATE_TEXT = 4_000
MAX_BLOCKS = 50
MAX_ATTACHMENTS = 100
MAX_SECTION_TEXT = 3_000
MAX_HEADER_TEXT = 150
MAX_MARKDOWN = 12_000
MAX_ALL_BLOCKS = 13_200
MAX_TABLE_ROWS = 100
MAX_TABLE_COLUMNS = 20
MAX_TABLE_TEXT = 10_000
MAX_METADATA_JSON = 8_000  # inferred: the size is limited; the limit is not documented
MAX_ALT_TEXT = 1000
MAX_FILE_BYTES = 1024**3

_BLOCKS = {
    "rich_text",
    "section",
    "header",
    "context",
    "divider",
    "image",
    "actions",
    "file",
    "video",
    "markdown",
    "table",
    "input",
}
_CONTAINERS = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}
_LEAVES = {"text", "link", "user", "usergroup", "channel", "emoji", "broadcast", "date", "color", "team"}
_STYLES = {"bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"}


def check_blocks(blocks: Any) -> None:
    """Raise `ApiError` as `chat.postMessage` would for these blocks."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise ApiError("invalid_blocks_format")
    if len(blocks) > MAX_BLOCKS:
        raise _invalid(f"no more than {MAX_BLOCKS} items allowed [json-pointer:/blocks]")
    total = 0
    for index, block in enumerate(blocks):
        total += _check_block(block, f"/blocks/{index}")
    _check_tables(blocks)
    if total > MAX_ALL_BLOCKS:
        raise ApiError("msg_blocks_too_long")


def _check_tables(blocks: list[Json]) -> None:
    """Raise `ApiError` for more than one table in a message, as `chat.postMessage` refuses them. Source: the code is not
    in docs.slack.dev; app authors have seen it."""
    if sum(block.get("type") in ("table", "data_table") for block in blocks) > 1:
        detail = "only_one_table_allowed"
        raise ApiError("invalid_attachments", errors=[detail], response_metadata={"messages": [f"[ERROR] {detail}"]})


def _invalid(message: str) -> ApiError:
    return ApiError("invalid_blocks", errors=[message], response_metadata={"messages": [f"[ERROR] {message}"]})


def _check_block(block: Json, at: str) -> int:
    kind = block.get("type")
    if kind not in _BLOCKS:
        raise _invalid(f"unsupported type: {kind} [json-pointer:{at}/type]")
    if len(str(block.get("block_id", ""))) > 255:
        raise _invalid(f"must be less than 256 characters [json-pointer:{at}/block_id]")
    match kind:
        case "rich_text":
            elements = block.get("elements")
            if not isinstance(elements, list):
                raise _invalid(f"missing required field: elements [json-pointer:{at}]")
            return sum(_check_container(element, f"{at}/elements/{i}") for i, element in enumerate(elements))
        case "section":
            return _check_text(block.get("text"), MAX_SECTION_TEXT, f"{at}/text") if block.get("text") else 0
        case "header":
            return _check_text(block.get("text"), MAX_HEADER_TEXT, f"{at}/text")
        case "markdown":
            if len(str(block.get("text", ""))) > MAX_MARKDOWN:
                raise _invalid(f"must be less than {MAX_MARKDOWN + 1} characters [json-pointer:{at}/text]")
            return len(str(block.get("text", "")))
        case "table":
            return _check_table(block, at)
        case _:
            return 0


def _check_table(block: Json, at: str) -> int:
    rows = block.get("rows")
    if not isinstance(rows, list) or not rows:
        raise _invalid(f"missing required field: rows [json-pointer:{at}]")
    if len(rows) > MAX_TABLE_ROWS:
        raise _invalid(f"no more than {MAX_TABLE_ROWS} items allowed [json-pointer:{at}/rows]")
    settings = block.get("column_settings", [])
    if not isinstance(settings, list) or len(settings) > MAX_TABLE_COLUMNS:
        raise _invalid(f"no more than {MAX_TABLE_COLUMNS} items allowed [json-pointer:{at}/column_settings]")
    total = 0
    for number, row in enumerate(rows):
        if not isinstance(row, list) or not 1 <= len(row) <= MAX_TABLE_COLUMNS:
            raise _invalid(f"no more than {MAX_TABLE_COLUMNS} items allowed [json-pointer:{at}/rows/{number}]")
        total += sum(_check_cell(cell, f"{at}/rows/{number}/{index}") for index, cell in enumerate(row))
    if total > MAX_TABLE_TEXT:
        raise _invalid(f"must be less than {MAX_TABLE_TEXT + 1} characters [json-pointer:{at}/rows]")
    return total


def _check_cell(cell: Any, at: str) -> int:
    match cell.get("type") if isinstance(cell, dict) else None:
        case "rich_text" if isinstance(cell.get("elements"), list):
            return sum(_check_container(element, f"{at}/elements/{i}") for i, element in enumerate(cell["elements"]))
        case "raw_text" if isinstance(cell.get("text"), str) and cell["text"]:
            return len(cell["text"])
        case "raw_number" if isinstance(cell.get("value"), int | float):
            return len(str(cell["value"]))
        case _:
            raise _invalid(f"failed to match any allowed schemas [json-pointer:{at}]")


def _check_text(text: Any, limit: int, at: str) -> int:
    if not isinstance(text, dict) or not text.get("text"):
        raise _invalid(f"must be more than 0 characters [json-pointer:{at}/text]")
    if len(text["text"]) > limit:
        raise _invalid(f"must be less than {limit + 1} characters [json-pointer:{at}/text]")
    return len(text["text"])


def _check_container(element: Any, at: str) -> int:
    if not isinstance(element, dict) or element.get("type") not in _CONTAINERS or not isinstance(element.get("elements"), list):
        raise _invalid(f"unsupported element [json-pointer:{at}]")
    if element["type"] == "rich_text_list":
        if element.get("style") not in ("bullet", "ordered"):
            raise _invalid(f"invalid list style [json-pointer:{at}/style]")
        return sum(_check_container(item, f"{at}/elements/{i}") for i, item in enumerate(element["elements"]))
    allowed = {"text", "link"} if element["type"] == "rich_text_preformatted" else _LEAVES
    return sum(_check_leaf(leaf, allowed, f"{at}/elements/{i}") for i, leaf in enumerate(element["elements"]))


def _check_leaf(leaf: Any, allowed: set[str], at: str) -> int:
    if not isinstance(leaf, dict) or leaf.get("type") not in allowed:
        raise _invalid(f"unsupported element [json-pointer:{at}]")
    style = leaf.get("style", {})
    if not isinstance(style, dict) or not set(style) <= _STYLES:
        raise _invalid(f"invalid style [json-pointer:{at}/style]")
    match leaf["type"]:
        case "text":
            if not isinstance(leaf.get("text"), str) or not leaf["text"]:
                raise _invalid(f"must be more than 0 characters [json-pointer:{at}/text]")
            return len(leaf["text"])
        case "link":
            if not isinstance(leaf.get("url"), str) or ":" not in leaf["url"] or len(leaf["url"]) > 3000:
                raise _invalid(f"invalid url [json-pointer:{at}/url]")
            return len(leaf["url"]) + len(leaf.get("text", ""))
        case "broadcast":
            if leaf.get("range") not in ("here", "channel", "everyone"):
                raise _invalid(f"invalid range [json-pointer:{at}/range]")
        case "date":
            if not isinstance(leaf.get("timestamp"), int) or not leaf.get("format"):
                raise _invalid(f"invalid date [json-pointer:{at}]")
        case "user" | "usergroup" | "channel":
            if not isinstance(leaf.get(f"{leaf['type']}_id"), str):
                raise _invalid(f"missing id [json-pointer:{at}]")
        case "emoji":
            if not isinstance(leaf.get("name"), str) or not leaf["name"]:
                raise _invalid(f"missing name [json-pointer:{at}]")
    return 10


_TIER_PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
_TIERS = {
    "apps.connections.open": 3,
    "conversations.history": 3,
    "conversations.replies": 3,
    "conversations.info": 3,
    "conversations.list": 2,
    "conversations.join": 3,
    "conversations.members": 4,
    "chat.update": 3,
    "chat.delete": 3,
    "reactions.add": 3,
    "reactions.get": 3,
    "reactions.remove": 2,
    "pins.add": 2,
    "pins.remove": 2,
    "pins.list": 2,
    "users.conversations": 3,
    "users.list": 2,
    "users.info": 4,
    "users.lookupByEmail": 3,
    "chat.postEphemeral": 4,
    "emoji.list": 2,
    "files.info": 4,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
}


class RateBudgets:
    """Token buckets per method (chat.postMessage: one message per second per channel). By default nothing is limited."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.enabled = False
        self.post_per_second = 1.0
        self.post_burst = 4.0  # inferred: short bursts are allowed; their length is not documented
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def retry_after_s(self, method: str, channel: str) -> int:
        """0 if the call may pass (and is counted), else the whole seconds of `Retry-After`."""
        if not self.enabled:
            return 0
        if method == "chat.postMessage":
            return self._take(f"{method} {channel}", self.post_per_second, self.post_burst)
        tier = _TIERS.get(method)
        return self._take(method, _TIER_PER_MINUTE[tier] / 60, float(_TIER_PER_MINUTE[tier])) if tier else 0

    def _take(self, key: str, per_second: float, burst: float) -> int:
        now = self._clock()
        tokens, since = self._buckets.get(key, (burst, now))
        tokens = min(burst, tokens + (now - since) * per_second)
        if tokens < 1:
            self._buckets[key] = (tokens, now)
            return max(1, round((1 - tokens) / per_second + 0.5))
        self._buckets[key] = (tokens - 1, now)
        return 0

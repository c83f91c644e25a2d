"""The Bot API's answers -> the JSON result, or aiogram's exception for the error. Pure; called by `transport`'s session.

As aiogram's own `check_response`, but without its models: they would call a message that was sent unsent because its description
has a field or value they do not know (platforms.md 1.4, 1.5).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.common.http_errors import retry_after_s
from adapters.common.lenient import record, whole, words
from adapters.telegram.errors import NotOfTheApi
from adapters.telegram.lazy_aiogram import TelegramMethod, exceptions


class _Updates(msgspec.Struct):
    """getUpdates' answer, each update kept as the bytes it came in."""

    result: list[msgspec.Raw]


_UPDATES = msgspec.json.Decoder(_Updates)
_BY_CODE: dict[int, type[exceptions.TelegramAPIError]] = {
    400: exceptions.TelegramBadRequest,
    401: exceptions.TelegramUnauthorizedError,
    403: exceptions.TelegramForbiddenError,
    404: exceptions.TelegramNotFound,
    409: exceptions.TelegramConflictError,
    413: exceptions.TelegramEntityTooLarge,
}


_OF_THE_WAY = frozenset({407, 408, 425})
"""Statuses that the Bot API does not use: what stands between us and it does."""


def result_of(method: TelegramMethod[Any], status: int, content: str, headers: Mapping[str, str] | None = None) -> Any:
    """What the call gives: for getUpdates a list of `msgspec.Raw`, else plain JSON. Raises an AiogramError, NotOfTheApi."""
    if status == 200 and method.__api_method__ == "getUpdates":
        return _updates_of(content)
    answer = _as_object(content)
    if answer is not None and status == 200 and answer.get("ok") is True:
        return answer.get("result")
    if status in _OF_THE_WAY or (answer is None and status != 413):
        raise NotOfTheApi(status, retry_after_s(headers or {}))
    raise _error(method, status, answer)


def _error(method: TelegramMethod[Any], status: int, answer: dict[str, Any] | None) -> exceptions.AiogramError:
    text = words(record(answer).get("description")) or f"HTTP {status}"
    parameters = record(record(answer).get("parameters"))
    wait_s = whole(parameters.get("retry_after")) or 0
    if status == 429 or wait_s > 0:
        return exceptions.TelegramRetryAfter(method=method, message=text, retry_after=max(wait_s, 0))
    if moved_to := whole(parameters.get("migrate_to_chat_id")):
        return exceptions.TelegramMigrateToChat(method=method, message=text, migrate_to_chat_id=moved_to)
    if status >= 500:
        return exceptions.TelegramServerError(method=method, message=text)
    return _BY_CODE.get(status, exceptions.TelegramAPIError)(method=method, message=text)


def _updates_of(content: str) -> list[msgspec.Raw]:
    """The updates, each by itself: one that is no proper JSON (half of a surrogate pair, say) must not hold up the others."""
    try:
        return _UPDATES.decode(content).result
    except msgspec.MsgspecError:
        answer = _as_object(content)
    if answer is None or not isinstance(answer.get("result"), list):
        raise exceptions.ClientDecodeError("answer is not what getUpdates gives", ValueError("no list of updates"), None)
    return [msgspec.Raw(json.dumps(update)) for update in answer["result"]]


def _as_object(content: str) -> dict[str, Any] | None:
    try:
        answer = msgspec.json.decode(content)
    except msgspec.MsgspecError:
        try:
            answer = json.loads(content)
        except ValueError:
            return None
    return answer if isinstance(answer, dict) else None

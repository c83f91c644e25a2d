"""Entities are checked, as those of Telegram are."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

Ask = Callable[..., Coroutine[Any, Any, Any]]


@pytest.mark.parametrize(
    ("entities", "error"),
    [
        ([{"type": "bold", "offset": 0, "length": 99}], "ends after the end of the text"),
        ([{"type": "bold", "offset": 1, "length": 1}], "in a middle of a UTF-16 symbol"),
        ([{"type": "text_link", "offset": 0, "length": 2, "url": "javascript:alert(1)"}], None),
        ([{"type": "bold", "offset": 0, "length": 0}], None),
    ],
)
async def test_entities_are_checked(chat: str, ask: Ask, entities: list[Any], error: str | None) -> None:
    answer = await ask("sendMessage", chat_id=chat, text="👍 x", entities=entities)
    if error is None:
        assert "entities" not in answer["result"]
    else:
        assert error in answer["description"]

"""What a poll says beside its question, and when it closes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from adapters.telegram.inbound.decode_content import decode_content
from adapters.telegram.wire import Message
from bridge.model.events import AttachmentKind, Content
from bridge.model.rich_text import to_plain

POLL = {
    "id": "1",
    "question": "Lunch?",
    "options": [{"text": "Soup", "voter_count": 2}, {"text": "Rice", "voter_count": 0}],
    "is_anonymous": False,
}


def decoded(**poll: Any) -> Content:
    message = cast("Message", {"message_id": 1, "date": 1_800_000_000, "poll": POLL | poll})
    content = decode_content([message], download_bytes=None)
    assert content is not None
    assert content.poll is not None
    return content


def test_description_explanation_and_media_of_a_poll_are_shown() -> None:
    content = decoded(
        description="Canteen is closed",
        description_entities=[{"type": "bold", "offset": 0, "length": 7}],
        explanation="Because of the strike",
        media={"photo": [{"file_id": "P", "file_unique_id": "p", "width": 9, "height": 9}]},
        options=[{"text": "Soup", "media": {"document": {"file_id": "D", "file_unique_id": "d"}}}],
    )
    assert to_plain(content.text) == "Canteen is closed\n💡 Because of the strike"
    assert [file.kind for file in content.attachments] == [AttachmentKind.PHOTO, AttachmentKind.DOCUMENT]


@pytest.mark.parametrize(
    ("stated", "at"),
    [
        ({"close_date": 1_800_000_600}, 1_800_000_600),
        ({"open_period": 300}, 1_800_000_300),
        ({"close_date": 1_800_000_600, "open_period": 300}, 1_800_000_600),
        ({}, None),
        ({"close_date": "soon"}, None),
        ({"close_date": 10**20}, None),
    ],
)
def test_when_a_poll_closes(stated: dict[str, Any], at: int | None) -> None:
    poll = decoded(**stated).poll
    assert poll is not None
    assert poll.closes_at == (datetime.fromtimestamp(at, UTC) if at else None)

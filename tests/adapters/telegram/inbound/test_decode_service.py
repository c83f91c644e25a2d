"""What happens in a chat, as a line: nobody's words are put into it, and what is for one person alone is not told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.telegram.inbound.decode import Decoder
from adapters.telegram.inbound.decode_service import news
from bridge.model.events import Ignored, MessageCreated
from bridge.model.refs import AccountName
from bridge.model.rich_text import Mark, Text, Timestamp, text_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DECODER = Decoder(account=AccountName("tg"), bot_id="999")
ANNA = {"id": 1, "is_bot": False, "first_name": "Anna", "last_name": "Petrova"}


def decoded(**fields: Any) -> Any:
    message = {"message_id": 7, "date": 1_700_000_000, "chat": {"id": -1001, "type": "supergroup"}, "from": ANNA}
    (event,) = DECODER.update({"update_id": 1, "message": message | fields}, NOW)
    return event


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("video_chat_started", {}, "started a video chat"),
        ("video_chat_scheduled", {"start_date": 1_700_000_000}, "planned a video chat for 2023-11-14 22:13 UTC"),
        ("video_chat_scheduled", {"start_date": 10**18}, "planned a video chat"),
        ("video_chat_ended", {"duration": 3725}, "ended the video chat, after 1:02:05"),
        ("video_chat_ended", {"duration": "soon"}, "ended the video chat"),
        (
            "video_chat_participants_invited",
            {"users": [ANNA, {"first_name": "Bob"}]},
            "invited @Anna Petrova, Bob to the video chat",
        ),
        ("video_chat_participants_invited", {"users": None}, "invited somebody to the video chat"),
        ("gift_upgrade_sent", {"text": "for you"}, "paid for the upgrade of a gift: “for you”"),
        ("gift_upgrade_sent", {"text": "for you", "is_private": True}, "paid for the upgrade of a gift"),
    ],
)
def test_news_are_in_italics(field: str, value: Any, words: str) -> None:
    event = decoded(**{field: value})
    assert isinstance(event, MessageCreated)
    assert text_of(event.content.text) == words
    (paragraph,) = event.content.text.blocks
    assert all(run.marks == Mark.ITALIC for run in getattr(paragraph, "inlines", ()) if isinstance(run, Text | Timestamp))


def test_a_new_photo_of_the_chat_comes_along() -> None:
    sizes = [{"file_id": "S", "width": 1, "height": 1}, {"file_id": "L", "width": 9, "height": 9}]
    event = decoded(new_chat_photo=sizes)
    assert [file.file_id for file in event.content.attachments] == ["L"]
    assert decoded(new_chat_photo="odd").content.attachments == ()


def test_what_is_between_one_person_and_a_bot_is_not_told() -> None:
    assert news("web_app_data", {"data": "secret"}) is None
    assert decoded(web_app_data={"data": "secret"}) == Ignored("service message web_app_data")
    for alone in ({"ephemeral_message_id": 3}, {"receiver_user": ANNA}):
        assert decoded(text="for your eyes", **alone) == Ignored("shown to one person alone")

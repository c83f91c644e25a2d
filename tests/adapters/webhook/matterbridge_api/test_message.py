"""What is kept of a message, and what a reader gets of it."""

from __future__ import annotations

from datetime import UTC, datetime

from adapters.webhook.matterbridge_api.message import deleted, files_in, said, shown, without
from bridge.model.original import Original
from bridge.model.outbound import Outbound, Reply, Sender
from bridge.model.rich_text import plain

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
FILE = {"id": "t1.0.sent", "name": "map.png", "size": 3, "url": "", "line": True}


def outbound(kind: str = "", reply: Reply | None = None) -> Outbound:
    original = Original(occurred_at=NOW, kind=kind)
    return Outbound(
        token="t1", attempt=1, chat_id="one", text=plain("yes"), sender=Sender(name="Anna"), reply=reply, original=original
    )


def test_lines_about_a_chat_have_matterbridges_events() -> None:
    for kind, event in (("membership", "join_leave"), ("renamed", "topic_change"), ("pins", ""), ("", "")):
        assert shown(said("a", "g", "t1", outbound(kind), NOW), "g", NOW)["event"] == event


def test_the_line_of_a_file_stands_before_what_is_answered() -> None:
    reply = Reply(message_id="t0", author_name="Boris", excerpt="a map?")
    kept = said("a", "g", "t1", outbound(reply=reply), NOW, [FILE])
    assert files_in(kept) == [FILE]
    assert shown(kept, "g", NOW, {"t1.0.sent": b"abc"})["text"] == "yes\n📎 map.png (3 B) (re @Boris: a map?)"


def test_of_a_deleted_message_nothing_is_kept() -> None:
    kept = without("t1", deleted("a", "g", "t1", NOW), said("a", "g", "t1", outbound(), NOW, [FILE]))
    assert files_in(kept) == []
    assert b"map.png" not in kept
    assert files_in(b"of another form") == []

"""A message's page says what `trace` says: asked by a delivery, by the original or a copy; or why nothing is known."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from bridge.journal.contract import Answered, Delivered
from bridge.model.errors import Answer
from tests.bridge.journal.journal_makers import ACCOUNT, A, B, accept, at, created, entry, kill, lane, sent
from tests.support.dashboard import Visitor


async def test_what_became_of_it_in_each_chat(anna: Visitor) -> None:
    journal = anna.board.journal
    accepted = await accept(journal, created("11", text="what a person wrote"), A, B)
    first, second = accepted.delivery_ids
    answer = Answered(delivery_id=second, answer=Answer(status=400, took_s=0.5, body="no <chat>"), at=at(2))
    await journal.record(journal.lease(B.account), [answer])
    await kill(journal, second, "chat not found")
    await journal.record(
        journal.lease(A.account), [sent(first, accepted.event_seq, A, "70"), Delivered(delivery_id=first, at=at(2))]
    )
    shown = await anna.get(f"message?what={first}")
    for words in (
        "message origin/C1#11 by Anna",
        "as 70",
        "chat not found",
        f"dead retry {second}",
        "HTTP 400 after 0.5 s: no <chat>",
    ):
        assert words in shown.words, words
    assert "what a person wrote" not in shown.words
    assert f'href="letter?id={second}"' in shown.html


async def test_why_nothing_is_known(anna: Visitor) -> None:
    for what, why in (
        ("12345", "there is no delivery 12345"),
        ("nonsense", "is neither a link, nor ACCOUNT/CHAT#ID"),
        ("nobody/x#1", "there is no account 'nobody'"),
        ("https://example.com/", "does not lead to a message"),
        ("tg/-1001234567890#7", "the journal has no such message"),
        ("spirit/other#7", "no route has spirit/other as an end"),
        ("9" * 400, "is neither a link"),
    ):
        shown = await anna.get("message?what=" + what.replace("#", "%23"))
        assert (shown.status, why in shown.words) == (404, True), shown.words
    assert (await anna.get("message")).status == 200


async def test_a_chat_that_is_not_well_is_why_it_waits(anna: Visitor) -> None:
    status = anna.board.status["routes"]["list"][0]
    status["ends"][0] |= {"status": "fail", "reason": "the bot was removed", "action": "invite it again"}
    request = entry(created("11"), lane("-1001234567890", "tg"))
    planned = tuple(replace(one, route="engineering") for one in request.deliveries)
    journal = anna.board.journal
    (done,) = await journal.accept(
        journal.lease(ACCOUNT), [replace(request, deliveries=planned)], [], received_at=datetime.now(UTC)
    )
    shown = (await anna.get(f"message?what={done.delivery_ids[0]}")).words
    assert "the bot was removed" in shown
    assert "invite it again" in shown

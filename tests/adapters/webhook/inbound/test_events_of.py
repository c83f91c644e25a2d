"""Ids and updates through the real listener: the same again is an edit or nothing, and what is over is over."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from adapters.webhook.inbound import incidents
from bridge.model.rich_text import text_of
from tests.adapters.webhook.harness import Hooks
from tests.adapters.webhook.inbound.senders import alertmanager, kuma
from tests.support.intake import Gate
from tests.support.patience import eventually

JSON = {"Content-Type": "application/json"}


async def tell(hooks: Hooks, payload: Any, **headers: str) -> str:
    """The id of the message that it became."""
    answer = await hooks.post("alerts", json.dumps(payload), headers={**JSON, **headers})
    assert answer.status == 200, answer.text
    return str(json.loads(answer.body)["id"])


def edits(hooks: Hooks) -> list[str]:
    return [text_of(event.content.text).splitlines()[0] for event in hooks.edited()]


async def test_firing_and_resolved_are_one_message_and_the_next_fire_is_another(hooks: Hooks) -> None:
    first = await tell(hooks, alertmanager())
    assert await tell(hooks, alertmanager()) == first  # it repeats itself
    assert await tell(hooks, alertmanager("firing", ("db1", "resolved"), ("db2", "firing"))) == first
    assert await tell(hooks, alertmanager("resolved")) == first
    assert await tell(hooks, alertmanager("resolved")) == first
    again = await tell(hooks, alertmanager())
    assert again != first
    assert [event.message_id for event in hooks.created()] == [first, again]
    assert [event.message_id for event in hooks.edited()] == [first, first]
    assert edits(hooks)[-1] == "✅ [RESOLVED] DiskFull"
    assert len(hooks.intake.events) == 4
    assert hooks.intake.ignored_reasons["told before"] == 2


async def test_back_and_forth_is_told_each_time(hooks: Hooks) -> None:
    for value in ("a", "b", "a", "b", "b"):
        await tell(hooks, {"id": 7, "text": value})
    assert hooks.words() == ["a", "b", "a", "b"]
    assert len({event.meta.event_key for event in hooks.intake.events}) == 4


async def test_what_is_known_survives_a_restart(hooks: Hooks) -> None:
    first = await tell(hooks, kuma(0, "Timeout"))
    await hooks.end()
    await hooks.begin()
    assert await tell(hooks, kuma(0, "Timeout")) == first
    assert await tell(hooks, kuma(1, "200 OK")) == first
    assert edits(hooks) == ["✅ API is up"]


async def test_ids_are_each_ends_own(hooks: Hooks) -> None:
    await tell(hooks, {"id": "x", "text": "one"})
    await hooks.post("other", json.dumps({"id": "x", "text": "two"}), headers=JSON)
    assert len(hooks.created()) == 2
    assert not hooks.edited()


async def test_what_comes_after_its_end_alone_is_a_message(hooks: Hooks) -> None:
    await tell(hooks, alertmanager("resolved"))
    assert hooks.words()[0].startswith("✅")


async def test_a_request_that_is_sent_again_is_nothing_new(hooks: Hooks) -> None:
    for name in ("Idempotency-Key", "X-GitHub-Delivery", "webhook-id"):
        ids = {await tell(hooks, {"message": "once"}, **{name: "abc"}) for _ in range(3)}
        assert len(ids) == 1
    assert hooks.words() == ["once"] * 3
    await hooks.end()
    await hooks.begin()
    await tell(hooks, {"message": "once"}, **{"webhook-id": "abc"})
    assert hooks.words() == ["once"] * 3
    await tell(hooks, {"message": "once"})  # without an id, the same words are said again
    await tell(hooks, {"message": "once"})
    assert hooks.words() == ["once"] * 5


async def test_two_keys_of_an_end_do_not_take_each_others_requests_for_repeated(hooks: Hooks) -> None:
    """Whoever has a key of the end chooses ids, and may choose those of another."""
    for label in ("one", "two"):
        url = await hooks.key("alerts", label=label)
        for _ in range(2):
            answer = await hooks.call("POST", url, data=f"from {label}", headers={"Idempotency-Key": "1"})
            assert answer.status == 200
    assert hooks.words() == ["from one", "from two"]


async def remembered_before(hooks: Hooks, request_id: str, message_id: str) -> None:
    """As a bridge before wrote it: the id alone, without whose it is."""
    before = incidents.Incidents(hooks.intake.cursor, hooks.intake.is_known)
    await before.remember_request("alerts", request_id, message_id)
    await hooks.end()
    for cursor in before.cursors():
        hooks.intake.cursors[cursor.name] = cursor.value
    await hooks.begin()


async def test_a_request_that_is_repeated_after_an_upgrade_is_nothing_new(hooks: Hooks) -> None:
    await remembered_before(hooks, "idempotency-key abc", "m1")
    assert await tell(hooks, {"message": "once"}, **{"Idempotency-Key": "abc"}) == "m1"
    assert hooks.words() == []
    await tell(hooks, {"message": "another"}, **{"Idempotency-Key": "abd"})
    assert hooks.words() == ["another"]


async def test_what_is_looked_for_in_the_former_way_is_not_written_so(hooks: Hooks) -> None:
    """Else two keys of an end would take each other's requests for repeated again."""
    await tell(hooks, {"message": "once"}, **{"Idempotency-Key": "abc"})
    now = incidents.Incidents(hooks.intake.cursor, hooks.intake.is_known)
    assert await now.request("alerts", "idempotency-key abc") is None


async def test_a_key_does_not_take_an_ids_signed_request_for_its_own(tmp_path: Path) -> None:
    """Signed requests are kept by their ids alone, as they always were."""
    signature = {"scheme": "gitlab", "secret": "a-secret-that-is-long"}
    async with Hooks(tmp_path, {"alerts": {"signature": signature}}) as hooks:
        headers = {**JSON, "X-GitHub-Delivery": "1"}
        signed = {**headers, "X-Gitlab-Token": "a-secret-that-is-long"}
        assert (
            await hooks.call("POST", f"{hooks.url}/hooks/hooks/alerts", data=b'{"text": "signed"}', headers=signed)
        ).status == 200
        assert (await hooks.post("alerts", b'{"text": "by a key"}', headers=headers)).status == 200
        assert hooks.words() == ["signed", "by a key"]


async def test_an_old_request_does_not_undo_a_later_one(hooks: Hooks) -> None:
    await tell(hooks, {"id": 1, "text": "a"}, **{"Idempotency-Key": "1"})
    await tell(hooks, {"id": 1, "text": "b"}, **{"Idempotency-Key": "2"})
    await tell(hooks, {"id": 1, "text": "a"}, **{"Idempotency-Key": "1"})
    assert hooks.words() == ["a", "b"]


async def test_what_a_failed_write_would_have_known_is_not_known(hooks: Hooks) -> None:
    async def fail() -> None:
        raise RuntimeError("the disk is full")

    hooks.intake.before_accept = fail
    assert (await hooks.post("alerts", b'{"id": 1, "text": "a"}', headers={**JSON, "Idempotency-Key": "1"})).status == 503
    await asyncio.wait({hooks.running})
    assert hooks.running.exception() is not None
    hooks.intake.before_accept = None
    await hooks.begin()
    await tell(hooks, {"id": 1, "text": "a"}, **{"Idempotency-Key": "1"})
    assert hooks.words() == ["a"]


async def test_a_sender_that_makes_up_ids_costs_no_more(hooks: Hooks) -> None:
    state = incidents.Incidents(hooks.intake.cursor, hooks.intake.is_known)
    for number in range(5000):
        await state.set("alerts", f"id {number}", incidents.Incident(f"m{number}", "d"))
        await state.remember_request("alerts", f"request {number}", f"m{number}")
    cursors = state.cursors()
    assert len(cursors) <= incidents.SHARDS
    assert max(len(cursor.value) for cursor in cursors) < 16_000
    assert await state.get("alerts", "id 4999")
    assert await state.get("alerts", "id 0") is None
    assert await state.request("alerts", "request 4999") == "m4999"


async def test_state_of_another_version_is_forgotten(hooks: Hooks) -> None:
    await tell(hooks, {"id": 1, "text": "a"})
    await hooks.end()
    hooks.intake.cursors = dict.fromkeys(hooks.intake.cursors, '{"another": "form"}')
    await hooks.begin()
    await tell(hooks, {"id": 1, "text": "b"})
    assert hooks.words() == ["a", "b"]
    assert not hooks.edited()


async def test_the_same_files_again_are_nothing_new(hooks: Hooks, tmp_path: Path) -> None:
    """They have another id each time they come; those of the repetition are not kept."""
    for _ in range(2):
        await hooks.call("PUT", await hooks.key("alerts"), data=b"same", headers={"Filename": "a.txt", "sid": "x"})
    assert len(hooks.intake.events) == 1
    await eventually(lambda: len(list(hooks.received.iterdir())) == 1, what="the repetition's file is gone")


async def test_an_update_of_what_the_journal_has_pruned_is_a_new_message(hooks: Hooks) -> None:
    first = await tell(hooks, {"id": "job", "text": "running"})
    assert await tell(hooks, {"id": "job", "text": "half"}) == first
    hooks.intake.keys.clear()  # as retention does it after its days
    second = await tell(hooks, {"id": "job", "text": "done"})
    assert second != first
    assert await tell(hooks, {"id": "job", "text": "cleaned up"}) == second
    assert [event.message_id for event in hooks.created()] == [first, second]
    assert [(event.message_id, text) for event, text in zip(hooks.edited(), edits(hooks), strict=True)] == [
        (first, "half"),
        (second, "cleaned up"),
    ]


async def test_updates_that_wait_together_are_edits_of_one_message(hooks: Hooks) -> None:
    gate = Gate()
    hooks.intake.before_accept = gate
    begun = asyncio.create_task(hooks.post("alerts", b"first"))
    await eventually(lambda: gate.held, what="the first is being stored")
    waiting = []
    for number in range(3):
        waiting.append(asyncio.create_task(tell(hooks, {"id": "job", "text": f"step {number}"})))
        await eventually(lambda number=number: len(hooks.adapter._receiver._waiting) == number + 1, what=f"{number} waits")
    gate.open()
    assert len(set(await asyncio.gather(*waiting))) == 1
    assert (await begun).status == 200
    assert [len(hooks.created()), edits(hooks)] == [2, ["step 1", "step 2"]]


async def test_a_sender_that_repeats_what_was_stored_while_it_hung_up_says_it_once(hooks: Hooks) -> None:
    """As after a crash between the commit and the answer: the request comes again, to a bridge that was started anew."""
    gate = Gate()
    hooks.intake.before_accept = gate
    sending = asyncio.create_task(hooks.post("alerts", b"paid", headers={"Idempotency-Key": "order-17"}))
    await eventually(lambda: gate.held, what="it is being stored")
    sending.cancel()
    gate.open()
    await eventually(lambda: hooks.words() == ["paid"], what="the message")
    await hooks.end()
    await hooks.begin()
    again = await hooks.post("alerts", b"paid", headers={"Idempotency-Key": "order-17"})
    assert (again.status, json.loads(again.body)["id"]) == (200, hooks.created()[0].message_id)
    assert hooks.words() == ["paid"]

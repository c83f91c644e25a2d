"""What goes out: signed, steered by the receiver's answers, and never led elsewhere."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import WebhookVerificationError

from bridge.model.adapter import OutboundDelete, OutboundEdit, OutboundReaction, Reply
from bridge.model.errors import ChatDown, ChatOff, DeliveryError, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.model.original import Original
from bridge.model.rich_text import plain
from tests.adapters.webhook.receivers import OLD_SECRET, SECRET, MemoryStore, account, copy, message, receiving, types
from tests.support.clock import ManualClock


def response(status: int, **headers: str) -> web.Response:
    return web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


# -- Standard Webhooks ----------------------------------------------------------------------------------------------------------


async def test_a_message_is_a_signed_event_that_an_independent_library_takes() -> None:
    async with receiving() as there, account(there.url) as adapter:
        receipt = await adapter.send(message('Привет\n"you"', reply=Reply(message_id="t0", author_name="Boris", excerpt="hi")))
        (received,) = there.received
        payload = received.verified()
        assert receipt.message_ids == ("t1",)
        assert received.headers["webhook-id"] == "t1"
        assert received.headers["Content-Type"] == "application/json"
        assert payload["type"] == "message.created"
        assert datetime.fromisoformat(payload["timestamp"]).tzinfo is not None
        assert payload["data"] == {
            "end": "alerts",
            "message_id": "t1",
            "text": 'Привет\n"you"',
            "markdown": 'Привет  \n"you"',
            "author": {"name": "Anna"},
            "reply_to": {"message_id": "t0", "author": "Boris", "excerpt": "hi"},
        }
        with pytest.raises(WebhookVerificationError):
            received.verified(OLD_SECRET)


async def test_every_attempt_has_the_same_id_and_a_moment_of_its_own() -> None:
    clock = ManualClock()
    async with receiving() as there, account(there.url, clock=clock) as adapter:
        there.answers.extend([500, 200])
        with pytest.raises(RetryLater):
            await adapter.send(message())
        clock.forward(300)
        await adapter.send(message())
        first, second = there.received
        assert there.ids() == ["t1", "t1"]
        assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 300


async def test_the_body_says_when_it_happened_and_is_the_same_at_every_attempt() -> None:
    """Standard Webhooks: the moment of the attempt is in the header alone."""
    clock = ManualClock()
    said_at = clock.now() - timedelta(hours=3)
    async with receiving() as there, account(there.url, clock=clock) as adapter:
        there.answers.extend([500, 200])
        with pytest.raises(RetryLater):
            await adapter.send(message(original=Original(occurred_at=said_at)))
        clock.forward(300)
        await adapter.send(message(original=Original(occurred_at=said_at)))
        first, second = there.received
        assert first.body == second.body
        payload = json.loads(second.body)
        assert datetime.fromisoformat(payload["timestamp"]) == said_at
        assert payload["data"]["occurred_at"] == payload["timestamp"]


async def test_while_a_secret_is_rotated_both_sign() -> None:
    async with receiving() as there, account(there.url, end={"secret": SECRET, "previous_secret": OLD_SECRET}) as adapter:
        await adapter.send(message())
        (received,) = there.received
        assert received.verified(SECRET) == received.verified(OLD_SECRET)


async def test_what_becomes_of_a_message_is_told_by_its_id() -> None:
    async with receiving() as there, account(there.url) as adapter:
        await adapter.edit(OutboundEdit(token="t2", copy=copy(), text=plain("better")))
        await adapter.react(OutboundReaction(copy=copy(), token="t3", wanted=("👍",), added=("👍",), removed=("🎉",)))
        await adapter.pin(copy(), True)
        await adapter.pin(copy(), False)
        await adapter.delete(OutboundDelete(copy=copy()))
        assert types(there.received) == [
            "message.edited",
            "reaction.added",
            "reaction.removed",
            "message.pinned",
            "message.unpinned",
            "message.deleted",
        ]
        payloads = [one.verified()["data"] for one in there.received]
        assert {data["message_id"] for data in payloads} == {"t1"}
        assert payloads[0]["text"] == "better"
        assert payloads[1] == {"end": "alerts", "message_id": "t1", "emoji": ["👍"], "reactions": ["👍"]}
        ids = there.ids()
        assert len(set(ids)) == len(ids)
        assert not any("." in one for one in ids)


async def test_the_longest_text_makes_a_small_body() -> None:
    async with receiving() as there, account(there.url) as adapter:
        text = '"\n\\я' * 10_000
        limit = adapter.capabilities.limits.text_length
        while adapter.measure(plain(text)) > limit:
            text = text[: len(text) * 9 // 10]
        await adapter.send(message(text, reply=Reply(author_name="я" * 500, excerpt="я" * 5000)))
        assert len(there.received[0].body) < 20_000
        assert there.received[0].verified()["data"]["text"] == text


# -- the other styles -----------------------------------------------------------------------------------------------------------


async def test_slacks_payload_escapes_what_would_be_markup_or_ping() -> None:
    async with receiving() as there, account(there.url, style="slack") as adapter:
        await adapter.send(message("<!channel> a < b & c @all @here mail@allied.example"))
        body = json.loads(there.received[0].body)
        assert body["text"].startswith("&lt;!channel&gt; a &lt; b &amp; c @\u200ball @\u200bhere mail@allied")
        assert body["mrkdwn"] is False
        assert not hasattr(adapter, "edit")


async def test_a_template_is_the_admins_own() -> None:
    body = {"who": "{{ author.name }}", "what": "{{ text }}", "n": 1, "id": "{{ id }}"}
    async with receiving() as there, account(there.url, style="template", body=body, method="PUT") as adapter:
        await adapter.send(message('say "hi"'))
        (received,) = there.received
        assert received.method == "PUT"
        assert json.loads(received.body) == {"who": "Anna", "what": 'say "hi"', "n": 1, "id": "t1"}
    line = "{{ author.name }}: {{ text }}"
    async with receiving() as there, account(there.url, style="template", body=line, content_type="text/plain") as adapter:
        await adapter.send(message("hi"))
        assert there.received[0].body == b"Anna: hi"
        assert there.received[0].headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(("style", "error"), [("standard", RetryLater), ("slack", OutcomeUnknown)])
async def test_an_answer_that_does_not_come_is_unknown_only_where_a_repetition_would_be_one(
    style: str, error: type[DeliveryError]
) -> None:
    async with receiving() as there, account(there.url, style=style, request_timeout_s=0.3) as adapter:
        there.answers.append(asyncio.Event())
        with pytest.raises(error) as raised:
            await adapter.send(message())
        answer = raised.value.answer
        assert answer is not None
        assert answer.status is None
        assert answer.took_s > 0


# -- answers --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, RetryLater),
        (307, RetryLater),
        (400, RetryLater),
        (401, ChatDown),
        (404, ChatDown),
        (408, RetryLater),
        (413, Rejected),
        (422, RetryLater),
        (429, RetryLater),
        (500, RetryLater),
        (502, RetryLater),
        (504, RetryLater),
    ],
)
async def test_every_answer_but_a_success_is_a_failure_of_this_end_alone(status: int, error: type[DeliveryError]) -> None:
    async with receiving() as there, account(there.url) as adapter:
        there.answers.append(web.Response(status=status, text="no, be\x1bcause", headers={"Location": there.url + "/elsewhere"}))
        with pytest.raises(error) as raised:
            await adapter.send(message())
        assert len(there.received) == 1, "a redirect is not followed"
        assert type(raised.value) is error
        assert getattr(raised.value, "scope", Scope.CHAT) is Scope.CHAT
        answer = raised.value.answer
        assert answer is not None
        assert (answer.status, answer.body) == (status, "no, be cause")


@pytest.mark.parametrize("status", [429, 503, 502])
async def test_a_receiver_says_how_long_to_wait(status: int) -> None:
    async with receiving() as there, account(there.url) as adapter:
        there.answers.append(response(status, Retry_After="77"))
        with pytest.raises(RetryLater) as raised:
            await adapter.send(message())
        assert raised.value.after_s == 77
        assert raised.value.rate_limited is (status == 429)


async def test_a_receiver_may_end_the_attempts_for_one_message() -> None:
    async with receiving() as there, account(there.url) as adapter:
        there.answers.append(response(500, webhook_delivery="abort-message"))
        with pytest.raises(Rejected):
            await adapter.send(message())
        await adapter.send(message(token="t2"))
        assert there.ids() == ["t1", "t2"]


@pytest.mark.parametrize(
    "answer", [response(410), response(500, webhook_delivery="disable"), response(200, webhook_delivery="Disable")]
)
async def test_a_receiver_may_switch_its_end_off(answer: web.Response) -> None:
    store = MemoryStore()
    async with receiving() as there:
        async with account(there.url, store=store) as adapter:
            there.answers.append(answer)
            if answer.status == 200:
                await adapter.send(message())
            else:
                with pytest.raises(ChatOff):
                    await adapter.send(message())
            with pytest.raises(ChatOff) as raised:
                await adapter.send(message(token="t2"))
            assert "hooks enable hooks/alerts" in raised.value.action
            assert adapter._sender.intake.notices[0][2] == "alerts"
        async with account(there.url, store=store) as adapter:
            with pytest.raises(ChatOff):
                await adapter.send(message(token="t2"))
            assert len(there.received) == 1, "nothing is asked while it is off, after a restart either"
            store.notes["off/alerts"] = ""
            await adapter.send(message(token="t2"))
            assert adapter._sender.intake.restorations == ["alerts"]
            assert there.ids() == ["t1", "t2"]


async def test_another_url_switches_an_end_on() -> None:
    store = MemoryStore()
    async with receiving() as old, receiving() as new:
        async with account(old.url, store=store) as adapter:
            old.answers.append(410)
            with pytest.raises(ChatOff):
                await adapter.send(message())
        async with account(new.url, store=store) as adapter:
            await adapter.send(message())
        assert len(new.received) == 1
        assert store.notes["off/alerts"] == ""
        assert old.url not in str(store.notes)


async def test_a_huge_answer_is_read_at_its_beginning_only_and_shows_no_secret() -> None:
    async with receiving() as there, account(there.url) as adapter:
        there.answers.append(web.Response(status=500, body=f"{SECRET} {there.url} ".encode() + b"x" * 50_000_000))
        with pytest.raises(RetryLater) as raised:
            await adapter.send(message())
        assert raised.value.answer is not None
        body = raised.value.answer.body
        assert body.startswith("*** *** xxx")
        assert len(body) <= 500


# -- where it goes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", [(), ("10.0.0.0/8",), ("example.com",)])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "169.254.169.254"])
async def test_private_addresses_are_not_posted_to(host: str, allowed: tuple[str, ...]) -> None:
    async with receiving() as there:
        port = there.url.split(":")[2].split("/")[0]
        url = f"http://{host}:{port}/hook"
        options: dict[str, Any] = {"allow_hosts": allowed}
        try:
            made = account(url, **options)
            async with made as adapter:
                with pytest.raises(ChatDown) as raised:
                    await adapter.send(message())
                assert "allow_hosts" in raised.value.reason + raised.value.action
        except ValueError:
            assert host == "2130706433", "no such URL is accepted in bridge.yaml at all"
        assert not there.received


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"]])
async def test_a_name_that_leads_into_the_private_network_is_refused(monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return answers

    monkeypatch.setattr("adapters.common.egress._addresses", lookup)
    async with receiving() as there:
        url = there.url.replace("127.0.0.1", "rebound.example.com")
        async with account(url, allow_hosts=()) as adapter:
            with pytest.raises(ChatDown):
                await adapter.send(message())
        assert not there.received


async def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    monkeypatch.setattr("adapters.common.egress._addresses", lookup)
    async with receiving() as there:
        url = there.url.replace("127.0.0.1", "receiver.example.com")
        async with account(url) as adapter:
            await adapter.send(message())
            await adapter.send(message(token="t2"))
        assert asked == ["receiver.example.com"] * 2, "at every attempt"
        assert {one.headers["Host"].split(":")[0] for one in there.received} == {"receiver.example.com"}


async def test_an_end_without_a_url_says_what_is_missing() -> None:
    async with account() as adapter:
        with pytest.raises(ChatDown) as raised:
            await adapter.send(message())
        assert "url" in raised.value.action


async def test_an_unreachable_receiver_holds_up_no_other() -> None:
    async with receiving() as there:
        pass
    async with account(there.url) as adapter:
        with pytest.raises(RetryLater) as raised:
            await adapter.send(message())
        assert raised.value.scope is Scope.CHAT


# -- OAuth2 ---------------------------------------------------------------------------------------------------------------------


def token(name: str, **more: Any) -> web.Response:
    return web.json_response({"access_token": name, "token_type": "Bearer", **more})


def oauth2(url: str) -> dict[str, Any]:
    return {"oauth2": {"token_url": url, "client_id": "bridge", "client_secret": "s3cret:/", "scope": "hooks"}}


async def test_a_token_is_fetched_once_and_again_when_it_ends() -> None:
    clock = ManualClock()
    async with receiving() as login, receiving() as there, account(there.url, clock=clock, end=oauth2(login.url)) as adapter:
        login.answers.extend([token("one", expires_in=600), token("two", expires_in=600)])
        for number in range(3):
            await adapter.send(message(token=f"t{number}"))
        clock.forward(590)
        await adapter.send(message(token="t9"))
        assert [one.headers["Authorization"] for one in there.received] == ["Bearer one"] * 3 + ["Bearer two"]
        assert login.received[0].body == b"grant_type=client_credentials&scope=hooks"
        assert login.received[0].headers["Authorization"].startswith("Basic ")


async def test_a_token_that_is_refused_is_fetched_anew_once() -> None:
    async with receiving() as login, receiving() as there, account(there.url, end=oauth2(login.url)) as adapter:
        login.answers.extend([token("one"), token("two"), token("three")])
        there.answers.extend([401, 200, 401, 401])
        await adapter.send(message())
        with pytest.raises(ChatDown):
            await adapter.send(message(token="t2"))
        assert [one.headers["Authorization"][7:] for one in there.received] == ["one", "two", "two", "three"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [(web.Response(status=401), ChatDown), (web.Response(status=500), RetryLater), (web.Response(text="[[[["), RetryLater)],
)
async def test_a_login_that_gives_no_token_is_the_ends_own_trouble(answer: web.Response, error: type[DeliveryError]) -> None:
    async with receiving() as login, receiving() as there, account(there.url, end=oauth2(login.url)) as adapter:
        login.answers.append(answer)
        with pytest.raises(error):
            await adapter.send(message())
        assert not there.received
